"""What staff may do for one customer: stop notifications, give refused opt-ins another chance."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent import actions
from core.consent.customer_queries import CustomerView
from core.consent.opt_in_queries import OptInView
from pages.components.layout import confirm
from pages.components.session import current, do
from pages.components.texts import _, n_, when

MAY_BE_WITHDRAWN = ("available", "reserved", "refused")


def withdraw(customer: CustomerView, count: int) -> None:
    by = current().actor
    confirm(
        "customer_withdraw",
        _("Stop notifications for {name}?", name=customer.name or customer.psid),
        n_(
            "{n} opt-in will never be used. This cannot be undone: to be notified again, the customer has "
            "to agree anew.",
            "{n} opt-ins will never be used. This cannot be undone: to be notified again, the customer has "
            "to agree anew.",
            count,
        ),
        _("Stop notifications"),
        lambda: actions.withdraw_customer(by, customer.id, now=utc_now()),
        done=_("This customer is not notified any more."),
    )


def refused(opt_ins: list[OptInView]) -> None:
    """Messenger refused these tokens on a first try; our message may have been the reason."""
    if not opt_ins:
        return
    st.caption(
        _(
            "Messenger refused an opt-in at the first try. If the message was the reason, make it available "
            "again: the next broadcast on its topic will try it."
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
    done = _("The opt-in may be used again.")
    if do(lambda: actions.make_available_again(by, opt_in_id, now=utc_now()), done=done):
        st.rerun()
