"""How long things are kept, for the health page."""

from __future__ import annotations

import streamlit as st

from core.retention.periods import list_kept
from core.settings import settings
from pages.components.tables import Column, table
from pages.components.texts import _


def draw_retention() -> None:
    """Every kind of record that the worker deletes by its age, folded away."""
    with st.expander(_("How long things are kept"), icon=":material/auto_delete:"):
        st.markdown(
            _(
                "The worker deletes these when their time is up. Opt-ins, opt-outs, customers and "
                "broadcasts stay."
            )
        )
        columns = [
            Column(_("What"), lambda kept: _(kept.words), "48%", wraps=True),
            Column(_("Days"), lambda kept: kept.period.days),
            Column(_("Setting"), lambda kept: kept.setting, "34%"),
        ]
        table(columns, list_kept(settings()), key="health_retention")
