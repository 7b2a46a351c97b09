"""The fanpage switcher: a list while there are few, a search while there are many."""

from __future__ import annotations

import streamlit as st

from core.fanpages.queries import FanpageView
from core.fanpages.search import find_fanpages
from pages.components.dialogs import close_dialog, dialog, open_dialog
from pages.components.texts import _, n_

FEW, SHOWN = 8, 12
KEY = "fanpage_search"


def draw_switcher(chosen: FanpageView | None, fanpages: list[FanpageView]) -> None:
    """Which fanpage the pages are about, and the way to another."""
    if chosen is None:
        return
    if len(fanpages) > FEW:
        st.button(
            chosen.name,
            key=f"{KEY}_open",
            icon=":material/unfold_more:",
            icon_position="right",
            help=_("Choose another fanpage"),
            width="stretch",
            on_click=open_dialog,
            args=(KEY,),
        )
        return
    by_id = {fanpage.id: fanpage for fanpage in fanpages}
    # Before the widget is drawn: Streamlit refuses to have its value set in the same run afterwards.
    st.session_state["fanpage_switch"] = chosen.id
    st.selectbox(
        _("Fanpage"),
        list(by_id),
        key="fanpage_switch",
        format_func=lambda fanpage_id: by_id[fanpage_id].name,
        on_change=lambda: _switch(st.session_state["fanpage_switch"]),
        label_visibility="collapsed",
    )


def draw_fanpage_search(chosen: FanpageView | None, fanpages: list[FanpageView]) -> None:
    """The dialog in which one of many fanpages is searched, while it is open."""
    if chosen is not None and len(fanpages) > FEW:
        dialog(KEY, _("Choose a fanpage"), lambda: _search(chosen, fanpages))


def _search(chosen: FanpageView, fanpages: list[FanpageView]) -> None:
    words = st.text_input(
        _("Name or page ID"), key=f"{KEY}_words", placeholder=_("Accents and case don't matter")
    )
    found = find_fanpages(fanpages, words)
    with st.container(key=f"{KEY}_found", gap=None):
        for fanpage in found[:SHOWN]:
            here = fanpage.id == chosen.id
            st.button(
                f"{fanpage.name} · {fanpage.page_id}",
                key=f"{KEY}_{fanpage.id}",
                type="tertiary",
                icon=":material/check:" if here else ":material/flag:",
                on_click=_choose,
                args=(fanpage.id,),
                width="stretch",
            )
    if not found:
        st.caption(_("No fanpage with that name."))
    elif len(found) > SHOWN:
        more = len(found) - SHOWN
        st.caption(n_("{n} more; type more of its name.", "{n} more; type more of the name.", more))


def _choose(fanpage_id: int) -> None:
    close_dialog(KEY)
    st.session_state.pop(f"{KEY}_words", None)
    _switch(fanpage_id)


def _switch(fanpage_id: int) -> None:
    st.session_state["fanpage_id"] = fanpage_id
    st.session_state["fanpage_switched"] = True
