"""An opt-in's source and end in words."""

from __future__ import annotations

from datetime import datetime

from core.consent.opt_in_queries import OptInView
from core.conversation.entry_kinds.registry import KINDS
from core.errors import N_
from pages.components.texts import _

SOURCES = {"import": N_("Imported file"), "webhook": N_("Messenger")}


def through(opt_in: OptInView) -> str:
    """How the customer came to agree."""
    if opt_in.source == "import":
        return _("Imported file")
    return entry_words(opt_in.entry_kind, opt_in.entry_value)


def entry_words(kind: str, value: str) -> str:
    """An entry point as customers came through it."""
    known = KINDS.get(kind)
    if known is None:
        return _("Messenger")
    return _(known.named if value else known.plain, value=value)


def ends(opt_in: OptInView) -> datetime:
    """When it ended, or when it will."""
    return opt_in.settled_at or opt_in.expires_at
