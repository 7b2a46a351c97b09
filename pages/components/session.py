"""Who is here, on which fanpage, and how a page does something on their behalf.

Who is signed in is said by the cookie of the browser's connection alone, see shell/session_binding.py.
Session state holds plain values only: fanpage_id, language, zone, flashes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st
import structlog

from core import logs
from core.accounts import session_queries
from core.accounts.rules import Actor, Permission
from core.accounts.session_queries import SessionView
from core.clock import utc_now
from core.db.full_disk import is_full
from core.errors import N_, NotAllowed, NotFound, OperatorError, SignedOut
from core.fanpages.queries import FanpageView, get_fanpage, list_fanpages
from core.settings import settings
from pages.components.texts import _, error_text, language

T = TypeVar("T")
log = structlog.get_logger(__name__)
ENDED = N_(
    "Your session has ended, and nothing more was done in it. Sign in again; if you can't, ask an admin."
)
NOT_YOURS = N_("This belongs to a fanpage you don't manage. Ask an admin if you need access.")
ONLY_SOME = N_(
    "This page covers all fanpages, and you only manage some of them. Ask an admin who manages all of them."
)
NO_FANPAGE_YET = N_(
    "You are signed in, but no fanpage is yours yet. Ask an admin to give you one; then load this page again."
)
HEADER = "x-notify-once-session"  # in which the server hands on whose cookie a connection brought
ENDED_BEFORE = "ended:"
last_fanpages: dict[int, int] = {}  # by operator: what they chose last, for the next tab or a reload


@dataclass(frozen=True)
class Current:
    """Who asks, and on which fanpage, in which language and time zone."""

    actor: Actor
    fanpage: FanpageView | None
    language: str
    zone: str


def current() -> Current:
    """Who asks, read anew on every call: a role changed or a session ended elsewhere counts at once.

    Stops the page (and shows the sign-in) when the session is no longer good.
    """
    found = signed_in()
    if found is None:
        st.rerun(scope="app")
    fanpage = _chosen_fanpage(found.actor)
    zone = fanpage.timezone if fanpage else settings().timezone
    st.session_state["zone"] = zone
    return Current(found.actor, fanpage, language(), zone)


def presented() -> str:
    """Whose cookie the browser's present connection brought: the hash of a session's key, or what stands for
    nobody. The server writes it; what a client writes in its place is thrown away."""
    return st.context.headers.get(HEADER) or ""


def signed_in() -> SessionView | None:
    """The session of this browser while it is good, read anew on every call."""
    found = session_queries.find_session(presented(), utc_now())
    if found is None and st.session_state.get("operator_id") is not None:
        forget(_(ENDED))
    if found is not None and st.session_state.get("operator_id") != found.operator.id:
        st.session_state["operator_id"] = found.operator.id
        if found.operator.language:
            st.session_state["language"] = found.operator.language
    return found


def why_ended() -> str | None:
    """Why somebody who was signed in has to sign in again."""
    if "signed_out" in st.session_state:
        return None
    ended = _(ENDED) if presented().startswith(ENDED_BEFORE) else None
    return st.session_state.get("ended_because") or ended


def forget(why: str | None = None) -> None:
    """Empties the session but for its language; `why` is shown above the sign-in."""
    kept = {"language": st.session_state.get("language"), "ended_because": why}
    st.session_state.clear()
    st.session_state.update({key: value for key, value in kept.items() if value})


def leave(found: SessionView | None) -> None:
    """Empties the session after a sign-out of somebody, or of nobody any more."""
    forget()
    st.session_state["signed_out"] = True
    st.session_state["signs_out_there"] = bool(
        found and found.operator.has_single_sign_on and settings().has_single_sign_on
    )


def _chosen_fanpage(actor: Actor) -> FanpageView | None:
    for chosen in (st.session_state.get("fanpage_id"), last_fanpages.get(actor.id or 0)):
        if chosen is not None and actor.may_see(chosen):
            try:
                return choose_fanpage(get_fanpage(chosen))
            except NotFound:
                continue
    fanpages = own_fanpages(actor)
    return choose_fanpage(fanpages[0]) if fanpages else None


def own_fanpages(actor: Actor) -> list[FanpageView]:
    """The fanpages that somebody may see: nothing in the panel lists another one."""
    return [fanpage for fanpage in list_fanpages() if actor.may_see(fanpage.id)]


def choose_fanpage(fanpage: FanpageView) -> FanpageView:
    """From now on pages are about this fanpage."""
    st.session_state["fanpage_id"] = fanpage.id
    if (operator_id := st.session_state.get("operator_id")) is not None:
        last_fanpages[operator_id] = fanpage.id
    return fanpage


def see_fanpage(fanpage_id: int) -> None:
    """Switches to the fanpage of the thing a page was asked for (a deep link may lead across). Stops the page
    with a clear note when that fanpage is not theirs."""
    if not current().actor.may_see(fanpage_id):
        st.warning(_(NOT_YOURS), icon=":material/lock:")
        st.stop()
    if st.session_state.get("fanpage_id") != fanpage_id:
        st.session_state["fanpage_id"] = fanpage_id
        st.rerun()


def require(permission: Permission, *, of_all: bool = False) -> None:
    """Stops the page with a clear note when the operator's role does not include it, or (`of_all`) when it is
    about all fanpages and theirs are only some of them."""
    actor = current().actor
    try:
        actor.require(permission)
    except NotAllowed as refused:
        st.warning(error_text(refused), icon=":material/lock:")
        st.stop()
    if of_all and not actor.has_all_fanpages:
        st.warning(_(ONLY_SOME), icon=":material/lock:")
        st.stop()


def stop_without_fanpages(actor: Actor) -> None:
    """Stops the page with a clear note for somebody who has been given no fanpage yet."""
    if actor.waits_for_fanpages:
        st.info(_(NO_FANPAGE_YET), icon=":material/hourglass_top:")
        st.stop()


def flash(text: str, icon: str = ":material/check_circle:") -> None:
    """A short note that outlives the next rerun."""
    st.session_state.setdefault("flashes", []).append((text, icon))


def draw_flashes() -> None:
    """Shows every note that waits, once."""
    for text, icon in st.session_state.pop("flashes", []):
        st.toast(text, icon=icon)


def do(action: Callable[[], T], *, done: str | None = None) -> T | None:
    """Runs an action. Refused: says so here and returns None. Done: flashes and returns its value
    (True when it has none). The caller decides about `st.rerun()`."""
    text, value = attempt(action)
    if "ended_because" in st.session_state:
        st.rerun(scope="app")  # to the sign-in, which says why
    if text is not None:
        st.error(text, icon=":material/error:")
        return None
    if done:
        flash(done)
    return value


def attempt(action: Callable[[], T]) -> tuple[str | None, T | None]:
    """(why not, None) or (None, the action's value): for callbacks, which cannot draw where they like.
    The log lines of the action have an id of its own.
    Who has been signed out comes to the sign-in next, and reads there why nothing was done."""
    logs.begin_request()
    try:
        value = action()
    except SignedOut as ended:
        text = error_text(ended)
        forget(text)
        return text, None
    except OperatorError as refused:
        return error_text(refused), None
    except Exception as unexpected:
        return unexpected_text(unexpected), None
    return None, True if value is None else value  # type: ignore[return-value]


def unexpected_text(error: Exception) -> str:
    """Logs what nobody foresaw and returns a calm sentence with the id of its line (`request_id`)."""
    request_id = logs.request_id()
    log.error("panel_failed", exc_info=error)
    if is_full(error):
        return _("The disk of the server is full, so nothing was saved. Tell your admin, then try again.")
    return _(
        "Something went wrong on our side and nothing was saved. Please try again; "
        "if it happens again, tell your admin this code: {id}",
        id=request_id,
    )
