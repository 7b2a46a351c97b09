"""Kinds whose payload names the message: what a customer taps, and what we made ourselves. No message holds
them; they are where they are drawn, on a message or in the fanpage's Messenger profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from core.conversation.drafts import EntryKind
from core.conversation.entry_kinds.kind import CustomerAct, EntryPointKind, FoundEntry, KnownEntry
from core.conversation.payloads import ICE_BREAKER_PAYLOAD, MENU_PAYLOAD, MESSAGE_PAYLOAD
from core.errors import N_

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


class Button(TappedKind):
    """A button or quick reply of another message."""

    name = EntryKind.BUTTON
    named, plain = N_("Button “{value}”"), N_("Button")
    prefix = MESSAGE_PAYLOAD


class MenuItem(TappedKind):
    """An item of the menu that stands beside the field in which customers write."""

    name = EntryKind.MENU
    named, plain = N_("Menu “{value}”"), N_("Menu")
    prefix = MENU_PAYLOAD


class IceBreaker(TappedKind):
    """A question that a new chat offers to be tapped."""

    name = EntryKind.ICE_BREAKER
    named, plain = N_("Suggested question “{value}”"), N_("Suggested question")
    prefix = ICE_BREAKER_PAYLOAD


class Again(EntryPointKind):
    """A button that asks about a topic once more: "want the next one, too?". Its payload names the topic
    (core/conversation/asking_again.py), so it leads to no message."""

    name = EntryKind.AGAIN
    named, plain = N_("Button “{value}” that asks again"), N_("Button that asks again")

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:  # noqa: ARG002
        return None


class Rule(EntryPointKind):
    """The rule of a topic: who has no opt-in left is asked when they next write, whatever they write."""

    name = EntryKind.RULE
    named = plain = N_("The topic's rule")
    is_bubble = False

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:  # noqa: ARG002
        return None
