"""What matters today: what needs you, what is on its way, whom you can notify; newcomers' first steps."""

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.dashboard_queries import first_steps
from core.broadcasts.failing_queries import list_failing
from core.broadcasts.list_queries import list_lines
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.consent.opt_in_count_queries import get_stock_of
from core.consent.queries import TopicView, list_counted_topics
from core.fanpages.queries import FanpageView
from pages.components import page_registry
from pages.components.failing import draw_failing_broadcasts
from pages.components.layout import page_header
from pages.components.session import Current, current
from pages.components.styles import draw_broadcast_styles, draw_calendar_styles
from pages.components.texts import _
from pages.components.unknown_outcomes import draw_unknown_alerts
from pages.overview.approvals import draw_approval_requests
from pages.overview.fanpage_health import draw_heard
from pages.overview.first_steps import draw_first_steps
from pages.overview.history import draw_entry_points, draw_history
from pages.overview.last_broadcast import draw_last
from pages.overview.running import draw_alerts, draw_under_way
from pages.overview.topics import draw_stock, draw_topics
from pages.overview.upcoming import draw_ahead


def draw_page() -> None:
    here = current()
    slot = page_header(_("Overview"), _("What matters today for this fanpage."), key="overview")
    draw_broadcast_styles()
    draw_calendar_styles()
    if here.fanpage is None:
        draw_first_steps(here, None)
        return
    steps = first_steps(here.fanpage.id)
    if steps.opt_in and here.actor.may(Permission.EDIT):
        with slot:
            if st.button(_("New broadcast"), key="broadcast_add", type="primary", icon=":material/campaign:"):
                page_registry.go("new_broadcast")
    topics = list_counted_topics(here.fanpage.id, now=utc_now()) if steps.topic else []
    if steps.topic:  # what needs somebody comes before everything else
        missed = list_lines(here.fanpage.id, states=(BroadcastState.MISSED,), limit=5)
        draw_failing_broadcasts(list_failing(here.fanpage.id, now=utc_now()))
        draw_heard(here, here.fanpage)
        draw_alerts(here, here.fanpage, topics, missed)
        draw_approval_requests(here, here.fanpage.id)
        draw_unknown_alerts(here.fanpage.id)
    if not steps.done:
        draw_first_steps(here, steps)
    if steps.topic:
        _today(here, here.fanpage, topics)


def _today(here: Current, fanpage: FanpageView, topics: list[TopicView]) -> None:
    stock = get_stock_of(fanpage.id)
    draw_stock(topics)
    draw_under_way(fanpage.id)
    draw_ahead(here, fanpage.id)
    draw_history(fanpage.id, here.zone, stock)
    draw_last(fanpage.id)
    draw_topics(here, topics)
    draw_entry_points(fanpage.id, here.zone)


draw_page()
