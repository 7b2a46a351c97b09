"""The sign-in gate: streamlit-authenticator over the operators in the database, wrapped thinly.

What it leaves open and how each point is closed: docs/security.md.
"""

from __future__ import annotations

import streamlit as st
from streamlit_authenticator.controllers import AuthenticationController
from streamlit_authenticator.models.cookie_model import CookieModel

from core.accounts import actions, queries, sign_in
from core.accounts.passwords import password_matches
from core.accounts.queries import OperatorView
from core.accounts.rules import SEEN_EVERY, normalise_operator_name
from core.clock import utc_now
from core.errors import OperatorError
from pages.components import session
from pages.components.texts import _, error_text
from pages.shell import account, browser, cookie, style
from pages.shell.password_form import change_password


class _Cookie(CookieModel):  # type: ignore[misc]
    """Reads the cookie as the library does, without its component that writes it from JavaScript."""

    def __init__(self) -> None:
        self.cookie_name = cookie.NAME
        self.cookie_key = cookie.signing_key()
        self.cookie_expiry_days = cookie.LIFETIME_SECONDS / 86400


def gate() -> OperatorView | None:
    """The signed-in operator; None after the sign-in form (or the forced password change) was drawn."""
    operator = session.signed_in() or _from_cookie()
    if operator is None:
        browser.clear_cookie()
        return _sign_in_form()
    browser.send_ticket()
    _note_seen(operator)
    if operator.must_change_password:
        _first_password(operator)
        return None
    return operator


def _from_cookie() -> OperatorView | None:
    if st.session_state.get("signed_out") or cookie.NAME not in st.context.cookies:
        return None
    st.session_state["logout"] = None
    claims = _Cookie().get_cookie()
    if not claims:
        return None
    at = cookie.signed_in_at(float(claims["exp_date"]))
    operator = queries.find_session_by_name(claims["username"], at, utc_now())
    if operator is not None:
        browser.begin(operator, at)
    return operator


def _sign_in_form() -> OperatorView | None:
    slot = st.empty()
    with slot.container(key="sign_in"):
        style.draw_brand()
        st.markdown(_("One-time notifications on Messenger, sent with consent."))
        if why := st.session_state.get("ended_because"):
            st.warning(why, icon=":material/logout:")
        with st.form("sign_in_form", border=False):
            name = st.text_input(_("User name"), key="sign_in_name", autocomplete="username")
            password = st.text_input(
                _("Password"), key="sign_in_password", type="password", autocomplete="current-password"
            )
            pressed = st.form_submit_button(
                _("Sign in"), key="sign_in_submit", type="primary", width="stretch"
            )
        operator = _try(name, password) if pressed else None
        account.draw_language_switch()
    if operator is not None:
        slot.empty()
        st.rerun()
    return None


def _try(name: str, password: str) -> OperatorView | None:
    name, address = normalise_operator_name(name), _address()
    now = utc_now()
    try:
        sign_in.begin_sign_in(name, address, now=now)
    except OperatorError as locked:
        st.error(error_text(locked), icon=":material/lock_clock:")
        return None
    operator = sign_in.complete_sign_in(name, address, now=now) if _password_fits(name, password) else None
    if operator is None:
        st.error(_("This name and password do not belong together."), icon=":material/error:")
        return None
    browser.begin_anew(operator, now)
    return operator


def _address() -> str:
    """The browser's address, empty on the same machine; behind a proxy see docs/security.md."""
    seen = st.context.ip_address
    return seen if isinstance(seen, str) else ""


def _password_fits(name: str, password: str) -> bool:
    known = queries.find_password_hash(name)
    if known is None or len(password.encode("utf-8", "surrogatepass")) > 72:
        return password_matches(password, None)  # takes as long as a known name would
    credentials = {"usernames": {name: {"password": known, "name": name}}}
    library = AuthenticationController(credentials, auto_hash=False, secret_key=cookie.signing_key())
    return bool(password) and bool(library.login(name, password))


def _note_seen(operator: OperatorView) -> None:
    now = utc_now()
    if operator.last_seen_at is None or now - operator.last_seen_at > SEEN_EVERY:
        actions.record_last_seen(operator.id, now=now)


def _first_password(operator: OperatorView) -> None:
    with st.container(key="sign_in"):
        st.title(_("Choose your own password"), anchor=False)
        st.markdown(_("The one you signed in with was made for you, so others may have seen it."))
        note = change_password(operator, key="first_password")
        st.button(_("Sign out"), key="first_password_sign_out", type="tertiary", on_click=browser.sign_out)
    if note:
        session.flash(note)
        st.rerun()
