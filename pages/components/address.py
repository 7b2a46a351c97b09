"""What the address asks for, and what a page shows when that is not there."""

from __future__ import annotations

import streamlit as st

from pages.components import page_registry
from pages.components.layout import empty_state
from pages.components.texts import _


def asked_id(name: str = "id") -> int | None:
    """The id in the address, e.g. ?id=3; None when there is none or it is no number."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def draw_no_fanpage(key: str) -> None:
    """What a page shows before any fanpage is connected."""
    empty_state(
        "add_link",
        _("Connect a fanpage first: everything here belongs to one."),
        button=_("Go to Set-up"),
        page="setup",
        key=key,
    )


def draw_not_there(sentence: str, url_path: str, label: str) -> None:
    """A calm note about something that is gone, and the way back to its list."""
    st.warning(sentence, icon=":material/search_off:")
    page_registry.link(url_path, label, icon=":material/arrow_back:")
