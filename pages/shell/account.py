"""The foot of the sidebar: language, own password, sign-out."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.accounts import actions
from core.accounts.session_queries import SessionView
from core.accounts.single_sign_on.rules import TROUBLES
from core.clock import utc_now
from core.settings import settings
from core.text.catalogues import languages
from pages.components import session
from pages.components.dialogs import dialog, open_dialog
from pages.components.texts import _, language
from pages.shell import browser, sign_on_button, style
from pages.shell.link_form import draw_link, forget_proposal, take_proposal
from pages.shell.password_form import change_password


def draw_account(here: session.Current, *, has_password: bool) -> None:
    """The foot of the sidebar, and the dialogs for an own password and for single sign-on in its place."""
    may_link = has_password and settings().has_single_sign_on
    with st.container(key="account", gap="small"):
        style.draw_theme_switch()
        draw_language_switch()
        choices = {
            "account": f":material/manage_accounts: {_('My account')}",
            **({"password": f":material/key: {_('Change password')}"} if has_password else {}),
            **({"link": f":material/badge: {_('Use your company account…')}"} if may_link else {}),
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
    dialog("own_password", _("Change password"), lambda: _of_own(_change_password))
    asked = _("Sign in with your company account")
    dialog("link", asked, lambda: _of_own(draw_link), closed=forget_proposal)
    sign_on_button.take_note()
    if may_link:
        take_proposal()
    if trouble := st.session_state.pop("sign_on_trouble", None):
        session.flash(_(TROUBLES[trouble]), ":material/no_accounts:")


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
    elif chosen in ("password", "link"):
        forget_proposal()
        open_dialog("own_password" if chosen == "password" else "link")
    else:
        st.session_state["go_to"] = chosen


def _of_own(draw: Callable[[SessionView], None]) -> None:
    if found := session.signed_in():
        draw(found)


def _change_password(found: SessionView) -> None:
    change_password(found, key="own_password")


def _speak() -> None:
    st.session_state["language"] = st.session_state["language_switch"]
    found = session.signed_in()
    if found is not None:
        by, chosen = found.actor, language()
        session.attempt(lambda: actions.set_language(by, chosen, now=utc_now()))
