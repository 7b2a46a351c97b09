"""The form by which an operator changes their own password."""

from __future__ import annotations

import streamlit as st

from core.accounts import actions
from core.accounts.rules import PASSWORD_MINIMUM
from core.accounts.session_queries import SessionView
from core.clock import utc_now
from pages.components import session
from pages.components.texts import _
from pages.shell import browser


def change_password(found: SessionView, *, key: str) -> None:
    """Draws the form; when it was sent, changes the password and goes on in a new session."""
    with st.form(f"{key}_form", border=False):
        old = st.text_input(
            _("Current password"), key=f"{key}_old", type="password", autocomplete="current-password"
        )
        new = st.text_input(
            _("New password"),
            key=f"{key}_new",
            type="password",
            autocomplete="new-password",
            help=_(
                "At least {minimum} characters. A few words that only you would put together work best.",
                minimum=PASSWORD_MINIMUM,
            ),
        )
        again = st.text_input(
            _("Repeat the new password"), key=f"{key}_again", type="password", autocomplete="new-password"
        )
        if not st.form_submit_button(_("Change password"), key=f"{key}_submit", type="primary"):
            return
    if new != again:
        st.error(_("The two new passwords do not match."), icon=":material/error:")
        return
    by, told, now = found.actor, browser.description(), utc_now()
    ticket = session.do(lambda: actions.change_own_password(by, old, new, browser=told, now=now))
    if ticket is not None:
        done = _("Your password has been changed. All your other sessions have ended.")
        browser.fetch_cookie(ticket, welcome=(found.operator.id, done))
        st.rerun(scope="app")
