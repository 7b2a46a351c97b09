"""Sending a message or a broadcast to a tester, and what became of it: a dialog of several pages."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.conversation.rules import ReplyState
from core.fanpages.queries import get_fanpage
from core.testers.queries import TesterView, TestView, list_testers, list_tests
from core.testers.rules import About
from core.testers.sending import WINDOW_CLOSED, send_broadcast_test, send_message_test
from pages.components import page_registry
from pages.components.broadcast_words import reason_word
from pages.components.chosen import keep_chosen
from pages.components.dialogs import dialog, open_dialog
from pages.components.layout import badge_markdown
from pages.components.markdown import escape_markdown
from pages.components.session import attempt, current
from pages.components.texts import _, ago, n_, when

KEY = "test_send"
_REFRESH_SECONDS = 2
_ERROR = "test_send_error"


def draw_test_button(*, main: bool = False) -> None:
    """The button that opens the dialog, for whoever may write messages."""
    if current().actor.may(Permission.EDIT):
        st.button(
            _("Send a test…"),
            key=f"{KEY}_open",
            icon=":material/send_to_mobile:",
            type="secondary" if main else "tertiary",
            on_click=_open,
        )


def draw_test_dialog(about: About, about_id: int, fanpage_id: int) -> None:
    """Shows the dialog while it is open. What is being written must be saved before it is drawn."""
    dialog(KEY, _("Send a test"), lambda: _body(about, about_id, fanpage_id))


def _open() -> None:
    st.session_state.pop(_ERROR, None)
    open_dialog(KEY)


@st.fragment(run_every=_REFRESH_SECONDS)
def _body(about: About, about_id: int, fanpage_id: int) -> None:
    st.markdown(
        _(
            "It arrives in Messenger exactly as customers will get it. It uses no opt-in and is not "
            "counted in any figures."
        )
    )
    testers = [each for each in list_testers(fanpage_id) if each.customer_id is not None]
    if testers:
        _choose_and_send(testers, about, about_id, fanpage_id)
    else:
        words = _("No phone gets test messages yet: make yourself a tester, it takes a minute.")
        st.info(words, icon=":material/phone_iphone:")
    page_registry.link("testers", _("Testers"), icon=":material/science:")
    _draw_tests(list_tests(about, about_id))


def _choose_and_send(testers: list[TesterView], about: About, about_id: int, fanpage_id: int) -> None:
    own = current().actor.id
    names = {each.id: _name(each, own) for each in sorted(testers, key=lambda each: each.operator_id != own)}
    chosen = st.selectbox(
        _("To"),
        list(names),
        key=keep_chosen(f"{KEY}_to", names),
        format_func=lambda one: names.get(one, ""),
        placeholder=_("Choose a tester"),
    )
    tester = next((each for each in testers if each.id == chosen), None)
    if tester is None:
        return
    may_get = tester.may_get(utc_now())
    if may_get and tester.window_closes_at:
        st.caption(_("Can get test messages until {when}.", when=when(tester.window_closes_at)))
    else:
        words = _(
            WINDOW_CLOSED,
            fanpage=escape_markdown(get_fanpage(fanpage_id).name),
            name=escape_markdown(tester.name),
        )
        st.warning(words, icon=":material/lock_clock:")
    is_own = tester.operator_id == own
    st.button(
        _("Send to me") if is_own else _("Send to {name}", name=escape_markdown(tester.name)),
        key=f"{KEY}_submit",
        type="primary",
        icon=":material/send:",
        disabled=not may_get,
        on_click=_send,
        args=(about, about_id, tester.id),
    )
    if error := st.session_state.get(_ERROR):
        st.error(error, icon=":material/error:")


def _name(tester: TesterView, own: int | None) -> str:
    return _("Me ({name})", name=tester.name) if tester.operator_id == own else tester.name


def _send(about: About, about_id: int, tester_id: int) -> None:
    send = send_message_test if about == About.MESSAGE else send_broadcast_test
    error, _id = attempt(lambda: send(current().actor, tester_id, about_id, now=utc_now()))
    st.session_state[_ERROR] = error


def _draw_tests(tests: list[TestView]) -> None:
    if not tests:
        return
    with st.container(key=f"{KEY}_tests", border=True, gap="small"):
        for test in tests:
            st.markdown(f"{badge_markdown('reply', test.state)} {_said(test)}")


def _said(test: TestView) -> str:
    """To whom it went and when, and what is known of it since."""
    facts = [f"{escape_markdown(test.to)} · {ago(test.created_at)}"]
    if test.messages > 1:
        facts.append(n_("{n} message", "{n} messages", test.messages))
    if test.reason and test.state != ReplyState.SENT:
        facts.append(reason_word(test.reason))
    if test.tapped_at:
        facts.append(_("“Notify me” tapped"))
    elif test.read_at:
        facts.append(_("read"))
    return " · ".join(facts)
