"""How an operator who has a password comes by single sign-on from now on: they give the password, show their
account at the provider, and say yes to it here."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Role
from core.accounts.session_queries import SessionView
from core.accounts.single_sign_on.attempts import Proposal, unseal_proposal
from core.accounts.single_sign_on.linking import find_other, link, prove_password
from core.accounts.single_sign_on.rules import TROUBLES, Identity, Trouble
from core.clock import utc_now
from core.errors import N_
from core.settings import settings
from pages.components import session
from pages.components.dialogs import close_dialog, open_dialog
from pages.components.markdown import escape_markdown
from pages.components.texts import _, language, state_label
from pages.shell import browser
from pages.shell.single_sign_on import ACCOUNT, link_address

CONSEQUENCES = N_(
    "From then on you sign in with your company account. Your name, your fanpages and everything you "
    "have done here stay; your role is the one you have there. Your password and second factor here "
    "are deleted."
)


def take_proposal() -> None:
    """Takes the account that the provider has vouched for out of the address, and asks about it."""
    if sealed := st.query_params.get(ACCOUNT):
        st.session_state["link_account"] = sealed
        open_dialog("link")
        st.query_params.pop(ACCOUNT, None)  # last: a run that is cut short before it takes the account again
        st.rerun()


def draw_link(found: SessionView) -> None:
    """Draws what comes next on the way to single sign-on: the password, or whether this is their account."""
    sealed = st.session_state.get("link_account")
    proposal = unseal_proposal(sealed, utc_now()) if sealed else None
    if proposal is not None and proposal.links == found.id:
        _ask(found, proposal)
        return
    if sealed:
        st.warning(_(TROUBLES[Trouble.STALE]), icon=":material/history:")
    _draw_form(found)


def forget_proposal() -> None:
    """Does nothing with the account that was asked about."""
    st.session_state.pop("link_account", None)


def _ask(found: SessionView, asked: Proposal) -> None:
    who = Identity(asked.issuer, asked.subject, asked.name, Role(asked.role))
    st.markdown(_("You chose this account:"))
    st.markdown(f"**{escape_markdown(asked.shown)}**")
    st.markdown(_("Its role is **{role}**.", role=state_label("role", asked.role)[0]))
    other = session.do(lambda: find_other(found.operator.id, who) or "")
    if other is None:
        _draw_buttons(found, None)
        return
    if other:
        taken = _(
            "It currently belongs to the user **{name}**, who will be disabled.", name=escape_markdown(other)
        )
        st.warning(taken, icon=":material/warning:")
    st.caption(_(CONSEQUENCES))
    _draw_buttons(found, who)


def _draw_buttons(found: SessionView, who: Identity | None) -> None:
    """Of an account that may not be used, only the way back."""
    with st.container(key="link_buttons", horizontal=True, horizontal_alignment="right"):
        st.button(_("Go back"), key="link_keep", on_click=_keep)
        if who and st.button(_("Use this account"), key="link_confirm", type="primary"):
            _link(found, who)


def _keep() -> None:
    forget_proposal()
    close_dialog("link")


def _link(found: SessionView, who: Identity) -> None:
    by, there, told, now = found.actor, browser.address(), browser.description(), utc_now()
    ticket = session.do(lambda: link(by, who, there, browser=told, now=now))
    if ticket is not None:
        browser.fetch_cookie(
            ticket, welcome=(found.operator.id, _("From now on you sign in with your company account."))
        )
        st.rerun(scope="app")


def _draw_form(found: SessionView) -> None:
    """Once the password is right, the browser goes on to the provider."""
    st.markdown(_(CONSEQUENCES))
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
