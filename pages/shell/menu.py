"""The menu in the sidebar."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Actor
from pages.components.page_registry import DEMO, ENTRIES, Entry, file_of
from pages.components.texts import _


def draw_menu(actor: Actor, here: Entry, *, with_demo: bool) -> None:
    """The menu's sections with the pages this operator may open."""
    for section in dict.fromkeys(entry.section for entry in ENTRIES):
        shown = [e for e in ENTRIES if e.section == section and not e.parent and e.is_for(actor)]
        if not shown or (section == DEMO and not with_demo):
            continue
        with st.container(key=f"menu_{section.lower()}", gap=None):
            st.caption(_(section))
            for entry in shown:
                # A container's key is also its CSS class: style.css marks the page of now by "menu_here".
                with st.container(
                    key="menu_here" if entry.url_path in (here.url_path, here.parent) else None, gap=None
                ):
                    st.page_link(
                        file_of(entry), label=_(entry.title), icon=f":material/{entry.icon}:", width="stretch"
                    )
