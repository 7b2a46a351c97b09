"""The red band of a broadcast that fares badly: how badly, mainly why, and what to do."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.failing_queries import FailingBroadcast
from core.broadcasts.rules import BroadcastState, alike_reason
from core.deliveries.failure_rules import Failing
from core.errors import N_
from pages.components import page_registry
from pages.components.broadcast_words import reason_word
from pages.components.markdown import escape_markdown
from pages.components.texts import _, number, percent

_ABOUT_PEOPLE = N_(
    "So many at once are rarely the customers' fault: check that these opt-ins were given to this "
    "fanpage, and check the fanpage under Set-up."
)
_MESSAGE = N_(
    "The message itself is being refused. Cancel the broadcast, duplicate it, correct its text, "
    "link or image, and launch the copy."
)
_FANPAGE = N_(
    "The problem is the fanpage or the app: once an admin fixes it under Set-up, sending continues."
)
_LINE = N_(
    "Messenger or the connection to it is having problems. Nobody gets it twice: pause, and resume "
    "when Messenger answers again."
)
_ANY = N_("Read Messenger's own answers under “Details” before you continue.")
WHAT_TO_DO: dict[str, str] = {
    **dict.fromkeys(
        ("blocked", "gone", "unavailable", "window_closed", "opted_out", "set_aside"), _ABOUT_PEOPLE
    ),
    "content": _MESSAGE,
    "token_refused": N_(
        "Check the message first, then where these opt-ins came from: Messenger only accepts them "
        "for the fanpage and app that they were given to."
    ),
    **dict.fromkeys(("token_invalid", "restricted", "permission", "call_refused"), _FANPAGE),
    **dict.fromkeys(
        ("timeout", "connection_lost", "server_error", "not_answered", "bad_answer", "temporary"), _LINE
    ),
    "not_connected": _LINE,
    "cannot_open": N_(
        "These opt-ins were encrypted with a different key: restore the previous OTN_SECRET_KEY."
    ),
    "other_app": N_(
        "Another app controls these conversations: check the fanpage's inbox and its connected apps."
    ),
    "rate_limit": N_(
        "Messenger says you are sending too fast: lower the fanpage's sending rate under Set-up."
    ),
}
SHOWN = 3


def failing_words(failing: Failing, state: str) -> str:
    """How badly and mainly why, then what to do."""
    todo = _(WHAT_TO_DO.get(failing.reason, _ANY))
    if state == BroadcastState.SENDING:
        pause_it = _("It is still sending: pause it until you know more.")
        todo = f"{todo} {pause_it}"
    return f"{failing_head(failing)}  \n{todo}"


def failing_head(failing: Failing) -> str:
    """How badly and mainly why."""
    known = {
        "failed": number(failing.failed),
        "attempts": number(failing.attempts),
        "share": percent(failing.share),
        "reason": reason_word(failing.reason) or _("Another reason"),
    }
    if failing.is_recent:
        return _(
            "**{failed} of the last {attempts} attempts failed ({share}).** Main reason: {reason}.", **known
        )
    return _("**{failed} of {attempts} attempts failed ({share}).** Main reason: {reason}.", **known)


def draw_failing(failing: Failing | None, state: str, pause_code: str | None) -> None:
    """The band above the bar; nothing while all is well, or where the note of the breaker's pause says it."""
    if failing and not (state == BroadcastState.PAUSED and alike_reason(pause_code)):
        st.error(failing_words(failing, state), icon=":material/error:")


def draw_failing_broadcasts(found: list[FailingBroadcast]) -> None:
    """Draws, on the overview, each broadcast that fares badly and the way to it."""
    for each in found[:SHOWN]:
        with st.container(key=f"failing_{each.id}", border=False):
            name = f"**{escape_markdown(each.name)}**"
            if alike_reason(each.pause_code):
                itself = _("paused automatically")
                name = f"{name} – {itself}"
            words = f"{name}  \n{failing_words(each.failing, each.state)}"
            st.error(words, icon=":material/error:")
            page_registry.link(
                "broadcast", _("See what happened"), icon=":material/arrow_forward:", id=each.id
            )
