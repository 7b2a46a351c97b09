"""Doing something on an operator's behalf: what they are told when it works, is refused, or breaks."""

import re

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from core import logs
from pages.components import session
from tests.pages.conftest import an_operator, opened


def one_button() -> None:
    import streamlit as st

    from core.errors import WrongState
    from pages.components import session

    def refused() -> None:
        raise WrongState("This user no longer exists.")

    def broken() -> None:
        raise RuntimeError("secret-in-the-message")

    def full() -> None:
        raise OSError(28, "No space left on device")

    actions = {"refused": refused, "broken": broken, "full": full, "none": lambda: None, "seven": lambda: 7}
    session.draw_flashes()
    st.text(repr(session.do(actions[st.session_state["asked"]], done="Saved.")))


def asked(what: str) -> AppTest:
    at = AppTest.from_function(one_button)
    at.session_state["asked"] = what
    return at.run()


def test_a_refusal_is_shown_in_its_own_words_and_nothing_is_flashed(fresh_database):
    at = asked("refused")
    assert (at.text[0].value, at.error[0].value) == ("None", "This user no longer exists.")
    assert not at.run().toast


def test_a_full_disk_is_said(fresh_database):
    assert asked("full").error[0].value.startswith("The disk of the server is full, so nothing was saved.")


def test_what_nobody_foresaw_is_logged_under_the_code_that_is_shown(fresh_database):
    with capture_logs(processors=[merge_contextvars]) as lines:
        at = asked("broken")
    code = re.search(r"this code: (\w{12})$", at.error[0].value)[1]
    assert "secret" not in at.error[0].value
    assert [line["event"] for line in lines if line["request_id"] == code and line["exc_info"]] == [
        "panel_failed"
    ]


def test_each_action_is_logged_under_an_id_of_its_own(fresh_database):
    ids = [session.attempt(logs.request_id)[1] for _ in range(2)]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(("what", "value"), [("seven", "7"), ("none", "True")])
def test_a_success_gives_its_value_and_a_note_that_outlives_a_rerun(fresh_database, what, value):
    at = asked(what)
    assert at.text[0].value == value
    assert not at.error
    assert [toast.value for toast in at.run().toast] == ["Saved."]


def test_forgetting_a_session_keeps_only_the_language(fresh_database, monkeypatch):
    state = {"operator_id": 1, "language": "en", "anything": "else"}
    monkeypatch.setattr(st, "session_state", state)
    session.forget()
    assert state == {"language": "en"}


def test_a_fanpage_that_is_gone_gives_way_to_the_first(arrange):
    first = arrange.fanpage("A")
    arrange.fanpage("B")
    at = opened(an_operator(arrange, "viewer"), page="activity", fanpage_id=404)
    assert at.session_state["fanpage_id"] == first  # the chosen one is gone


def test_the_zone_is_the_fanpages(arrange):
    tokyo = arrange.fanpage("B", timezone="Asia/Tokyo")
    at = opened(an_operator(arrange, "viewer"), page="activity", fanpage_id=tokyo)
    assert at.session_state["zone"] == "Asia/Tokyo"


def test_the_fanpage_chosen_last_is_there_after_a_reload(arrange):
    arrange.fanpage("A")
    second = arrange.fanpage("B")
    me = an_operator(arrange, "viewer")
    opened(me, page="activity").selectbox(key="fanpage_switch").select(second).run()
    assert opened(me, page="activity").session_state["fanpage_id"] == second
    other = opened(an_operator(arrange, "viewer", "other"), page="activity")
    assert other.session_state["fanpage_id"] != second


def broken_page() -> None:
    import streamlit as st

    from pages.shell import frame

    st.text(repr(frame.unforeseen(RuntimeError("secret-in-the-message"))))


def test_an_exception_of_a_page_is_answered_calmly_by_the_server(fresh_database):
    at = AppTest.from_function(broken_page).run()
    assert at.text[0].value == "True"  # Streamlit shows nothing of its own then
    assert "tell your admin this code" in at.error[0].value
    assert "secret" not in at.error[0].value
