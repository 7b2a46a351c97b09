"""An item of the persistent menu, which stands beside the field in which customers write."""

from __future__ import annotations

from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_kinds.tapped import TappedKind
from core.conversation.payloads import MENU_PAYLOAD
from core.errors import N_


class MenuItem(TappedKind):
    name = EntryKind.MENU
    named, plain = N_("Menu “{value}”"), N_("Menu")
    prefix = MENU_PAYLOAD
