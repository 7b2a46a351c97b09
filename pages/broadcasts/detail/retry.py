"""After the first run: retry the failed, send to the rest, release the opt-ins that were kept until staff
decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts import retry
from core.broadcasts.draft_rules import USUAL_SPAN
from core.broadcasts.queries import BroadcastView
from core.broadcasts.retry_queries import retry_chances
from core.broadcasts.rules import BroadcastState, alike_reason
from core.clock import utc_now
from pages.components.broadcast_words import ALL_REFUSED
from pages.components.dialogs import confirm, open_dialog
from pages.components.session import Current, flash
from pages.components.texts import _, n_, when


def draw_second_run(here: Current, view: BroadcastView) -> None:
    """Draws the buttons for those who did not get it although their opt-in could still be used."""
    has_ended = view.state in (BroadcastState.FINISHED, BroadcastState.CANCELLED)
    is_over = has_ended and view.pause_code != ALL_REFUSED
    paused_itself = view.state == BroadcastState.PAUSED and alike_reason(view.pause_code) is not None
    if not (is_over or paused_itself) or not view.is_complete or not here.actor.may(Permission.SEND):
        return
    chances = retry_chances(view.id, now=utc_now())
    late, best_before = new_best_before(view)
    with st.container(key="second_run", horizontal=True):
        if chances.failed:
            label = n_("Retry {n} failed…", "Retry {n} failed…", chances.failed)
            _open_button("retry", label, "replay")
        if chances.rest:
            label = n_("Send to {n} left over…", "Send to {n} left over…", chances.rest)
            _open_button("rest", label, "playlist_play")
        if chances.undecided:
            label = n_("Return {n} opt-in on hold…", "Return {n} opt-ins on hold…", chances.undecided)
            _open_button("release", label, "undo")
    nobody = _(
        "Nobody who already got it gets it again. Customers who certainly can't be reached are left out."
    )
    _dialog(
        "retry",
        _("Retry the failed messages?"),
        _used(chances.failed, nobody, late),
        _("Retry"),
        lambda: retry.retry_failed(here.actor, view.id, best_before=best_before, now=utc_now()),
    )
    _dialog(
        "rest",
        _("Send to the rest?"),
        _used(chances.rest, nobody, late),
        _("Send to the rest"),
        lambda: retry.send_to_rest(here.actor, view.id, best_before=best_before, now=utc_now()),
    )
    _draw_release(here, view)


def _draw_release(here: Current, view: BroadcastView) -> None:
    """Messenger answered with a code nobody knows, so these opt-ins were kept."""
    body = _(
        "Messenger refused these with an error code we don't know. Read its answers in the list "
        "below first: if nothing was sent, the next broadcast can use the opt-ins again."
    )
    _dialog(
        "release",
        _("Return the opt-ins on hold?"),
        body,
        _("Return them"),
        lambda: retry.release_undecided(here.actor, view.id, now=utc_now()),
    )


def _used(people: int, nobody: str, late: str) -> str:
    used = n_(
        "**{n} opt-in will be used and can't be taken back.**",
        "**{n} opt-ins will be used and can't be taken back.**",
        people,
    )
    return f"{used} {nobody} {late}"


def new_best_before(view: BroadcastView) -> tuple[str, datetime | None]:
    """A best-before that has passed is set anew; one still ahead is kept."""
    now = utc_now()
    if view.best_before is None or view.best_before > now:
        return "", None
    best_before = now + USUAL_SPAN
    return _("The new send-by time is {when}.", when=when(best_before)), best_before


def _open_button(verb: str, label: str, icon: str) -> None:
    st.button(
        label,
        key=f"broadcast_{verb}",
        icon=f":material/{icon}:",
        on_click=open_dialog,
        args=(f"broadcast_{verb}",),
    )


def _dialog(verb: str, title: str, body: str, label: str, action: Callable[[], int]) -> None:
    confirm(f"broadcast_{verb}", title, body, label, lambda: _do(action))


def _do(action: Callable[[], int]) -> None:
    """Queue them again, or release their opt-ins, unless somebody already has; and say which."""
    people = action()
    if people:
        flash(n_("Done for {n} customer.", "Done for {n} customers.", people))
    else:
        flash(_("It has already been decided, so nothing was changed."), icon=":material/info:")
