"""What staff may do for one customer: stop notifications, give refused opt-ins another chance."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent import actions
from core.consent.customer_queries import CustomerView
from core.consent.opt_in_queries import OptInView
from core.consent.withdrawal_actions import withdraw_customer
from core.conversation.queries import topic_names
from pages.components.chosen import keep_chosen
from pages.components.dialogs import confirm_buttons, dialog
from pages.components.markdown import escape_markdown
from pages.components.session import current, do
from pages.components.texts import _, n_, when

KEY = "customer_withdraw"
_MAY_BE_WITHDRAWN = ("available", "reserved", "refused")
_ALL = 0  # topics


def draw_withdraw_dialog(customer: CustomerView, opt_ins: list[OptInView]) -> None:
    """Staff pass on a customer's no, to one topic or to all; they cannot take it back."""
    title = _("Stop notifications for {name}?", name=escape_markdown(customer.name or customer.psid))
    dialog(KEY, title, lambda: _withdraw(customer, opt_ins))


def _withdraw(customer: CustomerView, opt_ins: list[OptInView]) -> None:
    topics: dict[int, str] = {_ALL: _("All topics of the fanpage"), **topic_names(customer.fanpage_id)}
    topic_id = st.selectbox(
        _("Stop notifications about"),
        list(topics),
        format_func=lambda topic_id: topics.get(topic_id, ""),
        key=keep_chosen(f"{KEY}_topic", topics),
        placeholder=_("Choose a topic"),
    )
    if topic_id is None:
        return
    count = len(
        [
            opt_in
            for opt_in in opt_ins
            if opt_in.state in _MAY_BE_WITHDRAWN and topic_id in (_ALL, opt_in.topic_id)
        ]
    )
    ending = n_("{n} opt-in will never be used.", "{n} opt-ins will never be used.", count)
    st.markdown(
        (ending if count else _("There are no open opt-ins right now."))
        + " "
        + _(
            "The opt-out is remembered: no file or late webhook can bring an older opt-in back, "
            "and your team can't undo it. Only the customer can, by tapping “Notify Me” again."
        )
    )
    by = current().actor
    action = lambda: withdraw_customer(by, customer.id, topic_id=topic_id or None, now=utc_now())  # noqa: E731
    done = _("This customer will no longer be notified.")
    confirm_buttons(KEY, _("Stop notifications"), action, done=done)


def draw_refused(opt_ins: list[OptInView]) -> None:
    """Messenger refused these tokens on a first try; our message may have been the reason."""
    if not opt_ins:
        return
    st.caption(
        _(
            "Messenger refused an opt-in on the first attempt. If the message was the reason, make "
            "the opt-in available again: the next broadcast on its topic will use it."
        )
    )
    by = current().actor
    for opt_in in opt_ins:
        with st.container(key=f"opt_in_{opt_in.id}_refused", horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"{opt_in.topic or _('Without topic')} · {when(opt_in.consented_at)}", width="content"
            )
            pressed = st.button(
                _("Make available again"),
                key=f"opt_in_{opt_in.id}_make_available",
                icon=":material/restart_alt:",
                disabled=not by.may(Permission.SEND),
            )
        if pressed:
            _again(opt_in.id)


def _again(opt_in_id: int) -> None:
    by = current().actor
    done = _("The opt-in can be used again.")
    if do(lambda: actions.make_available_again(by, opt_in_id, now=utc_now()), done=done):
        st.rerun()
