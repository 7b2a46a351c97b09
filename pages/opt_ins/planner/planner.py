"""Which opt-ins end when, what scheduled broadcasts will take of them, and who holds several."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import streamlit as st
from babel.dates import format_date

from core.accounts.rules import Permission
from core.broadcasts.calendar_queries import CalendarEntry, list_scheduled
from core.broadcasts.planning_rules import takes
from core.clock import today_in, utc_now
from core.consent.opt_in_count_queries import Stock, get_stock_of, list_holders
from core.consent.queries import TopicName, list_topic_names
from pages.components import page_registry
from pages.components.address import draw_no_fanpage
from pages.components.charts import BLUE, GREEN, ORANGE, RED, VIOLET, Point, draw_columns
from pages.components.layout import Card, cards, empty_state, page_header, section
from pages.components.markdown import escape_markdown
from pages.components.session import Current, current
from pages.components.tables import Column, Link, Two, table
from pages.components.texts import _, ago, language, n_, number, percent, when

USE_OR_LOSE = (7, 30, 60)
_COLOURS = (BLUE, GREEN, ORANGE, VIOLET, RED)
MONTHS = 13
HOLDERS = 25


def draw_page() -> None:
    here = current()
    purpose = _("Use them or lose them: each opt-in is valid for one notification within a year.")
    page_header(_("Opt-in planner"), purpose, key="planner")
    if here.fanpage is None:
        draw_no_fanpage("planner")
        return
    stock = get_stock_of(here.fanpage.id)
    if stock is None:
        st.info(_("Still counting: the worker does this within seconds, as soon as it runs."))
        return
    topics = [topic for topic in list_topic_names(here.fanpage.id) if stock.of(topic.id).opt_ins]
    if not topics:
        _nothing(here)
        return
    today = today_in(here.zone)
    _stock(stock, topics, today)
    _months(stock, topics)
    _scheduled(here.fanpage.id, stock)
    _several(stock, topics)
    st.caption(_("As of {when}.", when=when(stock.counted_at)))


def _nothing(here: Current) -> None:
    may_write = here.actor.may(Permission.EDIT)
    empty_state(
        "event_upcoming",
        _("No opt-ins available. Ask for one in a message (OTNR), or import those another tool collected."),
        button=_("Write a message") if may_write else None,
        page="messages",
        key="planner",
    )


def _stock(stock: Stock, topics: list[TopicName], today: date) -> None:
    """Use or lose: in total, and by topic with the next thing to do."""
    ids = [topic.id for topic in topics]
    held = Card(_("Available now"), number(sum(stock.of(topic_id).opt_ins for topic_id in ids)))
    cards([held, *(_ending(stock.ending_within(days, today, ids), days) for days in USE_OR_LOSE)])
    section(_("Which topic should be used first?"))
    columns = [
        Column(_("Topic"), lambda topic: topic.name, "30%"),
        Column(_("People"), lambda topic: stock.of(topic.id).people),
        *(Column(_within(days), _ending_cell(stock, days, today)) for days in USE_OR_LOSE),
    ]
    if current().actor.may(Permission.EDIT):
        columns.append(
            Column(_("What's next"), lambda topic: Link(_("Notify them"), f"new_broadcast?topic={topic.id}"))
        )
    soonest = sorted(
        topics, key=lambda topic: [-stock.of(topic.id).ending_within(days, today) for days in USE_OR_LOSE]
    )
    table(columns, soonest, key="planner_topics", on_click=lambda topic: f"topics?id={topic.id}")
    page_registry.link("opt_ins", _("See those that end soon"), icon=":material/list:", state="soon")


def _ending(opt_ins: int, days: int) -> Card:
    return Card(_within(days), number(opt_ins), _("Use them by then, or you lose the right to notify."))


def _within(days: int) -> str:
    return n_("End within {n} day", "End within {n} days", days)


def _ending_cell(stock: Stock, days: int, today: date) -> Callable[[TopicName], int]:
    return lambda topic: stock.of(topic.id).ending_within(days, today)


def _months(stock: Stock, topics: list[TopicName]) -> None:
    """A column for each topic in each month; the smaller topics together."""
    by_size = sorted(topics, key=lambda topic: -stock.of(topic.id).opt_ins)
    apart = by_size if len(by_size) <= len(_COLOURS) else by_size[: len(_COLOURS) - 1]
    rest = by_size[len(apart) :]
    series = [(topic.name, stock.of(topic.id).by_month()) for topic in apart]
    if rest:
        together: dict[str, int] = {}
        for topic in rest:
            for month, opt_ins in stock.of(topic.id).by_month().items():
                together[month] = together.get(month, 0) + opt_ins
        series.append((n_("{n} other topic", "{n} other topics", len(rest)), together))
    months = _all_months({month for _name, values in series for month in values})
    points = [Point(_month(month), name, values.get(month, 0)) for month in months for name, values in series]
    colours = {name: colour for (name, _values), colour in zip(series, _COLOURS, strict=False)}
    draw_columns(
        _("How many opt-ins end in each month?"), points, colours=colours, key="ends", time=_("Month")
    )


def _all_months(known: set[str]) -> list[str]:
    """Every month from the first to the last, also those in which nothing ends."""
    first, last = min(known), max(known)
    year, month = int(first[:4]), int(first[5:])
    found: list[str] = []
    while (named := f"{year}-{month:02d}") <= last and len(found) < MONTHS:
        found.append(named)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def _month(named: str) -> str:
    return str(format_date(date.fromisoformat(f"{named}-01"), _("MMM yyyy"), locale=language()))


def _scheduled(fanpage_id: int, stock: Stock) -> None:
    """In the order of the starts: each takes one opt-in of everybody whom those before have left one."""
    section(_("How many opt-ins will the scheduled broadcasts use?"))
    entries = list_scheduled(fanpage_id)
    if not entries:
        st.caption(_("Nothing is scheduled, so no opt-ins will be used."))
        return
    taken = takes(
        [(each.id, each.topic_id) for each in entries], lambda topic_id, n: stock.of(topic_id).holding(n)
    )
    columns = [
        Column(_("Broadcast"), lambda each: Two(each.name, each.topic), "38%"),
        Column(_("Start"), lambda each: Two(when(each.at), ago(each.at)), is_narrow=True),
        Column(_("Will use about"), lambda each: taken[each.id]),
        Column(_("Of the topic's opt-ins"), lambda each: _share(each, taken[each.id], stock)),
    ]
    table(columns, entries, key="planner_scheduled", on_click=lambda each: f"broadcast?id={each.id}")
    st.caption(
        _(
            "As of now: new opt-ins until then are added, those that end before then are lost. A "
            "second broadcast on the same topic only reaches customers who have another opt-in."
        )
    )


def _share(entry: CalendarEntry, taken: int, stock: Stock) -> str:
    whole = stock.of(entry.topic_id).opt_ins
    return percent(taken / whole) if whole else "–"


def _several(stock: Stock, topics: list[TopicName]) -> None:
    """Who can be notified again without being asked again."""
    section(_("Who has two or more opt-ins?"))
    found = [topic for topic in topics if stock.of(topic.id).holding(2)]
    if not found:
        st.caption(_("Nobody: each customer can be notified once and then has to be asked again."))
        return
    names = {topic.id: topic.name for topic in found}
    asked = st.query_params.get("topic", "")
    if asked.isdecimal() and int(asked) in names:
        _holders(int(asked), names[int(asked)])
        return
    columns = [
        Column(_("Topic"), lambda topic: topic.name, "50%"),
        Column(_("Two or more"), lambda topic: stock.of(topic.id).holding(2)),
        Column(_("Three or more"), lambda topic: stock.of(topic.id).holding(3)),
    ]
    table(columns, found, key="planner_several", on_click=lambda topic: f"planner?topic={topic.id}")


def _holders(topic_id: int, name: str) -> None:
    st.markdown(_("**{topic}**: customers with the most opt-ins first.", topic=escape_markdown(name)))
    columns = [
        Column(_("Customer"), lambda holder: Two(holder.name or _("Name not known yet"), holder.psid), "44%"),
        Column(_("Opt-ins"), lambda holder: holder.opt_ins),
        Column(_("First ends"), lambda holder: when(holder.first_end)),
    ]
    holders = list_holders(topic_id, now=utc_now(), limit=HOLDERS)
    table(
        columns, holders, key="planner_holders", on_click=lambda holder: f"customer?id={holder.customer_id}"
    )
    if len(holders) == HOLDERS:
        st.caption(_("The first {n} are shown.", n=number(HOLDERS)))
    page_registry.link("planner", _("All topics"), icon=":material/arrow_back:")


draw_page()
