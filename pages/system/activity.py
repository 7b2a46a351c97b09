"""Who did what and when; filters in the URL, export as CSV."""

from datetime import timedelta

import streamlit as st

from core.accounts import queries
from core.accounts.activity_export import activity_csv, activity_workbook
from core.accounts.queries import ActivityFilter, ActivityView
from core.clock import utc_now
from pages.components.export import export_menu
from pages.components.filters import filter_pills, pager, search_box
from pages.components.layout import empty_state, page_header
from pages.components.session import current
from pages.components.tables import Column, Two, table
from pages.components.texts import _, speaker, who
from pages.system.activity_words import NOUNS, deed, detail_line

DAYS = {"1": 1, "7": 7, "30": 30}


def draw_page() -> None:
    slot = page_header(
        _("Activity"), _("Who did what, and when. Nobody can change this log."), key="activity"
    )
    asked = _filters()
    total = queries.count_activity(asked)
    if not total:
        empty_state("history", _("Nothing matches. Try fewer filters."), key="activity")
        return
    with slot:
        _export(asked)
    spot_for_list = st.container()
    offset = pager(total, key="activity")
    with spot_for_list:
        table(_columns(), queries.list_activity(asked, offset=offset), key="activity")


def _export(asked: ActivityFilter) -> None:
    say, zone = speaker(), current().zone
    export_menu(
        "activity_export",
        "activity",
        asked.fanpage_ids,
        csv=lambda: activity_csv(asked),
        workbook=lambda: activity_workbook(asked, zone=zone, say=say),
        help=_("Exports the list below, with details."),
    )


def _filters() -> ActivityFilter:
    fanpage_ids = current().actor.fanpage_ids
    with st.container(key="activity_filters", horizontal=True, vertical_alignment="center"):
        search = search_box("activity_search", _("Search by name"))
        actors = queries.list_actors(fanpage_ids)
        actor = st.selectbox(
            _("Who"),
            actors,
            index=None,
            key="activity_actor",
            format_func=who,
            placeholder=_("Everybody"),
            label_visibility="collapsed",
            width=220,
        )
        days = filter_pills("days", {"1": _("24 hours"), "7": _("7 days"), "30": _("30 days")})
    noun = filter_pills("about", {noun: _(word) for noun, word in NOUNS.items()})
    since = utc_now() - timedelta(days=DAYS[days]) if days else None
    return ActivityFilter(actor=actor, noun=noun, search=search, since=since, fanpage_ids=fanpage_ids)


def _columns() -> list[Column]:
    return [
        Column(_("When"), lambda row: row.at),
        Column(_("Who"), lambda row: Two(who(row.actor), row.address), "20%"),
        Column(_("What"), _what, "70%"),
    ]


def _what(row: ActivityView) -> object:
    sentence, detail = deed(row.verb, row.subject), detail_line(row.detail)
    return Two(sentence, detail) if detail else sentence


draw_page()
