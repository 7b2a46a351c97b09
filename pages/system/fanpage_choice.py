"""The choice of all fanpages or some of them, in the dialogs of the users page."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from core.fanpages.queries import list_fanpages
from pages.components.texts import _

_ALL, _SOME = "all", "some"


def draw_fanpage_choice(key: str, chosen: Collection[int] | None) -> None:
    """`chosen` None: all fanpages. `chosen_fanpages` of the same key reads what was chosen."""
    words = {_ALL: _("All fanpages, including those connected later"), _SOME: _("Only these fanpages")}
    kind = st.radio(
        _("Fanpages"),
        list(words),
        index=int(chosen is not None),
        key=f"{key}_kind",
        format_func=words.__getitem__,
    )
    if kind == _ALL:
        return
    names = {fanpage.id: f"{fanpage.name} · {fanpage.page_id}" for fanpage in list_fanpages()}
    st.multiselect(
        _("Only these fanpages"),
        list(names),
        default=[each for each in names if each in (chosen or ())],
        key=f"{key}_fanpages",
        format_func=names.__getitem__,
        placeholder=_("Choose fanpages"),
        label_visibility="collapsed",
    )


def chosen_fanpages(key: str) -> list[int] | None:
    """The ids of what was chosen; None for all."""
    if st.session_state.get(f"{key}_kind") != _SOME:
        return None
    return list(st.session_state.get(f"{key}_fanpages", []))
