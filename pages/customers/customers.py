"""Everybody the fanpage knows, found by name or PSID."""

from typing import Any

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.customer_queries import ORDERS, CustomerView, Only, count_customers, list_customers
from core.customers.tag_actions import delete_tag
from core.customers.tags import TagView, list_tags
from pages.components.address import draw_no_fanpage
from pages.components.column_chooser import choose
from pages.components.dialogs import confirm, open_dialog
from pages.components.filters import filter_choice, filter_pills, pager, search_box
from pages.components.layout import empty_state, page_header
from pages.components.markdown import escape_markdown
from pages.components.session import current
from pages.components.table_order import order_asked
from pages.components.tables import Ago, Column, Two, table
from pages.components.texts import _, n_, when

SIZE = 50


def draw_page() -> None:
    here = current()
    page_header(
        _("Customers"),
        _("People who wrote to the fanpage, and what you can still notify each of them about."),
        key="customers",
    )
    if here.fanpage is None:
        draw_no_fanpage("customers")
        return
    fanpage_id, now = here.fanpage.id, utc_now()
    chosen, columns = _filters(list_tags(fanpage_id))
    _delete_tag(fanpage_id, chosen["tag_id"])
    total = count_customers(fanpage_id, now=now, **chosen)
    if total:
        slot = st.container()
        offset = pager(total, key="customers", size=SIZE)
        order = order_asked(ORDERS, "-new", pager_key="customers")
        rows = list_customers(
            fanpage_id, now=now, **chosen, offset=offset, limit=SIZE, order=order.word, total=total
        )
        with slot:
            table(columns, rows, key="customers", on_click=lambda c: f"customer?id={c.id}", order=order)
    elif any(chosen.values()):
        st.info(_("No customers match. Try part of the name, or another filter."))
    else:
        empty_state(
            "groups",
            _("No customers yet. They appear here when they first write to the fanpage."),
            button=_("See the entry points"),
            page="messages",
            key="customers",
        )


def _filters(tags: list[TagView]) -> tuple[dict[str, Any], list[Column]]:
    with st.container(key="customers_filters", horizontal=True, vertical_alignment="center"):
        search = search_box("q", _("Name or PSID, with or without accents"))
        tag = filter_choice("tag", {str(tag.id): tag.name for tag in tags}, _("All tags")) if tags else None
        columns = choose("customers", _columns())
        words = {
            Only.HOLDING.value: _("Can be notified"),
            Only.WINDOW.value: _("Within 24 hours"),
            Only.UNREACHABLE.value: _("Can't be reached"),
        }
        only = filter_pills("only", words)
    return {"search": search, "only": only, "tag_id": int(tag) if tag else None}, columns


def _delete_tag(fanpage_id: int, tag_id: int | None) -> None:
    """For the tag that the list is narrowed to."""
    tag = next((tag for tag in list_tags(fanpage_id) if tag.id == tag_id), None)
    by = current().actor
    if tag is None or not by.may(Permission.EDIT):
        return
    key = "tag_delete_dialog"
    st.button(
        _("Delete this tag…"),
        key="tag_delete",
        type="tertiary",
        icon=":material/label_off:",
        on_click=open_dialog,
        args=(key,),
    )
    confirm(
        key,
        _("Delete the tag “{tag}”?", tag=escape_markdown(tag.name)),
        n_("{n} customer loses the tag.", "{n} customers lose the tag.", tag.customers),
        _("Delete"),
        lambda: delete_tag(by, tag.id, now=utc_now()),
        done=_("The tag is deleted."),
    )


def _columns() -> list[Column]:
    return [
        Column(_("Customer"), _who, "36%", key="name", sorts=True),
        Column(_("Can be notified about"), _topics, "28%", key="topics"),
        Column(_("Opt-ins"), lambda c: c.available, key="opt_ins"),
        Column(_("Tags"), lambda c: ", ".join(c.tags), "18%", key="tags"),
        Column(_("Last activity"), lambda c: Ago(c.last_event_at), key="last"),
        Column(_("Known since"), lambda c: c.created_at, key="new", sorts=True, is_extra=True),
        Column(_("Note"), _note, "18%", key="note"),
    ]


def _who(customer: CustomerView) -> Two:
    return Two(customer.name or _("Name not known yet"), customer.psid)


def _topics(customer: CustomerView) -> str:
    shown = ", ".join(customer.topics[:3])
    more = len(customer.topics) - 3
    return f"{shown} +{more}" if more > 0 else shown


def _note(customer: CustomerView) -> str:
    if customer.unreachable_at:
        return _("Can't be reached") if customer.is_left_out else _("Might be unreachable")
    closes = customer.window_closes_at
    if closes and closes > utc_now():
        return _("24-hour window until {when}", when=when(closes))
    return ""


draw_page()
