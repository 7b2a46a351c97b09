"""The set-up assistant: every step with its light; the next one is open."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.clock import utc_now
from core.errors import N_
from core.fanpages import health_actions, installation_checks
from core.fanpages.queries import FanpageView
from core.fanpages.set_up_queries import read_set_up
from core.fanpages.set_up_rules import Light, StepStatus, light_of
from core.inbox.queries import last_webhook_at
from pages.components.layout import section
from pages.components.session import do
from pages.components.texts import _, n_
from pages.system.set_up_findings import draw_findings
from pages.system.set_up_guides import TITLES, draw_guide

LOOKS: dict[Light, tuple[str, str, str]] = {  # word, icon, colour
    Light.GREEN: (N_("OK"), "check_circle", "green"),
    Light.AMBER: (N_("Needs a look"), "warning", "orange"),
    Light.RED: (N_("Blocks sending"), "block", "red"),
    Light.GRAY: (N_("To do or not checked yet"), "radio_button_unchecked", "gray"),
}
ACCEPTED = (N_("Accepted"), "check", "orange")
_WAITING = 4  # seconds between two looks for the first event


def draw_assistant(fanpage: FanpageView | None) -> None:
    """Draws all steps of a fanpage's set-up; without one, of the first fanpage that is to be connected."""
    heard_at = last_webhook_at(fanpage.page_id) if fanpage else None
    statuses = read_set_up(fanpage, heard_at=heard_at, now=utc_now())
    with st.container(key="assistant_head", horizontal=True, vertical_alignment="center"):
        with st.container(key="assistant_words", gap=None):
            section(_("Set-up, step by step"))
            st.caption(_summary(statuses))
        if st.button(_("Check now"), key="assistant_check", icon=":material/stethoscope:"):
            _check(fanpage)
    following = next((each.step for each in statuses if not each.is_settled), None)
    for number, status in enumerate(statuses, 1):
        _step(status, number, fanpage, is_next=status.step == following)
    if fanpage is not None and heard_at is None:
        st.fragment(_wait_for_event, run_every=_WAITING)(fanpage.page_id, heard_at)


def _summary(statuses: list[StepStatus]) -> str:
    left = sum(not each.is_settled for each in statuses)
    if not left:
        return _("Everything is OK or accepted: broadcasts can go out.")
    if light_of(statuses) == Light.RED:
        return _("Something blocks sending; fix what is red first.")
    return n_("{n} step is still open.", "{n} steps are still open.", left)


def _step(status: StepStatus, number: int, fanpage: FanpageView | None, *, is_next: bool) -> None:
    look = ACCEPTED if status.is_settled and status.light == Light.AMBER else LOOKS[status.light]
    word, icon, colour = look
    title = f":{colour}[:material/{icon}:] **{number}. {_(TITLES[status.step])}** :{colour}[{_(word)}]"
    with st.expander(title, expanded=is_next, key=f"set_up_step_{status.step.value}"):
        draw_guide(status.step, fanpage)
        draw_findings(status, fanpage)


def _check(fanpage: FanpageView | None) -> None:
    with st.spinner(_("Checking with Facebook…")):
        found = do(lambda: _check_all(fanpage, utc_now()), done=_("Checked."))
    if found is not None:
        st.rerun()


def _check_all(fanpage: FanpageView | None, now: datetime) -> bool:
    if fanpage is not None:
        health_actions.check_health(fanpage.id, now=now)
    if fanpage is None or not fanpage.is_demo:
        installation_checks.check_installation(now=now)
    return True


def _wait_for_event(page_id: str, seen: datetime | None) -> None:
    """Draws the page anew as soon as something has come in."""
    if last_webhook_at(page_id) != seen:
        st.rerun(scope="app")
