"""A fanpage's condition in words: its badge, and what is wrong with it."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Actor, Permission
from core.clock import utc_now
from core.fanpages.actions import see_policy
from core.fanpages.queries import FanpageView, find_other_app
from core.fanpages.rules import OTHER_APP, describe_policy, describe_problem
from core.messenger.reasons import describe
from pages.components.markdown import escape_markdown
from pages.components.session import do
from pages.components.texts import _, ago, number


def draw_stop(fanpage: FanpageView) -> None:
    """Why Messenger lets nothing of this fanpage through, if it is so."""
    if fanpage.stopped_code:
        stopped = _("**Sending has stopped** ({when}).", when=ago(fanpage.stopped_at))
        st.error(f"{stopped}  \n{_(describe(fanpage.stopped_code))}", icon=":material/block:")


def draw_policy(fanpage: FanpageView, actor: Actor) -> None:
    """What Meta last said about the fanpage itself, until staff say that they have read it."""
    policy = fanpage.policy
    if policy is None or policy.is_seen:
        return
    reason = f"  \n{escape_markdown(policy.reason)}" if policy.reason else ""
    words = f"{_(describe_policy(policy.action))} ({ago(policy.at)}){reason}"
    with st.container(key=f"policy_{fanpage.id}", horizontal=True, vertical_alignment="center"):
        if policy.action == "unblock":
            st.info(words, icon=":material/lock_open:", width="stretch")
        else:
            st.warning(words, icon=":material/policy:", width="stretch")
        may = actor.may(Permission.SEND)
        is_read = may and st.button(_("I have read it"), key=f"policy_see_{fanpage.id}")
        if not is_read:
            return
        if do(lambda: see_policy(actor, fanpage.id, now=utc_now())):
            st.rerun()


def draw_other_app(fanpage: FanpageView) -> None:
    """Says that another app holds conversations, so that the bot keeps silent in them."""
    other = find_other_app(fanpage.id, now=utc_now())
    if other is not None:
        words = _(OTHER_APP, customers=number(other.customers))
        st.warning(f"{words} ({ago(other.last_at)})", icon=":material/switch_account:")


def draw_problems(fanpage: FanpageView) -> None:
    """What the last check found, in plain words."""
    for code in fanpage.problems:
        st.warning(_(describe_problem(code)), icon=":material/warning:")


def checked(fanpage: FanpageView) -> str:
    """When the fanpage was last checked."""
    if fanpage.checked_at is None:
        return _("Not checked yet")
    return _("Checked {when}", when=ago(fanpage.checked_at))
