"""What a broadcast has achieved: read, followed, answered, lost; by hour, by link, beside earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_datetime

from core.broadcasts.queries import BroadcastView
from core.broadcasts.result_queries import Hour, ResultView, average, earlier_results, get_result
from core.broadcasts.results import Result
from core.clicks.short_links import link_address
from core.errors import N_
from core.fanpages.queries import FanpageView
from pages.components.charts import BLUE, GREEN, VIOLET, Point, draw_columns
from pages.components.layout import section
from pages.components.tables import Column, Link, table
from pages.components.texts import _, language, number, percent, when
from pages.components.unknown_outcomes import ANCHOR

RESULT_WORDS = {
    Result.SENT: N_("Sent"),
    Result.DELIVERED: N_("Delivered"),
    Result.READ: N_("Read"),
    Result.CLICKED: N_("Clicked a link"),
    Result.REPLIED: N_("Replied within 24 hours"),
    Result.BLOCKED: N_("Unreachable since then"),
    Result.WITHDREW: N_("Unsubscribed within 30 days"),
    Result.ASKED_AGAIN: N_("Asked again within 30 days"),
    Result.AGREED_AGAIN: N_("Agreed again"),
}
FEWEST_HOURS = 6
FIRST_HOURS = 24  # of its time that the chart shows
_COMPARED = (Result.READ, Result.CLICKED, Result.REPLIED, Result.BLOCKED, Result.AGREED_AGAIN)


@dataclass(frozen=True)
class Line:
    """A result: so many people, and what share of the others of the topic had it."""

    result: Result
    people: int
    share: float | None
    earlier: float | None


def draw_results(view: BroadcastView, fanpage: FanpageView) -> None:
    """Draws what a broadcast that has started achieved; until it was first counted one line says so."""
    if not view.started_at:
        return
    section(_("What were the results?"))
    result = get_result(view.id)
    if result is None:
        st.caption(_("Still counting: the worker does this within seconds, as soon as it runs."))
        return
    earlier = earlier_results(view.topic_id, view.started_at)
    _draw_lines(view, result, earlier)
    st.caption(_said(result, fanpage))
    _links(result)
    _hours(result, view.timezone)
    _comparison(result, earlier)


def _draw_lines(view: BroadcastView, result: ResultView, earlier: Sequence[ResultView]) -> None:
    lines = [
        Line(word, result.count(word), result.share(word), average(earlier, word))
        for word in RESULT_WORDS
        if result.count(word) or word in (Result.SENT, Result.READ, Result.CLICKED)
    ]
    columns = [
        Column(_("Result"), lambda line: _(RESULT_WORDS[line.result]), "46%"),
        Column(_("People"), lambda line: line.people),
        Column(_("Share of sent"), lambda line: _percent(line.share)),
    ]
    if earlier:
        columns.append(Column(_("Earlier broadcasts"), lambda line: _percent(line.earlier)))
    table(columns, lines, key="results", on_click=lambda line: people_address(view.id, line.result))


def people_address(broadcast_id: int, result: Result) -> str:
    """Where the people behind a number are listed."""
    return f"broadcast?id={broadcast_id}&state={result}#{ANCHOR}"


def _percent(share: float | None) -> str:
    return "–" if share is None else percent(share)


def _said(result: ResultView, fanpage: FanpageView) -> str:
    """When that was counted, and what cannot be counted."""
    words = [_("As of {when}. Reads are counted as Messenger reports them.", when=when(result.counted_at))]
    if not link_address(is_demo=fanpage.is_demo):
        words.append(
            _(
                "Clicks are not counted: this installation has no public address (OTN_PUBLIC_URL), "
                "so links are sent as written."
            )
        )
    return " ".join(words)


def _links(result: ResultView) -> None:
    if not result.links or not result.count(Result.CLICKED):
        return
    section(_("Which links did people click?"))
    columns = [
        Column(_("Link"), lambda link: Link(link[0], link[0]), "70%"),
        Column(_("People"), lambda link: link[1]),
    ]
    table(columns, sorted(result.links.items(), key=lambda link: -link[1]), key="result_links")


def _hours(result: ResultView, zone: str) -> None:
    hours = _first_hours(result)
    series = {Result.READ: BLUE, Result.CLICKED: GREEN, Result.REPLIED: VIOLET}
    known = {word for hour in hours for word in hour.people}
    shown = {_(RESULT_WORDS[word]): colour for word, colour in series.items() if word in known}
    points = [
        Point(_hour(hour, zone), _(RESULT_WORDS[word]), hour.people.get(word, 0))
        for hour in hours
        for word in series
        if word in known
    ]
    if points:
        question = _("When do people read and reply?")
        draw_columns(question, points, colours=shown, key="result_hours", time=_("Hour"))


def _first_hours(result: ResultView) -> list[Hour]:
    """Every hour of the first day up to the last in which something happened, also those without anything."""
    if not result.hours:
        return []
    known = {hour.at: hour for hour in result.hours}
    first = result.hours[0].at
    last = min(result.hours[-1].at, first + timedelta(hours=FIRST_HOURS - 1))
    count = max(FEWEST_HOURS, int((last - first) / timedelta(hours=1)) + 1)
    times = [first + timedelta(hours=place) for place in range(count)]
    return [known.get(at, Hour(at, {})) for at in times]


def _hour(hour: Hour, zone: str) -> str:
    local = hour.at.astimezone(ZoneInfo(zone))
    return str(format_datetime(local, _("d MMM, HH:mm"), locale=language()))


def _comparison(result: ResultView, earlier: Sequence[ResultView]) -> None:
    """The same topic's broadcasts, this one first."""
    if not earlier:
        return
    section(_("How does it compare with earlier ones of this topic?"))
    columns = [
        Column(_("Broadcast"), lambda each: each.name, "28%"),
        Column(_("Started"), lambda each: when(each.started_at)),
        Column(_("Sent"), lambda each: each.count(Result.SENT)),
    ]
    columns += [Column(_(RESULT_WORDS[word]), _cell(word)) for word in _COMPARED]
    table(columns, [result, *earlier], key="result_comparison", on_click=_address)


def _address(each: ResultView) -> str:
    return f"broadcast?id={each.broadcast_id}"


def _cell(word: Result) -> Callable[[ResultView], str]:
    return lambda each: f"{number(each.count(word))} · {_percent(each.share(word))}"
