"""The sign-in gate: streamlit-authenticator over the operators in the database, wrapped thinly.

What it leaves open and how each point is closed: docs/security.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st
from streamlit_authenticator.controllers import AuthenticationController

from core.accounts import queries, sessions, sign_in
from core.accounts.passwords import password_matches
from core.accounts.rules import normalise_operator_name
from core.accounts.second_factor import WRONG_CODE
from core.accounts.session_queries import SessionView
from core.accounts.session_rules import SEEN_EVERY
from core.clock import utc_now
from core.encryption import derived_key
from core.errors import OperatorError
from core.settings import settings
from pages.components import session
from pages.components.second_factor import draw_set_up
from pages.components.texts import _, error_text
from pages.shell import account, browser, sign_on_button, style
from pages.shell.password_form import change_password

CODE_WITHIN = timedelta(minutes=5)


def gate(path: str = "") -> SessionView | None:
    """The session of who is signed in; None after the sign-in form (or what else comes first) was drawn.
    `path` is that of the page that was asked for."""
    if browser.send_ticket():
        return None  # the page is about to be loaded anew, with the cookie
    found = session.signed_in()
    if found is None:
        browser.clear_cookie()
        _sign_in_form(path)
        return None
    browser.greet(found.operator.id)
    _note_seen(found)
    if found.operator.must_change_password:
        _first_password(found)
        return None
    if found.operator.lacks_second_factor:
        _first_code(found)
        return None
    return found


def _sign_in_form(path: str) -> None:
    slot = st.empty()
    with slot.container(key="sign_in"):
        style.draw_brand()
        st.markdown(_("One-time notifications on Messenger, sent with consent."))
        if why := session.why_ended():
            st.warning(why, icon=":material/logout:")
        if _asked_name():
            ticket = _ask_code()
        elif settings().has_single_sign_on:
            sign_on_button.draw(path)
            ticket = _ask_password_too()
        else:
            ticket = _ask_password()
        account.draw_language_switch()
    if ticket is not None:
        browser.fetch_cookie(ticket)
        slot.empty()
        st.rerun()


def _ask_password_too() -> str | None:
    """The form below the button, folded away where passwords are for admins only."""
    if settings().password_sign_in == "everybody":
        st.caption(_("or with a password"), text_alignment="center")
        return _ask_password()
    with st.expander(_("With a password (admins)"), icon=":material/key:"):
        return _ask_password()


def _ask_password() -> str | None:
    with st.form("sign_in_form", border=False):
        name = st.text_input(_("User name"), key="sign_in_name", autocomplete="username")
        password = st.text_input(
            _("Password"), key="sign_in_password", type="password", autocomplete="current-password"
        )
        pressed = st.form_submit_button(_("Sign in"), key="sign_in_submit", type="primary", width="stretch")
    return _try(name, password) if pressed else None


def _ask_code() -> str | None:
    with st.form("code_form", border=False):
        code = st.text_input(
            _("Code from your phone"),
            key="sign_in_code",
            autocomplete="one-time-code",
            help=_("Six digits from the app you used to set up the second factor."),
        )
        pressed = st.form_submit_button(_("Sign in"), key="code_submit", type="primary", width="stretch")
    st.button(_("Back"), key="code_back", type="tertiary", on_click=_ask_no_code)
    if not pressed:
        return None
    name, now = _asked_name(), utc_now()
    if not _is_counted(name, now):
        return None
    try:
        ticket = _complete(name, now, code, seen_at=st.session_state["code_of"][1])
    except OperatorError as expired:  # since the password was looked at
        st.error(error_text(expired), icon=":material/key_off:")
        _ask_no_code()
        return None
    if ticket is None:
        st.error(_(WRONG_CODE), icon=":material/error:")
    return ticket


def _asked_name() -> str:
    """Who has given the right password in this session, and is asked for a code now."""
    name, seen_at = st.session_state.get("code_of", ("", datetime.min.replace(tzinfo=UTC)))
    return name if utc_now() < seen_at + CODE_WITHIN else ""


def _ask_no_code() -> None:
    st.session_state.pop("code_of", None)


def _try(name: str, password: str) -> str | None:
    name, now = normalise_operator_name(name), utc_now()
    if not _is_counted(name, now):
        return None
    ticket, known = None, queries.find_credentials(name)
    if _password_fits(name, password, known.password_hash):
        if known.has_expired(now):
            st.error(_(sign_in.EXPIRED), icon=":material/key_off:")
            return None
        if known.has_second_factor:
            st.session_state["code_of"] = (name, now)
            st.rerun()
        try:
            ticket = _complete(name, now, hash_seen=known.password_hash)
        except OperatorError as refused:  # not by a password, or not by this one any more
            st.error(error_text(refused), icon=":material/key_off:")
            return None
    if ticket is None:
        st.error(_("Wrong user name or password."), icon=":material/error:")
    return ticket


def _is_counted(name: str, now: datetime) -> bool:
    """Whether this attempt may be made; it is counted before anything is compared."""
    try:
        sign_in.begin_sign_in(name, browser.address(), now=now)
    except OperatorError as locked:
        st.error(error_text(locked), icon=":material/lock_clock:")
        return False
    return True


def _complete(
    name: str,
    now: datetime,
    code: str = "",
    seen_at: datetime | None = None,
    hash_seen: str | None = None,
) -> str | None:
    chosen, told = st.session_state.get("language"), browser.description()
    return sign_in.complete_sign_in(
        name,
        browser.address(),
        code=code,
        browser=told,
        language=chosen,
        password_seen_at=seen_at,
        hash_seen=hash_seen,
        now=now,
    )


def _password_fits(name: str, password: str, known: str | None) -> bool:
    if known is None or len(password.encode("utf-8", "surrogatepass")) > 72:
        return password_matches(password, None)  # takes as long as a known name would
    credentials = {"usernames": {name: {"password": known, "name": name}}}
    library = AuthenticationController(credentials, auto_hash=False, secret_key=derived_key("library").hex())
    return bool(password) and bool(library.login(name, password))


def _note_seen(found: SessionView) -> None:
    now = utc_now()
    if now - found.last_seen_at > SEEN_EVERY:
        sessions.record_seen(found.id, now=now)


def _first_password(found: SessionView) -> None:
    with st.container(key="sign_in"):
        st.title(_("Choose your own password"), anchor=False)
        st.markdown(_("The one you signed in with was created for you, so others may have seen it."))
        change_password(found, key="first_password")
        st.button(_("Sign out"), key="first_password_sign_out", type="tertiary", on_click=browser.sign_out)


def _first_code(found: SessionView) -> None:
    with st.container(key="sign_in"):
        st.title(_("Set up your second factor"), anchor=False)
        st.markdown(_("Your role requires one: a code from your phone as well as the password."))
        draw_set_up(found.actor, key="first_code")
        st.button(_("Sign out"), key="first_code_sign_out", type="tertiary", on_click=browser.sign_out)
