"""The number of people that whoever launches a large broadcast types, where the fanpage asks for it."""

from __future__ import annotations

import streamlit as st

from core.broadcasts.launch_rules import LaunchRules
from pages.components.texts import _, number

_KEY = "launch_people"


def ask_number(rules: LaunchRules, people: int) -> None:
    """A field for the number, when so many people need it, or nearly so many: the action counts anew, and may
    find some more."""
    if rules.may_need_number(people):
        words = _("Type the number of people: {people}", people=number(people))
        st.number_input(words, 0, value=None, step=1, key=_KEY)


def typed_number() -> int | None:
    """What was typed; the action itself refuses another number."""
    typed: int | None = st.session_state.get(_KEY)
    return typed
