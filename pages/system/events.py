"""What Messenger has told us, and what became of it; replaying it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.inbox import actions, event_queries
from core.inbox.event_filters import EventFilter
from core.inbox.event_queries import COUNT_LIMIT, EventView
from core.inbox.rules import EventState
from core.messenger.event_kinds import EventKind
from core.text.identifiers import read_id
from pages.components.dialogs import open_dialog
from pages.components.filters import filter_choice, filter_pills, pager, search_box
from pages.components.layout import empty_state, page_header
from pages.components.session import current, own_fanpages
from pages.components.states import STATES
from pages.components.tables import Badge, Column, Two, table
from pages.components.texts import _, number
from pages.system.event_words import KINDS, channel_in_words, kind_in_words, note_in_words
from pages.system.replay_dialog import draw_replay_dialog

HOURS = {"1": 1, "24": 24, "168": 7 * 24}
SPAN, STANDBY = "span", "standby"


def draw_page() -> None:
    slot = page_header(
        _("Webhook events"),
        _("What Messenger reported, and what happened to it. Customers never see this page."),
        key="events",
    )
    asked = _filters()
    total = event_queries.count_events(asked)
    if current().actor.may(Permission.ADMIN):
        with slot:
            _replay_buttons(asked, total)
    if not total:
        empty_state("webhook", _("No events match. Try a longer time, or fewer filters."), key="events")
        return
    spot_for_list = st.container()
    offset = pager(total, key="events")
    with spot_for_list:
        if total >= COUNT_LIMIT:
            words = _(
                "Only the latest {n} are listed. Narrow the filters to find older ones.", n=number(total)
            )
            st.caption(words)
        rows = event_queries.list_events(asked, offset=offset)
        table(_columns(), rows, key="events", on_click=lambda event: f"event?id={event.id}")


def _filters() -> EventFilter:
    actor = current().actor
    fanpages = {fanpage.page_id: fanpage.name for fanpage in own_fanpages(actor)}
    with st.container(key="events_filters", horizontal=True, vertical_alignment="center"):
        psid = search_box("events_search", _("A customer's PSID"))
        kinds = {kind.value: _(words) for kind, words in KINDS.items()}
        kind = filter_choice(
            "kind", {**kinds, STANDBY: _("Received while another app is in control")}, _("All kinds")
        )
        page_id = filter_choice("page", fanpages, _("All fanpages")) if len(fanpages) > 1 else ""
        words = {"1": _("1 hour"), "24": _("24 hours"), "168": _("7 days"), SPAN: _("From … to …")}
        hours = filter_pills("hours", words)
    since, until = _span() if hours == SPAN else (_hours_ago(hours), None)
    states = {state: _(look[0]) for state, look in STATES["event"].items()}
    state = filter_pills("state", states)
    return EventFilter(
        state=EventState(state) if state else None,
        kind=EventKind(kind) if kind and kind != STANDBY else None,
        page_id=page_id or None,
        psid=(read_id(psid) or psid) if psid else None,
        since=since,
        until=until,
        only_standby=kind == STANDBY,
        fanpage_ids=actor.fanpage_ids,
    )


def _hours_ago(hours: str | None) -> datetime | None:
    return utc_now() - timedelta(hours=HOURS[hours]) if hours else None


def _span() -> tuple[datetime | None, datetime | None]:
    """A time of one's own, by the fanpage's clock."""
    zone = ZoneInfo(current().zone)
    ends: list[datetime | None] = []
    with st.container(key="events_span", horizontal=True):
        for end, label in (("since", _("Received from")), ("until", _("to"))):
            chosen = st.datetime_input(
                label, None, key=f"events_{end}", format=_("YYYY-MM-DD"), step=60, width=230
            )
            ends.append(chosen.replace(tzinfo=zone).astimezone(UTC) if chosen else None)
    return ends[0], ends[1]


def _replay_buttons(asked: EventFilter, total: int) -> None:
    failed = actions.count_replay(current().actor.fanpage_ids)
    if total:
        st.button(
            _("Replay this list…"),
            key="events_replay",
            icon=":material/replay:",
            on_click=open_dialog,
            args=("events_replay_dialog",),
        )
    if failed.total:
        st.button(
            _("Replay failed events…"),
            key="events_replay_failed",
            type="primary",
            icon=":material/replay:",
            on_click=open_dialog,
            args=("events_replay_failed_dialog",),
        )
    draw_replay_dialog("events_replay_failed_dialog", None)
    draw_replay_dialog("events_replay_dialog", asked)


def _columns() -> list[Column]:
    return [
        Column(_("Event"), lambda event: Two(kind_in_words(event.kind), channel_in_words(event.kind)), "30%"),
        Column(_("Customer"), _who, "24%"),
        Column(_("Fanpage"), lambda event: event.fanpage or event.page_id, "18%"),
        Column(_("Received at"), lambda event: event.received_at),
        Column(_("State"), lambda event: Badge("event", event.state)),
        Column(_("Why"), note_in_words, "28%"),
    ]


def _who(event: EventView) -> Two:
    return Two(event.customer or _("Name not known yet"), event.psid) if event.psid else Two("", "")


draw_page()
