"""Charts: each is titled by the question that it answers, and has its numbers as a table below.

Two shapes: bars beside each other on one base (`draw_bars`), and columns along time (`draw_columns`). Labels
and the numbers in hints are written here, in the reader's language; Vega, which writes the axes, is given
the language's own numbers and dates. What it tells screen readers of axes and marks is English, and left out:
a chart is named by its question, and the table says the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st
from babel import Locale

from pages.components.layout import section
from pages.components.tables import Column, table
from pages.components.texts import _, language, number, percent

BLUE, GREEN, ORANGE, RED, VIOLET = (
    "#2A86FF",
    "#2EA36B",
    "#E08A00",
    "#DE4B4B",
    "#8A63D2",
)  # on white and on black
_BAR_HEIGHT, _COLUMNS_HEIGHT = 34, 240
_SAID_WIDTH = 110
_PLAIN_AXIS = {
    "aria": False,
    "labelLimit": 180,
    "labelFontSize": 13,
    "ticks": False,
    "domain": False,
    "labelPadding": 8,
}
Spec = dict[str, Any]  # of Vega-Lite: https://vega.github.io/vega-lite/docs/


@dataclass(frozen=True)
class Bar:
    """A bar: what it counts, and how many."""

    label: str
    value: int


@dataclass(frozen=True)
class Point:
    """So many of a series at a time, which is named as the reader sees it."""

    at: str
    series: str
    value: int


def draw_bars(question: str, bars: Sequence[Bar], *, whole: int, what: str, unit: str, key: str) -> None:
    """Bars beside each other, all of them shares of `whole`, and their numbers as a table, whose columns are
    called by `what` the bars are and the `unit` that they count."""
    if not bars:
        return
    section(question)
    rows = [{"label": bar.label, "value": bar.value, "said": _share(bar.value, whole)} for bar in bars]
    room = {"expr": f"width - {_SAID_WIDTH}"}  # beside the longest bar for what it says, on a phone, too
    scale = {"domain": [0, max(whole, 1)], "range": [0, room]}
    x = {"field": "value", "type": "quantitative", "title": None, "axis": None, "scale": scale}
    bar_mark = {"type": "bar", "aria": False, "color": BLUE, "cornerRadius": 3, "height": {"band": 0.7}}
    word_mark = {"type": "text", "aria": False, "align": "left", "dx": 6, "fontSize": 13, "color": _ink()}
    chart = {
        "encoding": {
            "y": {**_named("label", None), "sort": None, "axis": _PLAIN_AXIS},
            "tooltip": [_named("label", " "), _named("said", " ")],
        },
        "layer": [
            {"mark": bar_mark, "encoding": {"x": x}},
            {"mark": word_mark, "encoding": {"x": x, "text": _named("said", None)}},
        ],
    }
    _draw(chart, rows, question, key, height=_BAR_HEIGHT * len(bars) + 8)
    _numbers(
        [
            Column(what, lambda bar: bar.label, "50%"),
            Column(unit, lambda bar: bar.value),
            Column(_("Share"), lambda bar: percent(bar.value / whole) if whole else None),
        ],
        bars,
        key,
    )


def draw_columns(
    question: str, points: Sequence[Point], *, colours: Mapping[str, str], key: str, time: str
) -> None:
    """Columns along time, the series of one time beside each other; `colours` names the series in their
    order, and `time` what the times are ("Day"). The times stand in the order in which they come."""
    if not points:
        return
    section(question)
    rows = [{"at": p.at, "series": p.series, "value": p.value, "said": number(p.value)} for p in points]
    times = list(dict.fromkeys(point.at for point in points))
    names = list(colours)
    scale = {"domain": names, "range": list(colours.values())}
    columns_of_legend = {"expr": "width < 480 ? 1 : 0"}  # 0: all in one row
    legend = {"title": None, "orient": "top", "columns": columns_of_legend, "labelLimit": 300, "aria": False}
    count_axis = {"format": ",d", "tickMinStep": 1, "tickCount": 5, "aria": False}
    time_axis = {"labelAngle": 0, "labelOverlap": "parity", "aria": False}
    chart = {
        "mark": {"type": "bar", "aria": False, "cornerRadiusTopLeft": 2, "cornerRadiusTopRight": 2},
        "encoding": {
            "x": {**_named("at", None), "sort": times, "axis": time_axis},
            "xOffset": {"field": "series", "type": "nominal", "sort": names},
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": count_axis},
            "color": {"field": "series", "type": "nominal", "sort": names, "scale": scale, "legend": legend},
            "tooltip": [_named("at", time), _named("series", " "), _named("said", " ")],
        },
    }
    _draw(chart, rows, question, key, height=_COLUMNS_HEIGHT)
    known = {(point.at, point.series): point.value for point in points}
    columns = [Column(time, lambda at: at, "30%")]
    columns += [Column(name, _value(known, name)) for name in names]
    _numbers(columns, times, key)


def _draw(chart: Spec, rows: list[Spec], question: str, key: str, *, height: int) -> None:
    config = {"locale": vega_locale(language()), "view": {"strokeWidth": 0}}
    data = {"values": rows}
    with st.container(key=f"{key}_chart"):
        st.vega_lite_chart(
            {**chart, "data": data, "height": height, "description": question, "config": config},
            width="stretch",
        )


def _numbers(columns: Sequence[Column], rows: Sequence[Any], key: str) -> None:
    """What the chart shows, for those who cannot see it or want it exactly."""
    with st.expander(_("Show as a table"), icon=":material/table_rows:"):
        table(columns, rows, key=f"{key}_numbers")


def _value(known: Mapping[tuple[str, str], int], name: str) -> Callable[[str], int]:
    return lambda at: known.get((at, name), 0)


def _named(field: str, title: str | None) -> Spec:
    return {"field": field, "type": "nominal", "title": title}


def _share(value: int, whole: int) -> str:
    return f"{number(value)} · {percent(value / whole)}" if whole else number(value)


def _ink() -> str:
    """The colour of words inside a chart, which the theme does not reach."""
    return "#E8EAED" if st.context.theme.type == "dark" else "#31333F"


@lru_cache
def vega_locale(code: str) -> Spec:
    """How a language writes numbers and dates, in the words of Vega."""
    known = Locale.parse(code)
    symbols = known.number_symbols["latn"]
    days, months = known.days["stand-alone"], known.months["stand-alone"]
    sunday_first = [6, 0, 1, 2, 3, 4, 5]
    return {
        "number": {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": ["", ""],
        },
        "time": {
            "dateTime": "%d/%m/%Y, %H:%M",
            "date": "%d/%m/%Y",
            "time": "%H:%M",
            "periods": [known.day_periods["format"]["abbreviated"][each] for each in ("am", "pm")],
            "days": [days["wide"][day] for day in sunday_first],
            "shortDays": [days["abbreviated"][day] for day in sunday_first],
            "months": [months["wide"][month] for month in range(1, 13)],
            "shortMonths": [months["abbreviated"][month] for month in range(1, 13)],
        },
    }
