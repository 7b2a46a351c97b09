"""Everybody the fanpage knows, found by name or PSID."""

import streamlit as st

from core.clock import utc_now
from core.consent.customer_queries import CustomerView, Only, count_customers, list_customers
from pages.components.address import draw_no_fanpage
from pages.components.filters import filter_pills, pager, search_box
from pages.components.layout import empty_state, page_header
from pages.components.session import current
from pages.components.tables import Column, Two, table
from pages.components.texts import _, ago, when

SIZE = 50


def draw_page() -> None:
    here = current()
    page_header(
        _("Customers"),
        _("People who wrote to the fanpage, and what each of them may still be told."),
        key="customers",
    )
    if here.fanpage is None:
        draw_no_fanpage("customers")
        return
    search, only = _filters()
    now = utc_now()
    total = count_customers(here.fanpage.id, now=now, search=search, only=only)
    if total:
        slot = st.container()
        offset = pager(total, key="customers", size=SIZE)
        rows = list_customers(here.fanpage.id, now=now, search=search, only=only, offset=offset, limit=SIZE)
        with slot:
            table(_columns(), rows, key="customers", on_click=lambda c: f"customer?id={c.id}")
    elif search or only:
        st.info(_("No customer matches. Try a part of the name, or another filter."))
    else:
        empty_state(
            "groups",
            _("No customer yet. They appear here when they first write to the fanpage."),
            button=_("See what starts a conversation"),
            page="messages",
            key="customers",
        )


def _filters() -> tuple[str, str | None]:
    with st.container(key="customers_filters", horizontal=True, vertical_alignment="center"):
        search = search_box("q", _("Name or PSID, with or without marks"))
        words = {
            Only.HOLDING.value: _("Can be notified"),
            Only.WINDOW.value: _("Within 24 hours"),
            Only.UNREACHABLE.value: _("Cannot be reached"),
        }
        return search, filter_pills("only", words)


def _columns() -> list[Column]:
    return [
        Column(_("Customer"), lambda c: Two(c.name or _("Name not known yet"), c.psid), "28%"),
        Column(_("May be told about"), _topics, "28%"),
        Column(_("Opt-ins"), lambda c: c.available),
        Column(_("Last activity"), lambda c: ago(c.last_event_at), "14%"),
        Column(_("Note"), _note, "16%"),
    ]


def _topics(customer: CustomerView) -> str:
    shown = ", ".join(customer.topics[:3])
    more = len(customer.topics) - 3
    return f"{shown} +{more}" if more > 0 else shown


def _note(customer: CustomerView) -> str:
    if customer.unreachable_at:
        return _("Cannot be reached") if customer.is_left_out else _("Perhaps cannot be reached")
    closes = customer.window_closes_at
    if closes and closes > utc_now():
        return _("24-hour window until {when}", when=when(closes))
    return ""


draw_page()
