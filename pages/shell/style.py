"""The look beyond the theme (`.streamlit/config.toml`): style.css, and the one script of the frame."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import streamlit as st

from pages.components.texts import _
from pages.shell.cookie import base_path

_HERE = Path(__file__).parent
MARK = _HERE.parents[1] / "static" / "mark.svg"


def apply(language: str, paths: list[str]) -> None:
    """`language` tells browsers and screen readers what the page is written in; `paths` are the addresses
    of all pages, for each of which Streamlit remembers a theme of its own."""
    st.html(_HERE / "style.css")
    with st.container(key="frame_script"):
        script = (_HERE / "frame.js").read_text("utf-8") + f"otnFrame({json.dumps([language, paths])});"
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def draw_theme_switch() -> None:
    """As the system, light or dark. Streamlit's own choice is per page and hidden in its menu."""
    choices = (
        ("System", _("As the system"), "contrast"),
        ("Light", _("Light"), "light_mode"),
        ("Dark", _("Dark"), "dark_mode"),
    )
    buttons = "".join(
        f'<button type="button" data-otn-theme="{theme}" title="{escape(word)}" aria-label="{escape(word)}">'
        f'<span class="otn-icon" aria-hidden="true">{icon}</span></button>'
        for theme, word, icon in choices
    )
    st.html(f'<div class="otn-themes" role="group" aria-label="{escape(_("Appearance"))}">{buttons}</div>')


def draw_brand() -> None:
    """Mark and name of the product."""
    st.html(f'<div class="otn-brand"><img src="{base_path()}/app/static/mark.svg" alt="">Notify Once</div>')
