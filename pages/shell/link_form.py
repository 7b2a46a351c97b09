"""The form by which an operator who has a password comes by single sign-on from now on."""

from __future__ import annotations

import streamlit as st

from core.accounts.session_queries import SessionView
from core.accounts.single_sign_on.linking import prove_password
from core.clock import utc_now
from core.settings import settings
from pages.components import session
from pages.components.texts import _, language
from pages.shell import browser
from pages.shell.single_sign_on import link_address


def draw_link_form(found: SessionView) -> None:
    """Draws the form; once the password is right, the browser goes on to the provider."""
    st.markdown(
        _(
            "From then on you sign in with your company account. Your name, your fanpages and everything you "
            "have done here stay; your role is the one you have there. Your password and second factor here "
            "are deleted."
        )
    )
    with st.form("link_form", border=False):
        password = st.text_input(
            _("Current password"), key="link_password", type="password", autocomplete="current-password"
        )
        code = (
            st.text_input(_("Code from your phone"), key="link_code", autocomplete="one-time-code")
            if found.operator.has_second_factor
            else ""
        )
        words = _("Go on to {name}", name=settings().sso_name) if settings().sso_name else _("Go on")
        if not st.form_submit_button(words, key="link_submit", type="primary"):
            return
    by, now = found.actor, utc_now()
    if session.do(lambda: prove_password(by, password, code, now=now)):
        browser.go_to(link_address(found.id, language()))
