"""A dialog that was open when its operator was disabled, demoted or signed out: the click does nothing, and
says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Operator
from tests.pages.conftest import an_operator, opened


@pytest.fixture
def lan(arrange) -> int:
    return an_operator(arrange, "admin", "lan")


def put(operator_id: int, **values: object) -> None:
    with transaction() as db:
        row = db.get(Operator, operator_id)
        for field, value in values.items():
            setattr(row, field, value)


def open_dialog(arrange, lan: int):
    arrange.fanpage()
    at = opened(lan, page="setup")
    at.button(key="fanpage_rate_open").click().run()
    at.number_input(key="fanpage_rate_value").set_value(30).run()
    return at


@pytest.mark.parametrize("how", ["disabled", "signed out"])
def test_who_is_out_reads_so_at_the_sign_in(arrange, lan, how):
    at = open_dialog(arrange, lan)
    now = utc_now() + timedelta(seconds=1)
    put(lan, **({"disabled_at": now} if how == "disabled" else {"sessions_valid_after": now}))
    at.button(key="fanpage_rate_submit").click().run()
    assert not at.exception
    assert at.text_input(key="sign_in_name") is not None
    assert "Your session has ended" in at.warning[0].value
    assert "operator_id" not in at.session_state


def test_who_was_demoted_reads_so_where_they_are(arrange, lan):
    at = open_dialog(arrange, lan)
    put(lan, role="editor")
    at.button(key="fanpage_rate_submit").click().run()
    assert "Your role (editor) doesn't allow this" in (at.error or at.warning)[0].value
    assert at.session_state["operator_id"] == lan


def ended() -> None:
    import streamlit as st

    from core.errors import SignedOut
    from pages.components import session

    def refused() -> None:
        raise SignedOut(
            "Nothing was done: your account has been disabled. Ask an admin if you need it again."
        )

    st.session_state.setdefault("operator_id", 1)
    text, _value = session.attempt(refused)
    st.text(f"{text}|{'operator_id' in st.session_state}|{st.session_state['ended_because']}")


def test_an_action_that_finds_the_session_ended_ends_it_in_the_browser_too(fresh_database):
    text, signed_in, why = AppTest.from_function(ended).run().text[0].value.split("|")
    assert text == why
    assert "disabled" in why
    assert signed_in == "False"
