"""Why a customer counts as unreachable: what Messenger said, when, to which broadcast; the way back."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.customer_queries import CustomerView
from core.customers.actions import lift_mark
from core.customers.unreachable_mark_queries import MarkView, get_mark
from pages.components import page_registry
from pages.components.broadcast_words import reason_word
from pages.components.dialogs import confirm, open_dialog
from pages.components.markdown import escape_markdown
from pages.components.session import current
from pages.components.texts import _, n_, when


def draw_mark(customer: CustomerView) -> None:
    """The mark of this customer with its evidence and, for senders, the way to lift it."""
    mark = get_mark(customer.id)
    if mark is None:
        return
    with st.container(key="customer_mark"):
        st.warning(f"{_consequence(mark)}\n\n{_evidence(mark)}", icon=":material/person_off:")
        if mark.detail:
            with st.expander(_("What Messenger said")):
                st.code(mark.detail, language=None, wrap_lines=True)
        with st.container(key="customer_mark_ways", horizontal=True, vertical_alignment="center"):
            if mark.broadcast_id:
                page_registry.link(
                    "broadcast", _("See this broadcast"), icon=":material/campaign:", id=mark.broadcast_id
                )
            if current().actor.may(Permission.SEND):
                _draw_lift(customer)


def _consequence(mark: MarkView) -> str:
    if mark.firm_at:
        return _(
            "**Messenger could not reach this customer on {when}**, but has accepted other "
            "messages from the fanpage since. Broadcasts leave them out until they write, tap or "
            "read something, or until you remove the mark; their opt-ins are kept.",
            when=when(mark.at),
        )
    return _(
        "**Messenger could not reach this customer on {when}.** It has accepted no other message "
        "from the fanpage since, so the customer may not be the problem: broadcasts still include "
        "them.",
        when=when(mark.at),
    )


def _evidence(mark: MarkView) -> str:
    asked = _("a reply from the chatbot, or a broadcast that is no longer stored")
    if mark.broadcast_id:
        asked = _("the broadcast “{name}”", name=escape_markdown(mark.broadcast))
    return _(
        "Messenger answered: {answer}. When sending: {asked}.", answer=reason_word(mark.code), asked=asked
    )


def _draw_lift(customer: CustomerView) -> None:
    by = current().actor
    st.button(
        _("Remove the mark…"),
        key="customer_lift",
        icon=":material/person_add:",
        on_click=open_dialog,
        args=("customer_lift_dialog",),
    )
    kept = n_(
        "**Broadcasts can use {n} opt-in of {name} again.**",
        "**Broadcasts can use {n} opt-ins of {name} again.**",
        customer.available,
        name=escape_markdown(customer.name or customer.psid),
    )
    confirm(
        "customer_lift_dialog",
        _("Remove the mark?"),
        f"{kept} {refused_again()}",
        _("Remove the mark"),
        lambda: lift_mark(by, customer.id, now=utc_now()),
        done=_("Broadcasts include this customer again."),
    )


def refused_again() -> str:
    """What happens when a mark was lifted too early."""
    return _(
        "If Messenger still can't reach somebody, it refuses the next message to them: no opt-in "
        "is used, and they are marked again."
    )
