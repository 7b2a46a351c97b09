"""The users page does what it says, in the database."""

import pytest

from core.accounts import actions, queries
from core.accounts.passwords import password_matches
from core.accounts.rules import COMMAND_LINE, Role
from core.clock import utc_now
from tests.pages.conftest import PASSWORD, an_operator


def find(name):
    return next(o for o in queries.list_operators() if o.name == name)


def choose(at, operator_id, choice):
    return at.menu_button(key=f"operator_{operator_id}_more").click(choice).run()


@pytest.fixture
def mai(arrange):
    return an_operator(arrange, "editor", "mai")


def test_a_user_is_added_with_a_password_shown_once(panel):
    at = panel("operators")
    at.button(key="operator_add").click().run()
    at.text_input(key="operator_name").input("Lan.Anh")
    at.radio(key="operator_new_role").set_value("sender")
    at.button(key="operator_new_submit").click().run()
    made = find("lan.anh")
    assert (made.role, made.state) == (Role.SENDER, "new")
    [shown] = [code.value for code in at.code]
    assert password_matches(shown, queries.find_password_hash("lan.anh"))
    at.button(key="operator_password_done").click().run()
    assert not at.code
    assert "operator_password_shown" not in at.session_state


def test_a_refused_name_keeps_the_dialog_and_says_why(panel):
    at = panel("operators")
    at.button(key="operator_add").click().run()
    at.text_input(key="operator_name").input("Lan Anh!")
    at.button(key="operator_new_submit").click().run()
    assert at.error[0].value.startswith("A user name has 2 to 64 letters")
    assert at.text_input(key="operator_name").value == "Lan Anh!"


def test_a_role_is_changed(panel, mai):
    at = choose(panel("operators"), mai, "operator_role")
    at.radio(key="operator_role_choice").set_value("admin")
    at.button(key="operator_role_submit").click().run()
    assert find("mai").role == Role.ADMIN
    assert not at.radio


def test_a_password_is_reset_and_shown_once(panel, mai):
    at = choose(panel("operators"), mai, "operator_reset")
    at.button(key="operator_reset_confirm").click().run()
    assert password_matches(at.code[0].value, queries.find_password_hash("mai"))
    assert not password_matches(PASSWORD, queries.find_password_hash("mai"))


def test_sessions_are_ended(panel, mai):
    before = find("mai").sessions_valid_after
    at = choose(panel("operators"), mai, "operator_out")
    at.button(key="operator_out_confirm").click().run()
    assert find("mai").sessions_valid_after > before


def test_a_user_is_disabled_and_enabled(panel, mai):
    at = choose(panel("operators"), mai, "operator_disable")
    at.button(key="operator_disable_confirm").click().run()
    assert find("mai").state == "disabled"
    choose(at, mai, "operator_enable")
    at.button(key="operator_enable_confirm").click().run()
    assert find("mai").state == "active"


def test_keeping_changes_nothing(panel, mai):
    at = choose(panel("operators"), mai, "operator_disable")
    at.button(key="operator_disable_keep").click().run()
    assert find("mai").state == "active"
    assert not at.error


def test_the_last_admin_is_told_why_not(panel):
    at = panel("operators")
    [me] = queries.list_operators()
    choose(at, me.id, "operator_disable")
    at.button(key="operator_disable_confirm").click().run()
    assert "is the last admin" in at.error[0].value
    assert find(me.name).state == "active"


def test_a_session_that_has_just_ended_can_do_nothing_more(panel):
    at = panel("operators")
    at.button(key="operator_add").click().run()
    at.text_input(key="operator_name").input("lan.anh")
    [me] = queries.list_operators()
    actions.end_sessions(COMMAND_LINE, me.id, now=utc_now())
    at.button(key="operator_new_submit").click().run()
    assert queries.list_operators()[0].name == me.name
    assert len(queries.list_operators()) == 1
    assert at.text_input(key="sign_in_name")
    assert not at.exception
