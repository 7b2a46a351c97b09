"""What one customer agreed to, said no to, was asked, and was sent."""

from __future__ import annotations

import streamlit as st

from core.consent.customer_queries import DeliveryToCustomer, RequestView
from core.consent.opt_in_queries import OptInView
from core.consent.rules import OptInState, WithdrawalSource
from core.consent.withdrawal_queries import WithdrawalView
from core.deliveries.attempts import attempts_of
from core.errors import N_
from pages.components.attempts import draw_attempts
from pages.components.layout import section
from pages.components.opt_in_words import ends, through
from pages.components.tables import Badge, Column, Two, table
from pages.components.texts import _
from pages.customers.detail.withdrawing import draw_refused


def draw_opt_ins(shown: list[OptInView]) -> None:
    """Draws every opt-in of the customer, and the way to give a refused one another chance."""
    section(_("What they agreed to"))
    if not shown:
        st.caption(_("Nothing yet."))
        return
    columns = [
        Column(
            _("Promise"), lambda o: Two(o.promise or _("Not recorded"), o.topic or _("Without topic")), "34%"
        ),
        Column(_("State"), lambda o: Badge("opt_in", o.state)),
        Column(_("Agreed"), lambda o: o.consented_at, "14%"),
        Column(_("Ends / ended"), ends, "14%"),
        Column(_("Came through"), through),
    ]
    table(columns, shown, key="customer_opt_ins")
    draw_refused([opt_in for opt_in in shown if opt_in.state == OptInState.REFUSED])


_SOURCES = {
    WithdrawalSource.KEYWORD: N_("The customer wrote a stop word"),
    WithdrawalSource.BUTTON: N_("The customer tapped a button"),
    WithdrawalSource.STAFF: N_("Your team, in the panel"),
    WithdrawalSource.COMMAND_LINE: N_("Command line"),
}


def draw_withdrawals(shown: list[WithdrawalView]) -> None:
    """Draws every no of the customer, and for which topics they have agreed anew since."""
    if not shown:
        return
    section(_("Opted out of"))
    columns = [
        Column(
            _("Topic"),
            lambda w: Two(w.topic or _("All topics of the fanpage"), _(_SOURCES[WithdrawalSource(w.source)])),
            "40%",
        ),
        Column(_("Opted out on"), lambda w: w.at, "25%"),
        Column(_("Agreed again since then"), lambda w: ", ".join(w.lifted_for) or "–"),
    ]
    table(columns, shown, key="customer_withdrawals")


def draw_requests(shown: list[RequestView]) -> None:
    """When the customer was asked, and whether they tapped."""
    if not shown:
        return
    section(_("What they were asked"))
    columns = [
        Column(_("Promise"), lambda r: Two(r.title, r.topic), "34%"),
        Column(_("Asked"), lambda r: r.created_at, "25%"),
        Column(_("Agreed"), lambda r: r.tapped_at),
    ]
    table(columns, shown, key="customer_requests")


def draw_deliveries(shown: list[DeliveryToCustomer]) -> None:
    """Draws every broadcast to the customer, with each attempt."""
    if not shown:
        return
    section(_("What they were sent"))
    columns = [
        Column(_("Broadcast"), lambda d: Two(d.broadcast, d.topic), "34%"),
        Column(_("State"), lambda d: Badge("delivery", d.state)),
        Column(_("When"), lambda d: d.settled_at),
        Column(_("Read"), lambda d: d.read_at),
    ]
    table(columns, shown, key="customer_deliveries", on_click=lambda d: f"broadcast?id={d.broadcast_id}")
    attempts = attempts_of([d.id for d in shown])
    for delivery in shown:
        draw_attempts(attempts.get(delivery.id, []), key=f"delivery_{delivery.id}", name=delivery.broadcast)
