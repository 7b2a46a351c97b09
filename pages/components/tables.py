"""Tables: real HTML with badges and links, which Streamlit's own tables cannot hold.

A row is one line; what does not fit is cut off and shown whole on hover. On a phone each row of a table with
more than three columns becomes a card (shell/style.css). A column that has nothing to say is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from pages.components.table_order import Order
from pages.components.texts import _, ago, number, short_when, state_label, when

_SHARE = re.compile(r"(?:[\d.,]+ · )?[\d.,]+\s?%")  # "59%", "237 · 70%"


@dataclass(frozen=True)
class Badge:
    """A cell that shows a state: `Badge("broadcast", row.state)`."""

    kind: str
    state: str


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere: `Link("Flash sale", "broadcast?id=3")`."""

    text: str
    href: str


@dataclass(frozen=True)
class Two:
    """A cell of two parts, the second one quieter: beside the first, or beneath it where the column wraps."""

    first: str
    second: str


@dataclass(frozen=True)
class Ago:
    """A time told by its distance, "5 minutes ago"; the time itself on hover."""

    at: datetime | None


@dataclass(frozen=True)
class Column:
    """`value` makes the cell from a row: text, number, datetime, None, Badge, Link, Two or Ago."""

    label: str
    value: Callable[[Any], object]
    width: str | None = None  # CSS, e.g. "30%"; of texts, which share what numbers, times and states leave
    key: str = ""  # by which it is sorted and chosen; without one it is always shown
    sorts: bool = False  # the page can order its rows by it
    is_narrow: bool = False  # short words that are never cut off
    wraps: bool = False  # sentences that have to be read whole, in as many lines as they take
    is_extra: bool = False  # shown only to who chose it


def table(
    columns: Sequence[Column],
    rows: Sequence[Any],
    *,
    key: str,
    on_click: Callable[[Any], str | None] | None = None,
    order: Order | None = None,
) -> None:
    """Draws the rows, if there are any. `on_click` makes the address a row leads to ("broadcast?id=3"), or
    None; its first cell becomes the link. `order` is what the rows are sorted by."""
    if not rows:
        return
    # Through st.html and not st.dataframe, which draws on a canvas: no links, no badges, nothing for readers.
    with st.container(key=f"{key}_table"):
        st.html(table_html(columns, rows, on_click=on_click, order=order))


def table_html(
    columns: Sequence[Column],
    rows: Sequence[Any],
    *,
    on_click: Callable[[Any], str | None] | None = None,
    order: Order | None = None,
) -> str:
    """The table as HTML; everything said in it is escaped."""
    made = [(column, [column.value(row) for row in rows]) for column in columns]
    shown = made[:1] + [(column, cells) for column, cells in made[1:] if any(map(_says_something, cells))]
    looks = [_look(column, cells) for column, cells in shown]
    heads = [_head(column, look, order) for (column, _cells), look in zip(shown, looks, strict=True)]
    lines = []
    for place, row in enumerate(rows):
        cells = [(column, cells[place]) for column, cells in shown]
        lines.append(_row(cells, looks, on_click(row) if on_click else None))
    cards = " otn-cards" if len(shown) > 3 else ""
    return (
        f'<div class="otn-table-scroll{cards}"><table class="otn-table"><thead><tr>{"".join(heads)}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _says_something(cell: object) -> bool:
    return cell not in (None, "", Two("", ""), Ago(None))


def _look(column: Column, cells: Sequence[object]) -> str:
    """The class of a column's cells, by what is in them."""
    said = [cell for cell in cells if _says_something(cell)]
    if any(map(_is_number, said)):
        return "otn-number"
    if column.is_narrow or (said and all(isinstance(cell, Badge | datetime | Ago | bool) for cell in said)):
        return "otn-fixed"
    return "otn-wraps" if column.wraps else "otn-text"


def _head(column: Column, look: str, order: Order | None) -> str:
    if not column.label:
        return f'<td class="{look}"></td>'
    width = f' style="width:{escape(column.width or "18%")}"' if look in ("otn-text", "otn-wraps") else ""
    words, sorted_how = escape(column.label), ""
    if order is not None and column.sorts:
        words = (
            f'<a href="{escape(order.address_of(column.key))}" target="_self">{words}'
            f'<span class="otn-icon" aria-hidden="true">{order.icon_of(column.key)}</span></a>'
        )
        sorted_how = f' aria-sort="{order.state_of(column.key)}"'
    return f'<th scope="col" class="{look}"{width}{sorted_how}>{words}</th>'


def _row(cells: Sequence[tuple[Column, object]], looks: Sequence[str], href: str | None) -> str:
    made = []
    for place, ((column, value), look) in enumerate(zip(cells, looks, strict=True)):
        inside = _inside(value, column)
        if href is not None and place == 0:
            inside = f'<a href="{escape(href)}" target="_self">{inside}</a>'
        made.append(_cell(inside, column, value, look))
    leads = ' class="otn-row-link"' if href is not None else ""
    return f"<tr{leads}>{''.join(made)}</tr>"


def _cell(inside: str, column: Column, value: object, look: str) -> str:
    kinds = [look]
    if isinstance(value, Badge):
        kinds.append("otn-state")
    if not _says_something(value):
        kinds.append("otn-nothing")
    whole = _whole(value) if look == "otn-text" else ""
    title = f' title="{escape(whole)}"' if whole else ""
    return f'<td class="{" ".join(kinds)}" data-label="{escape(column.label)}"{title}>{inside}</td>'


def _is_number(value: object) -> bool:
    """Shares are numbers, too, though they are written as text."""
    if isinstance(value, str):
        return _SHARE.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> str:
    """What a cell that may be cut off shows on hover."""
    match value:
        case Two(first, second):
            return "\n".join(filter(None, [first, second]))
        case Link(text, _href):
            return text
        case str():
            return value
    return ""


def _inside(value: object, column: Column) -> str:
    match value:
        case Two("", "") | None | "":
            return '<span class="otn-quiet">–</span>'
        case Badge(kind, state):
            return badge_html(kind, state)
        case Link(text, href):
            return f'<a href="{escape(href)}" target="_self">{escape(text)}</a>'
        case Two(first, second):
            between = "<br>" if column.wraps else " "
            second = f'{between}<span class="otn-quiet">{escape(second)}</span>' if second else ""
            return f"{escape(first)}{second}"
        case bool():
            return _("yes") if value else _("no")
        case int() | float():
            return number(value)
        case datetime():
            return _time(value, short_when(value))
        case Ago(at):
            return _time(at, ago(at)) if at else '<span class="otn-quiet">–</span>'
    return escape(str(value))


def _time(at: datetime, words: str) -> str:
    return f'<time datetime="{at.isoformat()}" title="{escape(when(at))}">{escape(words)}</time>'


def badge_html(kind: str, state: str) -> str:
    """A state's badge as HTML, for tables."""
    word, icon, colour = state_label(kind, state)
    return (
        f'<span class="otn-badge otn-{colour}"><span class="otn-icon" aria-hidden="true">{icon}</span>'
        f"{escape(word)}</span>"
    )
