"""This browser's session: who signed in and when, and how the browser gets and loses its cookie."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from core.accounts import sign_in
from core.accounts.queries import OperatorView
from core.clock import utc_now
from pages.components import session
from pages.shell import cookie


def begin(operator: OperatorView, at: datetime) -> None:
    """Signs this session in. A session that came by a cookie needs no ticket, see `begin_anew`."""
    st.session_state["operator_id"] = operator.id
    st.session_state["signed_in_at"] = at
    st.session_state.pop("signed_out", None)
    st.session_state.pop("ended_because", None)
    if operator.language:
        st.session_state["language"] = operator.language


def begin_anew(operator: OperatorView, at: datetime) -> None:
    """As `begin`, and has the browser fetch a cookie for it."""
    begin(operator, at)
    st.session_state["ticket"] = cookie.ticket_of(cookie.token_of(operator.name, at))
    st.session_state["ticket_until"] = at.timestamp() + cookie.TICKET_SECONDS


def send_ticket() -> None:
    """Has the browser fetch its cookie. Drawn again for as long as the ticket is good, since a quick
    rerun may take the first one away before the browser saw it."""
    ticket = st.session_state.get("ticket")
    if ticket is None:
        return
    if utc_now().timestamp() > st.session_state["ticket_until"]:
        del st.session_state["ticket"]
        return
    _run(f'fetch("/session", {{method: "POST", body: "{escape(ticket)}"}})')


def clear_cookie() -> None:
    """Has the browser drop its cookie after a sign-out."""
    if st.session_state.get("signed_out"):
        _run('fetch("/session", {method: "DELETE"})')


def _run(script: str) -> None:
    """In the page itself: a session reaches its browser through no other way than what it draws."""
    with st.container(key="sign_in_script"):
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def sign_out() -> None:
    """Callback: ends every session of this operator and forgets this one."""
    operator = session.signed_in()
    if operator is not None:
        by = session.actor_of(operator)
        session.attempt(lambda: sign_in.sign_out(by, now=utc_now()))
    session.forget()
    st.session_state["signed_out"] = True
