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


def show_stop(fanpage: FanpageView) -> None:
    """Why Messenger lets nothing of this fanpage through, if it is so."""
    if fanpage.stopped_code:
        stopped = _("**Sending has stopped** ({when}).", when=ago(fanpage.stopped_at))
        st.error(f"{stopped}  \n{_(describe(fanpage.stopped_code))}", icon=":material/block:")


def show_problems(fanpage: FanpageView) -> None:
    """What the last check found, in plain words."""
    for code in fanpage.problems:
        st.warning(_(describe_problem(code)), icon=":material/warning:")


def checked(fanpage: FanpageView) -> str:
    if fanpage.checked_at is None:
        return _("Not checked yet")
    return _("Checked {when}", when=ago(fanpage.checked_at))
