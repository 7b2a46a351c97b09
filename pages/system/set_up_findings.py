"""What is wrong with a step of the set-up, with its remedy; and who confirmed or accepted what."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.fanpages import set_up_actions
from core.fanpages.queries import FanpageView
from core.fanpages.set_up_findings import describe, may_accept
from core.fanpages.set_up_rules import CONFIRMED_BY_HAND, OF_INSTALLATION, Confirmation, Light, StepStatus
from pages.components.session import current, do
from pages.components.texts import _, ago, when, who


def draw_findings(status: StepStatus, fanpage: FanpageView | None) -> None:
    """Draws each thing that is wrong; below it, what a person may say about it."""
    fanpage_id = None if fanpage is None or status.step in OF_INSTALLATION else fanpage.id
    for code in status.codes:
        if confirmation := status.confirmations.get(code):
            _accepted(code, confirmation, fanpage_id)
        else:
            _open(code, status, fanpage_id)
    if status.at is not None:
        st.caption(_("Seen {when}", when=ago(status.at)))


def _open(code: str, status: StepStatus, fanpage_id: int | None) -> None:
    words = _(describe(code))
    if status.light == Light.RED and not may_accept(code):
        st.error(f"{words}  \n{_('Nothing can be launched until this is fixed.')}", icon=":material/block:")
        return
    st.warning(words, icon=":material/warning:")
    label = _("I've done this") if code in CONFIRMED_BY_HAND else _("Accept as is")
    if st.button(label, key=f"accept_{code}", icon=":material/check:"):
        by = current().actor
        said = do(lambda: set_up_actions.accept(by, code, fanpage_id=fanpage_id, now=utc_now()))
        if said is not None:
            st.rerun()


def _accepted(code: str, confirmation: Confirmation, fanpage_id: int | None) -> None:
    by_hand = code in CONFIRMED_BY_HAND
    words = _("Confirmed by {who}, {when}") if by_hand else _("Accepted by {who}, {when}")
    said = words.format(who=who(confirmation.by), when=when(confirmation.at))
    st.info(f"{said}" if by_hand else f"{said}  \n{_(describe(code))}", icon=":material/check:")
    if st.button(_("Take back"), key=f"take_back_{code}", type="tertiary"):
        by = current().actor
        done = do(lambda: set_up_actions.take_back(by, code, fanpage_id=fanpage_id, now=utc_now()))
        if done is not None:
            st.rerun()
