"""What the kinds have in common whose payload names the message: what a customer taps. None is typed in
a composer: they are where they are drawn, on a message or in the fanpage's Messenger profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from core.conversation.entry_kinds.kind import CustomerAct, EntryPointKind, FoundEntry, KnownEntry

_ID_DIGITS = 18


class TappedKind(EntryPointKind):
    prefix: ClassVar[str]  # of its payloads; the id of the message follows

    def payload(self, message_id: int) -> str:
        return f"{self.prefix}{message_id}"

    def message_in(self, payload: str | None) -> int | None:
        """The message that a payload of this kind leads to; None when it is of no such payload."""
        digits = (payload or "").removeprefix(self.prefix)
        leads = payload is not None and payload.startswith(self.prefix)
        is_id = digits.isascii() and digits.isdigit() and len(digits) <= _ID_DIGITS
        return int(digits) if leads and is_id else None

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:  # noqa: ARG002
        message_id = self.message_in(act.payload) if act.has_message else None
        return None if message_id is None else FoundEntry(message_id, self.name, act.text or "")
