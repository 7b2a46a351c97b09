"""The look beyond the theme (`.streamlit/config.toml`): style.css, and the one script of the frame."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
MARK = _HERE.parents[1] / "static" / "mark.svg"


def apply(language: str) -> None:
    """`language` tells browsers and screen readers what the page is written in."""
    st.html(_HERE / "style.css")
    with st.container(key="frame_script"):
        script = f"document.documentElement.lang = '{language}';\n{(_HERE / 'frame.js').read_text('utf-8')}"
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def brand() -> None:
    st.html('<div class="otn-brand"><img src="/app/static/mark.svg" alt="">Notify Once</div>')
