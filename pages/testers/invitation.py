"""The dialog that makes a code word, and shows how to bring it to the fanpage."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.conversation.entry_kinds.ref import link_address
from core.fanpages.queries import FanpageView
from core.testers.actions import invite_tester, renew_code
from core.testers.queries import TesterView, list_testers
from core.testers.rules import NAME_LIMIT, ref_for, word_for
from pages.components import page_registry
from pages.components.character_counter import show_counter
from pages.components.dialogs import close_dialog, dialog, open_dialog, run_and_close
from pages.components.markdown import escape_markdown
from pages.components.qr_code import qr_png
from pages.components.session import attempt, current, flash
from pages.components.texts import _, when

_NEW, _CODE = "tester_new", "tester_code"
_SHOWN = "tester_shown"
_REFRESH_SECONDS = 2


def begin() -> None:
    """Callback: asks who is to be a tester."""
    open_dialog(_NEW)


def show(tester_id: int) -> None:
    """Callback: shows the code of somebody who has not joined yet; a new one if it has expired."""
    tester = _find(tester_id)
    if tester is not None and (tester.code_expires_at is None or tester.code_expires_at <= utc_now()):
        error, _renewed = attempt(lambda: renew_code(current().actor, tester_id, now=utc_now()))
        if error is not None:
            flash(error, icon=":material/error:")
            return
    st.session_state[_SHOWN] = tester_id
    open_dialog(_CODE)


def draw_dialog(fanpage: FanpageView, testers: list[TesterView]) -> None:
    """Shows whichever of the two is open."""
    own = current().actor.id
    is_there = any(each.operator_id == own and each.customer_id is not None for each in testers)
    dialog(_NEW, _("Who should get test messages?"), lambda: _ask(fanpage, is_there=is_there))
    dialog(_CODE, _("One step in Messenger"), lambda: _show_code(fanpage))


def _ask(fanpage: FanpageView, *, is_there: bool) -> None:
    choices = {"me": _("Me, on my own phone"), "other": _("Somebody else on my team")}
    who = st.radio(
        _("Who"),
        list(choices),
        index=1 if is_there else 0,
        key="tester_who",
        format_func=choices.__getitem__,
        label_visibility="collapsed",
    )
    if who == "me" and is_there:
        st.caption(_("You are already a tester; the new phone replaces the old one."))
    if who == "other":
        show_counter(
            st.text_input(_("Name (only your team sees it)"), key="tester_name"), NAME_LIMIT, only_near=True
        )
    with st.container(key="tester_new_buttons", horizontal=True, horizontal_alignment="right"):
        st.button(
            _("Create the code"),
            key="tester_new_submit",
            type="primary",
            on_click=run_and_close,
            args=(_NEW, lambda: _invite(fanpage.id)),
        )


def _invite(fanpage_id: int) -> None:
    name = None if st.session_state["tester_who"] == "me" else st.session_state.get("tester_name", "")
    made = invite_tester(current().actor, fanpage_id, name=name, now=utc_now())
    st.session_state[_SHOWN] = made
    open_dialog(_CODE)


@st.fragment(run_every=_REFRESH_SECONDS)
def _show_code(fanpage: FanpageView) -> None:
    tester = _find(st.session_state.get(_SHOWN, 0))
    if tester is None or tester.customer_id is not None:
        words = (
            _("{name} is now a tester.", name=escape_markdown(tester.name))
            if tester
            else _("This code no longer exists.")
        )
        st.success(words, icon=":material/check_circle:") if tester else st.info(words)
        st.button(_("Close"), key="tester_code_close", type="primary", on_click=_close)
        return
    word, ref = word_for(tester.code or ""), ref_for(tester.code or "")
    st.markdown(_("Write this to **{fanpage}** in Messenger:", fanpage=escape_markdown(fanpage.name)))
    st.code(word, language=None)
    if fanpage.is_demo:
        st.markdown(_("In the demo, write it on a customer's phone."))
        page_registry.link("phone", _("A customer's phone"), icon=":material/smartphone:")
    else:
        st.markdown(_("Or scan this code with the phone, or open the link there:"))
        address = link_address(fanpage.page_id, ref)
        st.image(qr_png(address), width=180, alt=_("QR code of the link"))
        st.code(address, language=None, wrap_lines=True)
    if tester.code_expires_at:
        good = _("The code works once, until {when}.", when=when(tester.code_expires_at))
        st.caption(good + " " + _("This window tells you when it has arrived."))


def _close() -> None:
    close_dialog(_CODE)
    st.rerun(scope="app")


def _find(tester_id: int) -> TesterView | None:
    fanpage = current().fanpage
    testers = list_testers(fanpage.id) if fanpage else []
    return next((each for each in testers if each.id == tester_id), None)
