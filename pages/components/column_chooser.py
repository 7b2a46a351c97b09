"""The columns of a list that somebody wants to see: chosen above it, and kept for them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.list_columns import choose_columns, chosen_columns
from core.clock import utc_now
from pages.components.first_values import show_first
from pages.components.session import attempt, current, flash
from pages.components.tables import Column
from pages.components.texts import _


def choose(list_name: str, columns: Sequence[Column]) -> list[Column]:
    """Draws the menu of columns; returns those to show. A column without a key is always there."""
    free = [column for column in columns if column.key]
    kept = chosen_columns(current().actor.id, list_name)
    shown = kept if kept is not None else {column.key for column in free if not column.is_extra}
    with st.popover(_("Columns"), icon=":material/view_column:", key=f"{list_name}_columns"):
        for column in free:
            key = f"{list_name}_column_{column.key}"
            show_first(key, column.key in shown)
            st.checkbox(column.label, key=key, on_change=_keep, args=(list_name, [c.key for c in free]))
    return [column for column in columns if not column.key or column.key in shown]


def _keep(list_name: str, keys: list[str]) -> None:
    wanted = [key for key in keys if st.session_state.get(f"{list_name}_column_{key}")]
    by = current().actor
    refused, _done = attempt(lambda: choose_columns(by, list_name, wanted, now=utc_now()))
    if refused:
        flash(refused, ":material/error:")
