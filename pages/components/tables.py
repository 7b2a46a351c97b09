"""Lists: a real HTML table with badges and links, paging by the database, filters kept in the URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from core.text.normalise import normalise_name
from pages.components.texts import _, n_, number, state_label, when


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
    """`on_click` makes the address a row leads to ("broadcast?id=3"), if any; its first cell becomes the
    link."""
    if not rows:
        return
    cells = [[column.value(row) for column in columns] for row in rows]
    head = "".join(
        _head(column, made) for column, made in zip(columns, zip(*cells, strict=True), strict=True)
    )
    body = "".join(
        _row(made, on_click(row) if on_click else None) for row, made in zip(rows, cells, strict=True)
    )
    with st.container(key=f"{key}_table"):
        st.html(
            f'<div class="otn-table-scroll"><table class="otn-table"><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
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


def pager(total: int, *, key: str, size: int = 50) -> int:
    """Draws "1–50 of 1,204" with page buttons (page in the URL) and returns the offset to read from.

    To show it below the table: `slot = st.container()`, then `offset = pager(…)`, then `with slot: table(…)`.
    """
    pages = max(1, -(-total // size))
    asked = st.session_state.get(f"{key}_page")
    if isinstance(asked, int) and asked > pages:
        st.session_state[f"{key}_page"] = pages  # a filter made the list shorter
    with st.container(
        key=f"{key}_pager", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        words = st.container(width="content")
        page = 1
        if pages > 1:
            page = st.pagination(pages, key=f"{key}_page", bind="query-params")
        offset = (min(page, pages) - 1) * size
        words.caption(_range(offset, min(offset + size, total), total))
    return offset


def _range(start: int, end: int, total: int) -> str:
    if total == 0:
        return _("Nothing to show")
    if end - start == total:
        return n_("{n} row", "{n} rows", total)
    return _("{first}–{last} of {total}", first=number(start + 1), last=number(end), total=number(total))


def search_box(key: str, label: str) -> str:
    """A search field; its text is kept in the URL under the key."""
    typed = st.text_input(
        label,
        key=key,
        type="search",
        placeholder=label,
        label_visibility="collapsed",
        icon=":material/search:",
        bind="query-params",
        max_chars=100,
    )
    return normalise_name(typed or "")


def filter_pills(key: str, options: Mapping[str, str], *, label: str = "") -> str | None:
    """One of `options` (value -> word) or None for all; kept in the URL under the key."""
    words = {word: value for value, word in options.items()}
    st.session_state.setdefault(f"{key}_pill", _word_in_url(key, options))
    chosen = st.pills(
        label or _("Filter"),
        list(words),
        key=f"{key}_pill",
        label_visibility="visible" if label else "collapsed",
    )
    value = words.get(chosen) if chosen else None
    if value is not None and st.query_params.get(key) != value:
        st.query_params[key] = value
    elif value is None and key in st.query_params:
        del st.query_params[key]
    return value


def _word_in_url(key: str, options: Mapping[str, str]) -> str | None:
    return options.get(st.query_params.get(key, ""))
