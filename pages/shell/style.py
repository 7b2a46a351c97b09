"""The parts of the frame that we draw: brand, theme switch, and the reader's language in the browser."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import streamlit as st

from pages.components.texts import _
from pages.shell.cookie import base_path

_HERE = Path(__file__).parent
MARK = _HERE.parents[1] / "static" / "mark.svg"


def apply(language: str) -> None:
    """Tells the page in the browser the reader's language; its look and scripts came with start_page.py."""
    with st.container(key="frame_script"):
        st.html(f"<script>otnFrame({json.dumps(language)});</script>", unsafe_allow_javascript=True)


def draw_theme_switch() -> None:
    """Draws the choice of light, dark, or as the system. Streamlit's own choice is per page and hidden in its
    menu."""
    choices = (
        ("System", _("Same as the system"), "contrast"),
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
