"""OTN topics: what customers agree to hear about once. The list, or one topic with ?id=3."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.queries import TopicView, list_counted_topics
from core.text.collation import sort_key
from pages.components.address import asked_id, draw_no_fanpage
from pages.components.counted_at import draw_counted
from pages.components.dialogs import open_dialog
from pages.components.filters import filter_pills, pager
from pages.components.layout import empty_state, page_header
from pages.components.session import Current, current
from pages.components.table_order import order_asked
from pages.components.tables import Column, Two, table
from pages.components.texts import _
from pages.topics import detail, dialogs
from pages.topics.guide import draw_guide

SIZE = 50
_ORDERS: dict[str, Callable[[TopicView], Any]] = {
    "name": lambda topic: sort_key(topic.name),
    "people": lambda topic: topic.people,
    "reserved": lambda topic: topic.reserved,
    "used": lambda topic: topic.spent,
    "ending": lambda topic: topic.expiring_30_days,
}


def draw_page() -> None:
    here = current()
    topic_id = asked_id()
    if topic_id is not None:
        detail.draw_topic(topic_id, here)
    elif here.fanpage is None:
        _header(here)
        draw_no_fanpage("topics")
    else:
        _list(here, here.fanpage.id)


def _header(here: Current) -> None:
    slot = page_header(
        _("OTN topics"),
        _("What customers agree to hear about. Each opt-in allows one notification, within a year."),
        key="topics",
    )
    if here.fanpage is not None and here.actor.may(Permission.EDIT):
        slot.button(
            _("New topic"),
            key="topic_add",
            type="primary",
            icon=":material/add:",
            on_click=open_dialog,
            args=("topic_new",),
        )


def _list(here: Current, fanpage_id: int) -> None:
    _header(here)
    dialogs.draw_new_dialog(fanpage_id)
    now = utc_now()
    in_use, archived = (
        list_counted_topics(fanpage_id, now=now, archived=is_archived) for is_archived in (False, True)
    )
    if not in_use and not archived:
        _first_topic(here)
        return
    shown = in_use
    if archived and filter_pills("shown", {"archived": _("Archived")}):
        shown = archived
    if shown:
        _table(shown)
        draw_counted(shown[0].counted_at)
    else:
        st.caption(_("Every topic is archived. Choose “Archived” above to see them."))
    with st.expander(_("How a topic works"), icon=":material/school:", expanded=_is_new(in_use)):
        draw_guide()


def _first_topic(here: Current) -> None:
    may_add = here.actor.may(Permission.EDIT)
    pressed = empty_state(
        "label",
        _("No topics yet. Name the first thing your customers would like to hear about."),
        button=_("Create the first topic") if may_add else None,
        key="topics",
    )
    if pressed:
        open_dialog("topic_new")
        st.rerun()
    draw_guide()


def _is_new(topics: list[TopicView]) -> bool:
    return not any(topic.total for topic in topics)


def _table(topics: list[TopicView]) -> None:
    slot = st.container()
    offset = pager(len(topics), key="topics", size=SIZE)
    columns = [
        Column(_("Topic"), lambda t: Two(t.name, t.description), "55%", key="name", sorts=True),
        Column(_("Can be notified"), lambda t: t.people, key="people", sorts=True),
        Column(_("On hold for broadcasts"), lambda t: t.reserved, key="reserved", sorts=True),
        Column(_("Used"), lambda t: t.spent, key="used", sorts=True),
        Column(_("End within 30 days"), lambda t: t.expiring_30_days, key="ending", sorts=True),
        Column(_("What's next"), _next, is_narrow=True),
    ]
    order = order_asked(_ORDERS, "name", pager_key="topics")
    by_order = sorted(topics, key=_ORDERS[order.by], reverse=order.falling)
    with slot:
        table(
            columns,
            by_order[offset : offset + SIZE],
            key="topics",
            on_click=lambda t: f"topics?id={t.id}",
            order=order,
        )


def _next(topic: TopicView) -> str:
    if topic.archived_at:
        return _("Restore it to use it again")
    if topic.people:
        return _("Send a broadcast")
    if topic.reserved:
        return _("A broadcast is being sent")
    return _("Ask these customers again") if topic.spent else _("Let customers agree to it")


draw_page()
