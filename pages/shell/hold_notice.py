"""Says on every page that the installation is held or has another key, and what to do."""

from __future__ import annotations

import streamlit as st

from core.db import holding, migrations
from core.errors import WrongState
from core.installation import key_check
from core.installation.key_check import AnotherKey
from pages.components.session import Current
from pages.components.stop_all import draw_stop_notice
from pages.components.texts import _


def draw_hold_notice(here: Current) -> None:
    """Why nothing is sent, if the installation is held."""
    if found := holding.current_hold():
        draw_stop_notice(here, found)


def stop_at_another_revision() -> None:
    """Stop the page when the database is of another version, before anything reads a table of it."""
    try:
        migrations.refuse_unless_current()
    except WrongState as refused:
        st.error(_(refused.template, **refused.values), icon=":material/database_off:")
        st.stop()


def stop_at_another_key() -> None:
    """Stop the page when this process has another secret key: what was entered here, nobody could decrypt."""
    try:
        key_check.refuse_another_key()
    except AnotherKey as refused:
        st.error(_(refused.template), icon=":material/key_off:")
        st.stop()
