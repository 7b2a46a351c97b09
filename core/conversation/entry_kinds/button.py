"""A button or quick reply of another message. It stands on that message."""

from __future__ import annotations

from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_kinds.tapped import TappedKind
from core.conversation.payloads import MESSAGE_PAYLOAD
from core.errors import N_


class Button(TappedKind):
    name = EntryKind.BUTTON
    named, plain = N_("Button “{value}”"), N_("Button")
    prefix = MESSAGE_PAYLOAD
