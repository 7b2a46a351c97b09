"""This browser: how it gets and loses its cookie, and what is told it of where it is."""

from __future__ import annotations

import json

import streamlit as st

from core.accounts import sessions
from core.accounts.session_rules import TICKET_LIFETIME
from core.clock import utc_now
from pages.components import session
from pages.shell import cookie

_NAMES = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
_welcome: dict[int, str] = {}  # by operator: what to say when their page has been loaded anew


def address() -> str:
    """The browser's address, empty on the same machine; behind a proxy see forwarded.py."""
    seen = st.context.ip_address
    return seen if isinstance(seen, str) else ""


def description() -> str:
    """The browser and its system in two words, as far as it says so: "Chrome, Windows"."""
    return described(st.context.headers.get("user-agent") or "")


def described(agent: str) -> str:
    """The browser and its system by what stands in `User-Agent`."""
    name = next((word for mark, word in _NAMES if f"{mark}/" in agent), "")
    system = next((word for word in _SYSTEMS if word in agent), "")
    return ", ".join(each for each in (name, system) if each)


def fetch_cookie(ticket: str, *, welcome: tuple[int, str] | None = None) -> None:
    """From now on every run has the browser trade the ticket for its cookie and load the page anew: a
    connection is known by the cookie that it brought. `welcome` is what this operator is told then."""
    st.session_state["ticket"] = ticket
    st.session_state["ticket_until"] = (utc_now() + TICKET_LIFETIME).timestamp()
    st.session_state.pop("ended_because", None)
    if welcome:
        _welcome[welcome[0]] = welcome[1]


def greet(operator_id: int) -> None:
    """Say what was to be said once the page is loaded anew."""
    if note := _welcome.pop(operator_id, None):
        session.flash(note)


def send_ticket() -> bool:
    """Whether the browser is fetching its cookie. It is told to in every run for as long as the ticket is
    good, since a quick rerun may take the script away before the browser saw it."""
    ticket = st.session_state.get("ticket")
    if ticket is None or utc_now().timestamp() > st.session_state["ticket_until"]:
        st.session_state.pop("ticket", None)
        return False
    _run(
        f"if (window.otnTicket !== {json.dumps(ticket)}) {{ window.otnTicket = {json.dumps(ticket)}; "
        f"{_fetch('POST', ticket)} }}"
    )
    return True


def clear_cookie() -> None:
    """Have the browser drop its cookie after a sign-out, and connect as nobody; or go on to sign out at the
    provider of single sign-on, if they came from there."""
    if st.session_state.get("signed_out"):
        there = f"{cookie.base_path()}/sso/end" if st.session_state.get("signs_out_there") else ""
        _run(f"if (!window.otnSignedOut) {{ window.otnSignedOut = true; {_fetch('DELETE', '', there)} }}")


def go_to(address: str) -> None:
    """Have the browser leave the panel for this address."""
    _run(f"location.assign({json.dumps(address)});")


def _fetch(method: str, body: str, then: str = "") -> str:
    asked = json.dumps({"method": method, **({"body": body} if body else {})})
    address = json.dumps(cookie.base_path() + "/session")
    again = "window.otnTicket = window.otnSignedOut = null;"  # the next run tries it once more
    done = f"location.assign({json.dumps(then)})" if then else "location.reload()"
    return f"fetch({address}, {asked}).then(() => {done}).catch(() => {{ {again} }});"


def _run(script: str) -> None:
    """In the page itself: a session reaches its browser through no other way than what it draws."""
    with st.container(key="sign_in_script"):
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def sign_out() -> None:
    """Callback: ends the session of this browser."""
    found = session.signed_in()
    if found is not None:
        by = found.actor
        session.attempt(lambda: sessions.sign_out(by, now=utc_now()))
    session.leave(found)
