"""The foot of the sidebar: language, own password, sign-out."""

from __future__ import annotations

import streamlit as st

from core.accounts import actions
from core.clock import utc_now
from core.text.catalogues import languages
from pages.components import session
from pages.components.dialogs import dialog, open_dialog
from pages.components.texts import _, language
from pages.shell import browser, style
from pages.shell.password_form import change_password


def draw_account(here: session.Current, *, has_password: bool) -> None:
    """The foot of the sidebar, and the dialog for an own password."""
    with st.container(key="account", gap="small"):
        style.draw_theme_switch()
        draw_language_switch()
        choices = {
            "account": f":material/manage_accounts: {_('My account')}",
            **({"password": f":material/key: {_('Change password')}"} if has_password else {}),
            "sign_out": f":material/logout: {_('Sign out')}",
        }
        st.menu_button(
            here.actor.name,
            list(choices),
            key="account_menu",
            icon=":material/account_circle:",
            format_func=choices.__getitem__,
            on_click=_account_chosen,
            width="stretch",
        )
    dialog("own_password", _("Change password"), _own_password)


def draw_language_switch() -> None:
    """Draws the choice of a language, each by its own name."""
    # Before the widget is drawn: Streamlit refuses to have its value set in the same run afterwards.
    st.session_state["language_switch"] = language()
    st.segmented_control(
        _("Language"),
        list(languages()),
        required=True,
        key="language_switch",
        format_func=languages().__getitem__,
        on_change=_speak,
        label_visibility="collapsed",
        width="stretch",
    )


def _account_chosen() -> None:
    chosen = st.session_state["account_menu"]
    if chosen == "sign_out":
        browser.sign_out()
    elif chosen == "password":
        open_dialog("own_password")
    else:
        st.session_state["go_to"] = chosen


def _own_password() -> None:
    if found := session.signed_in():
        change_password(found, key="own_password")


def _speak() -> None:
    st.session_state["language"] = st.session_state["language_switch"]
    found = session.signed_in()
    if found is not None:
        by, chosen = found.actor, language()
        session.attempt(lambda: actions.set_language(by, chosen, now=utc_now()))
