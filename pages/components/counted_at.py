"""When the numbers beside it were counted, where that was not just now."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from core.clock import utc_now
from pages.components.texts import _, ago

JUST_NOW = timedelta(seconds=10)


def draw_counted(counted_at: datetime | None) -> None:
    """`counted_at` None: just now."""
    if counted_at is not None and utc_now() - counted_at > JUST_NOW:
        st.caption(_("Updated {when}.", when=ago(counted_at)))
