"""The style sheets that pages of several folders draw with."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


def draw_broadcast_styles() -> None:
    """Adds the style sheet of every page that shows broadcasts."""
    st.html(_HERE / "broadcast.css")


def draw_editor_styles() -> None:
    """Adds the style sheet of every page on which blocks are written, and the script that keeps the preview
    in step with what is typed."""
    folder = _HERE / "block_editor"
    st.html(folder / "block_editor.css")
    with st.container(key="composer_script"):
        script = (folder / "live.js").read_text("utf-8")
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def draw_calendar_styles() -> None:
    """Adds the style sheet of every page with a grid of days."""
    st.html(_HERE / "calendar.css")
