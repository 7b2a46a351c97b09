"""One's own account: where one is signed in, and the second factor."""

import streamlit as st

from core.accounts import actions, sessions
from core.accounts.session_queries import SessionView, list_sessions
from core.clock import utc_now
from pages.components import session
from pages.components.dialogs import confirm, open_dialog
from pages.components.layout import page_header, section
from pages.components.markdown import escape_markdown
from pages.components.second_factor import draw_second_factor
from pages.components.session import attempt, current, flash, signed_in
from pages.components.texts import _, ago, state_label, when


def draw_page() -> None:
    actor = current().actor
    here = signed_in()
    slot = page_header(
        _("My account"), _("Where you are signed in, and how your account is protected."), key="account"
    )
    slot.button(
        _("Sign out everywhere"),
        key="account_out_everywhere",
        icon=":material/logout:",
        on_click=open_dialog,
        args=("account_everywhere",),
    )
    role = state_label("role", actor.role)[0]
    st.markdown(
        _("You are **{name}**, with the role **{role}**.", name=escape_markdown(actor.name), role=role)
    )
    from_elsewhere = here is not None and here.operator.has_single_sign_on
    if from_elsewhere:
        st.caption(_("You come by single sign-on: password, second factor and role are managed there."))
    section(_("Where you are signed in"))
    if from_elsewhere:
        st.caption(_("If one of these is not you, sign it out and tell the person who manages your account."))
    else:
        st.caption(_("If one of these isn't you, sign it out and change your password."))
    for found in list_sessions(actor.id or 0, utc_now()):
        _row(found, is_here=found.id == actor.session_id)
    if not from_elsewhere:
        section(_("Second factor"))
        draw_second_factor(here, key="second_factor")
    confirm(
        "account_everywhere",
        _("Sign out everywhere?"),
        _("All your sessions end at once, including this one. Then you sign in again."),
        _("Sign out everywhere"),
        _end_all,
    )


def _row(found: SessionView, *, is_here: bool) -> None:
    with st.container(key=f"session_{found.id}", border=True):
        what, seen, more = st.columns([4, 4, 3], vertical_alignment="center")
        with what:
            st.text(found.browser or _("Unknown browser"))
            st.caption(found.address or _("this machine"))
        with seen:
            st.caption(_("Signed in {when}", when=when(found.signed_in_at)))
            st.caption(_("Last seen {when}", when=ago(found.last_seen_at)))
        with more:
            if is_here:
                st.badge(_("This browser"), icon=":material/check:", color="green")
            else:
                st.button(
                    _("Sign out"),
                    key=f"session_{found.id}_out",
                    on_click=_end,
                    args=(found.id,),
                    width="stretch",
                )


def _end(session_id: int) -> None:
    by = current().actor
    text, _value = attempt(lambda: sessions.end_session(by, session_id, now=utc_now()))
    flash(text or _("That session has ended."), *([":material/error:"] if text else []))


def _end_all() -> None:
    by, found = current().actor, signed_in()
    actions.end_sessions(by, by.id or 0, now=utc_now())
    session.leave(found)


draw_page()
