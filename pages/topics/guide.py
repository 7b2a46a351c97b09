"""The three steps of a one-time notification, for whoever sees topics for the first time."""

from __future__ import annotations

import streamlit as st

from pages.components.texts import _


def draw_guide() -> None:
    """How a topic comes to its first opt-ins."""
    steps = [
        ("label", _("1. Create a topic"), _("Give it a name your team will recognise, and save it.")),
        (
            "notification_add",
            _("2. Let customers agree"),
            _("Insert “+OTNR” into a message and choose the topic. Customers tap “Notify Me”."),
        ),
        (
            "campaign",
            _("3. Notify them once"),
            _("Send one broadcast to those who agreed. For the next one, ask them again."),
        ),
    ]
    for column, (icon, title, text) in zip(st.columns(3), steps, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f":material/{icon}: **{title}**")
            st.markdown(text)
