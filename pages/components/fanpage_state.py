"""A fanpage's condition in words: its badge, and what is wrong with it."""

from __future__ import annotations

import streamlit as st

from core.fanpages.queries import FanpageView
from core.fanpages.rules import describe_problem
from core.messenger.errors import describe
from pages.components.texts import _, ago


def condition(fanpage: FanpageView) -> str:
    """The state word of its badge (kind "fanpage")."""
    if fanpage.stopped_code:
        return "stopped"
    if fanpage.problems or not fanpage.has_token:
        return "problem"
    return "demo" if fanpage.is_demo else "ok"


def show_troubles(fanpage: FanpageView) -> None:
    """Why nothing is sent, if it is so, and what the last check found; in plain words."""
    if fanpage.stopped_code:
        st.error(
            _("**Sending has stopped** ({when}).", when=ago(fanpage.stopped_at))
            + "  \n"
            + _(describe(fanpage.stopped_code)),
            icon=":material/block:",
        )
    for code in fanpage.problems:
        st.warning(_(describe_problem(code)), icon=":material/warning:")


def checked(fanpage: FanpageView) -> str:
    if fanpage.checked_at is None:
        return _("Not checked yet")
    return _("Checked {when}", when=ago(fanpage.checked_at))
