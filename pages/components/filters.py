"""What a list shows: a search field, filters and pages. All of them are kept in the address, so that a link
or a reload shows the same."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.text.normalise import normalise_name
from pages.components.chosen import keep_chosen
from pages.components.first_values import show_first
from pages.components.texts import _, n_, number


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
    )
    return normalise_name(typed or "")


def filter_pills(key: str, options: Mapping[str, str], *, label: str = "") -> str | None:
    """Draws a filter as pills. Returns one of `options` (value -> word), or None for all; kept in the URL
    under the key."""
    place = f"{key}_pill"
    _show_asked(key, place, options, None)
    value = st.pills(
        label or _("Filter"),
        list(options),
        key=keep_chosen(place),
        format_func=lambda value: options.get(value, value),
        label_visibility="visible" if label else "collapsed",
    )
    if value is not None and st.query_params.get(key) != value:
        st.query_params[key] = value
    elif value is None and key in st.query_params:
        del st.query_params[key]
    return value


def filter_choice(key: str, options: Mapping[str, str], everything: str, *, width: int = 220) -> str:
    """Draws a filter as a list that can be searched. Returns one of `options` (value -> word), or "" for all;
    kept in the URL."""
    words = {"": everything, **options}
    place = f"{key}_choice"
    _show_asked(key, place, words, "")
    chosen = st.selectbox(
        everything,
        list(words),
        key=keep_chosen(place),
        format_func=lambda value: words.get(value, value),
        label_visibility="collapsed",
        width=width,
    )
    if chosen:
        st.query_params[key] = chosen
    elif key in st.query_params:
        del st.query_params[key]
    return chosen or ""


def _show_asked(key: str, place: str, options: Mapping[str, str], nothing: str | None) -> None:
    """Has the field show at first what the address asks for; what there is no more is not chosen either."""
    if st.session_state.get(place, nothing) not in {nothing, *options}:
        del st.session_state[place]
    asked = st.query_params.get(key, "")
    show_first(place, asked if asked in options else nothing)
