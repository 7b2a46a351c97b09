"""An opt-in's source and end in words."""

from __future__ import annotations

from datetime import datetime

from core.consent.opt_in_queries import OptInView
from core.errors import N_
from pages.components.texts import _

_ENTRIES = {
    "get_started": N_("Get Started"),
    "keyword": N_("Keyword “{value}”"),
    "ref": N_("Link “{value}”"),
    "button": N_("Button “{value}”"),
}
SOURCES = {"import": N_("Imported file"), "webhook": N_("Messenger")}
_PLAIN = {"keyword": N_("Keyword"), "ref": N_("Link"), "button": N_("Button")}


def through(opt_in: OptInView) -> str:
    """How the customer came to agree."""
    if opt_in.source == "import":
        return _("Imported file")
    template = (_PLAIN if not opt_in.entry_value else _ENTRIES).get(
        opt_in.entry_kind, _ENTRIES.get(opt_in.entry_kind, N_("Messenger"))
    )
    return _(template, value=opt_in.entry_value)


def ends(opt_in: OptInView) -> datetime:
    """When it ended, or when it will."""
    return opt_in.settled_at or opt_in.expires_at
