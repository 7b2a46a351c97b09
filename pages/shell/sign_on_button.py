"""The button that leads to single sign-on, and why that did not work the last time."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.accounts.single_sign_on.rules import TROUBLES, Trouble
from core.settings import settings
from core.text.catalogues import languages
from pages.components.texts import _, language
from pages.shell.single_sign_on import LANGUAGE, TROUBLE, address


def draw(path: str) -> None:
    """The button; `path` is that of the page to come back to. It is a link: the browser itself goes there,
    and a click does not wait for a run."""
    take_note()
    if trouble := st.session_state.get("sign_on_trouble"):
        st.warning(_(TROUBLES[trouble]), icon=":material/no_accounts:")
    name = settings().sso_name
    words = _("Sign in with {name}", name=name) if name else _("Sign in with your company account")
    there = address(path, urlencode(st.query_params.to_dict()), language())
    with st.container(key="sign_on"):
        st.html(f'<a class="otn-button" href="{escape(there)}" target="_self">{escape(words)}</a>')


def take_note() -> None:
    """Takes out of the address why it did not work, so that nothing of it stays there."""
    said, spoken = st.query_params.get(TROUBLE), st.query_params.get(LANGUAGE)
    if said is None:
        return
    for name in (TROUBLE, LANGUAGE):
        st.query_params.pop(name, None)
    with suppress(ValueError):
        st.session_state["sign_on_trouble"] = Trouble(said)
    if spoken in languages():
        st.session_state["language"] = spoken
    st.rerun()
