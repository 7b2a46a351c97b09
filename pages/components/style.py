"""The look beyond the theme (`.streamlit/config.toml`): style.css, and the one script of the frame."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
MARK = _HERE.parents[1] / "static" / "mark.svg"


def apply() -> None:
    st.html(_HERE / "style.css")
    with st.container(key="frame_script"):
        st.html(f"<script>{(_HERE / 'frame.js').read_text('utf-8')}</script>", unsafe_allow_javascript=True)


def brand() -> None:
    st.html('<div class="otn-brand"><img src="/app/static/mark.svg" alt="">Notify Once</div>')
