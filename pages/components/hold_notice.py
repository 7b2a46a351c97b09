"""Says on every page that the installation is held, and what to do."""

from __future__ import annotations

import streamlit as st

from core import holding
from pages.components.texts import _


def show() -> None:
    if found := holding.standing():
        st.error(_(found.template, place=found.place), icon=":material/front_hand:")
