"""Tables: real HTML with badges and links, which Streamlit's own tables cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from pages.components.texts import _, number, state_label, when


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
    """A cell of two lines, the second one quieter."""

    first: str
    second: str


@dataclass(frozen=True)
class Column:
    """`value` makes the cell from a row: text, number, datetime, None, Badge, Link or Two."""

    label: str
    value: Callable[[Any], object]
    width: str | None = None  # CSS, e.g. "30%"


def table(
    columns: Sequence[Column],
    rows: Sequence[Any],
    *,
    key: str,
    on_click: Callable[[Any], str | None] | None = None,
) -> None:
    """Draws the rows, if there are any. `on_click` makes the address a row leads to ("broadcast?id=3"), or
    None; its first cell becomes the link."""
    if not rows:
        return
    # Through st.html and not st.dataframe, which draws on a canvas: no links, no badges, nothing for readers.
    with st.container(key=f"{key}_table"):
        st.html(table_html(columns, rows, on_click=on_click))


def table_html(
    columns: Sequence[Column], rows: Sequence[Any], *, on_click: Callable[[Any], str | None] | None = None
) -> str:
    """The table as HTML; everything said in it is escaped."""
    cells = [[column.value(row) for column in columns] for row in rows]
    heads = [_head(column, made) for column, made in zip(columns, zip(*cells, strict=True), strict=True)]
    lines = [_row(made, on_click(row) if on_click else None) for row, made in zip(rows, cells, strict=True)]
    return (
        f'<div class="otn-table-scroll"><table class="otn-table"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _head(column: Column, cells: Sequence[object]) -> str:
    width = f' style="width:{escape(column.width)}"' if column.width else ""
    number_class = ' class="otn-number"' if any(map(_is_number, cells)) else ""
    return (
        f'<th scope="col"{width}{number_class}>{escape(column.label)}</th>' if column.label else "<td></td>"
    )


def _row(cells: Sequence[object], href: str | None) -> str:
    if href is None:
        return f"<tr>{''.join(map(_cell, cells))}</tr>"
    first = f'<td><a href="{escape(href)}" target="_self">{_inside(cells[0])}</a></td>'
    return f'<tr class="otn-row-link">{first}{"".join(map(_cell, cells[1:]))}</tr>'


def _cell(value: object) -> str:
    look = "otn-number" if _is_number(value) else "otn-when" if isinstance(value, datetime) else ""
    return f'<td class="{look}">{_inside(value)}</td>' if look else f"<td>{_inside(value)}</td>"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _inside(value: object) -> str:
    match value:
        case None | "":
            return '<span class="otn-quiet">–</span>'
        case Badge(kind, state):
            return badge_html(kind, state)
        case Link(text, href):
            return f'<a href="{escape(href)}" target="_self">{escape(text)}</a>'
        case Two(first, second):
            return f'{escape(first)}<br><span class="otn-quiet">{escape(second)}</span>'
        case bool():
            return _("yes") if value else _("no")
        case int() | float():
            return number(value)
        case datetime():
            return escape(when(value))
    return escape(str(value))


def badge_html(kind: str, state: str) -> str:
    """A state's badge as HTML, for tables."""
    word, icon, colour = state_label(kind, state)
    return (
        f'<span class="otn-badge otn-{colour}"><span class="otn-icon" aria-hidden="true">{icon}</span>'
        f"{escape(word)}</span>"
    )
