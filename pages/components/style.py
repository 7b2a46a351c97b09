"""The panel's look beyond the theme (`.streamlit/config.toml`): all CSS and the one script live here."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_CSS = Path(__file__).with_name("style.css")


def apply() -> None:
    st.html(_CSS)
