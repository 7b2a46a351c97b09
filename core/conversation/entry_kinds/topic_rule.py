"""The rule of a topic: who has no opt-in left is asked when they next write, whatever they write."""

from __future__ import annotations

from collections.abc import Sequence

from core.conversation.entry_kinds.kind import CustomerAct, EntryPointKind, FoundEntry, KnownEntry
from core.conversation.entry_kinds.names import EntryKind
from core.errors import N_


class Rule(EntryPointKind):
    name = EntryKind.RULE
    named = plain = N_("The topic's rule")
    is_bubble = False

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:  # noqa: ARG002
        return None
