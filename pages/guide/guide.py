"""The whole guide for marketers, part by part: `?part=broadcasts`."""

import streamlit as st

from pages.components.guide import PARTS, draw_part, title_of
from pages.components.layout import page_header
from pages.components.texts import _

KEY = "guide_part"


def draw_page() -> None:
    page_header(_("Guide"), _("One campaign, from permission to results."), key="guide")
    asked = st.query_params.get("part", "")
    part = asked if asked in PARTS else PARTS[0]
    left, right = st.columns([1, 3], gap="large")
    st.session_state[KEY] = part
    left.radio(
        _("Part"),
        PARTS,
        key=KEY,
        format_func=title_of,
        on_change=_turn,
        label_visibility="collapsed",
    )
    with right:
        st.header(title_of(part), anchor=False)
        draw_part(part)


def _turn() -> None:
    st.query_params["part"] = st.session_state[KEY]


draw_page()
