"""A question that a new chat offers to be tapped. It stands in the Messenger profile."""

from __future__ import annotations

from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_kinds.tapped import TappedKind
from core.conversation.payloads import ICE_BREAKER_PAYLOAD
from core.errors import N_


class IceBreaker(TappedKind):
    name = EntryKind.ICE_BREAKER
    named, plain = N_("Suggested question “{value}”"), N_("Suggested question")
    prefix = ICE_BREAKER_PAYLOAD
