"""Staff's two ways to settle outcomes in doubt, one or all: count as sent, or try again."""

from __future__ import annotations

import streamlit as st

from core.broadcasts import retry
from core.broadcasts.delivery_queries import DeliveryView
from core.broadcasts.queries import BroadcastView
from core.clock import utc_now
from core.deliveries.rules import DeliveryState
from pages.broadcasts.detail.retry import new_best_before
from pages.components.dialogs import confirm, open_dialog
from pages.components.markdown import escape_markdown
from pages.components.session import Current, flash
from pages.components.texts import _, n_


def draw_open_buttons(slot: str, unknown: int | None = None) -> None:
    """Draw “Try again…” and “Count as sent…”. With `unknown`, the number of deliveries whose outcome is
    unknown, they are for all of these; without it, for the one delivery that `slot`, the prefix of the keys,
    names."""
    again, count = _("Try again…"), _("Count as sent…")
    if unknown is not None:
        again = n_("Try {n} again…", "Try all {n} again…", unknown)
        count = n_("Count {n} as sent…", "Count all {n} as sent…", unknown)
    opens = "broadcast" if unknown is not None else slot
    for verb, label, icon in (("again", again, "replay"), ("count", count, "task_alt")):
        st.button(
            label,
            key=f"{slot}_{verb}",
            icon=f":material/{icon}:",
            on_click=open_dialog,
            args=(f"{opens}_{verb}_dialog",),
        )


def draw_dialogs(here: Current, view: BroadcastView, slot: str, row: DeliveryView | None = None) -> None:
    """Draws the dialogs that settle one outcome in doubt or, without a row, all of them."""
    people = 1 if row else view.counts[DeliveryState.UNKNOWN]
    whose = escape_markdown(row.customer or row.psid) or _("Erased customer") if row else ""
    confirm(
        f"{slot}_again_dialog",
        _("Try {name} again?", name=whose) if row else _("Try again?"),
        _again(view, people),
        _("Try again"),
        lambda: _try_again(here, view, row),
    )
    confirm(
        f"{slot}_count_dialog",
        _("Count {name} as sent?", name=whose) if row else _("Count as sent?"),
        _counted(view, people),
        _("Count as sent"),
        lambda: _count_as_sent(here, view, row),
    )


def _again(view: BroadcastView, people: int) -> str:
    tried = n_(
        "**We try again for {n} customer**, with the same opt-in.",
        "**We try again for {n} customers**, with the same opt-ins.",
        people,
    )
    safe = _(
        "Nobody can get it twice: Messenger refuses an opt-in that was already used, and then it "
        "counts as sent."
    )
    late, _best_before = new_best_before(view)
    return f"{tried} {safe} {_ordinary_again() if view.saves_opt_ins else ''} {late}"


def _ordinary_again() -> str:
    return _(
        "**Except for customers who just wrote:** the ordinary message that saved their opt-in "
        "could arrive twice."
    )


def _counted(view: BroadcastView, people: int) -> str:
    used = n_("**{n} opt-in counts as used, for good.**", "**{n} opt-ins count as used, for good.**", people)
    final = _(
        "Nothing is sent. Do this only if you know that they got it; anyone who didn't won't get "
        "this message and has to agree again."
    )
    spared = _("Opt-ins saved by an ordinary message stay.") if view.saves_opt_ins else ""
    return f"{used} {final} {spared}"


def _try_again(here: Current, view: BroadcastView, row: DeliveryView | None) -> None:
    _late, best_before = new_best_before(view)
    queued = retry.try_again(
        here.actor, view.id, delivery_ids=_ids(row), best_before=best_before, now=utc_now()
    )
    _tell(queued, n_("Trying {n} message again.", "Trying {n} messages again.", queued))


def _count_as_sent(here: Current, view: BroadcastView, row: DeliveryView | None) -> None:
    counted = retry.count_as_sent(here.actor, view.id, delivery_ids=_ids(row), now=utc_now())
    _tell(counted, n_("{n} message now counts as sent.", "{n} messages now count as sent.", counted))


def _ids(row: DeliveryView | None) -> list[int] | None:
    return [row.id] if row else None


def _tell(settled: int, words: str) -> None:
    """An echo from Messenger or a colleague may have been quicker."""
    if settled:
        flash(words)
    else:
        flash(_("It has already been decided, so nothing was changed."), icon=":material/info:")
