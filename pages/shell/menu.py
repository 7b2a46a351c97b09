"""The menu in the sidebar, in HTML of our own.

It is the same on every page, so that the browser keeps it at a click, and the focus in it: Streamlit draws
each of its page links anew, which took a third of the time of a page. frame.js follows the links, and marks
the page that is open.
"""

from __future__ import annotations

import json
from html import escape

import streamlit as st

from core.accounts.rules import Actor
from pages.components.page_registry import DEMO, ENTRIES, Entry
from pages.components.texts import _, language


def draw_menu(actor: Actor, here: Entry, *, with_demo: bool) -> None:
    """The menu's sections with the pages this operator may open; frame.js marks the page that is open."""
    shown = [each for each in ENTRIES if _is_shown(each, actor) and (with_demo or each.section != DEMO)]
    parts = [
        _section(section, [each for each in shown if each.section == section])
        for section in dict.fromkeys(entry.section for entry in shown)
    ]
    st.html(f'<nav class="otn-menu" aria-label="{escape(_("Menu"))}">{"".join(parts)}</nav>')
    with st.container(key="menu_script"):
        # A script runs again only when its text changes, and the marks are lost whenever the menu is drawn
        # anew: in another language, or with other pages.
        told = json.dumps([here.parent or here.url_path, language(), *(each.url_path for each in shown)])
        st.html(f"<script>otnMarkMenu(...{told});</script>", unsafe_allow_javascript=True)


def _is_shown(entry: Entry, actor: Actor) -> bool:
    return entry.in_menu and not entry.parent and entry.is_for(actor)


def _section(name: str, entries: list[Entry]) -> str:
    links = "".join(
        f'<a href="{entry.url_path}"><span class="otn-icon" aria-hidden="true">{entry.icon}</span>'
        f"{escape(_(entry.title))}</a>"
        for entry in entries
    )
    return f'<div role="group" aria-label="{escape(_(name))}"><p>{escape(_(name))}</p>{links}</div>'
