"""A button that asks about a topic once more: "want the next one, too?"."""

from __future__ import annotations

from collections.abc import Sequence

from core.conversation.entry_kinds.kind import CustomerAct, EntryPointKind, FoundEntry, KnownEntry
from core.conversation.entry_kinds.names import EntryKind
from core.errors import N_


class Again(EntryPointKind):
    """A button that asks about a topic once more: "want the next one, too?". Its payload names the topic
    (core/conversation/asking_again.py), so it leads to no message."""

    name = EntryKind.AGAIN
    named, plain = N_("“Ask again” button “{value}”"), N_("“Ask again” button")

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:  # noqa: ARG002
        return None
