"""The Get Started button of a chat that is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from core.conversation.drafts import EntryDraft
from core.conversation.entry_kinds.kind import (
    ComposedKind,
    CustomerAct,
    Fields,
    FoundEntry,
    KnownEntry,
    found,
)
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.payloads import GET_STARTED_PAYLOAD
from core.errors import N_, Problem, problem


class GetStarted(ComposedKind):
    name = EntryKind.GET_STARTED
    named = plain = N_("Get Started")
    listed = N_("Get Started button")
    stands_alone = True
    fields: ClassVar[Fields] = {"get_started": False}

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:
        return found(known[0]) if known and act.payload == GET_STARTED_PAYLOAD else None

    def clean(self, entry: EntryDraft) -> EntryDraft:  # noqa: ARG002
        return EntryDraft(self.name)

    def key(self, value: str) -> str:  # noqa: ARG002
        return ""

    def check(self, entry: EntryDraft) -> list[Problem]:  # noqa: ARG002
        return []

    def taken(self, entry: EntryDraft, owner: str) -> Problem:  # noqa: ARG002
        words = N_("The Get Started button already starts “{name}”; remove it there first.")
        return problem("entry_points", words, name=owner)

    def typed(self, fields: Fields) -> list[EntryDraft]:
        return [EntryDraft(self.name)] if fields["get_started"] else []

    def fill(self, entries: Sequence[EntryDraft]) -> dict[str, Any]:
        return {"get_started": bool(entries)}
