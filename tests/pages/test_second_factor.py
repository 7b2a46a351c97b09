"""The second factor as somebody meets it: set up, asked for, required."""

from __future__ import annotations

import pyotp

from core.accounts import queries
from core.clock import utc_now
from core.encryption import encrypt
from tests.pages.conftest import PASSWORD, an_operator, loaded_anew, opened
from tests.pages.test_sign_in import is_shut, sign_in


def test_it_is_set_up_from_ones_own_account(arrange):
    at = opened(an_operator(arrange, "viewer", "lan"), page="account")
    secret = at.session_state["second_factor_secret"]
    at.text_input(key="second_factor_code").input("000000")
    at.button(key="second_factor_submit").click().run()
    assert "code is not right" in at.error[0].value
    at.text_input(key="second_factor_code").input(pyotp.TOTP(secret).now())
    at.button(key="second_factor_submit").click().run()
    assert queries.find_credentials("lan").has_second_factor
    assert "second_factor_secret" not in at.session_state


def with_code(arrange, role="viewer") -> str:
    secret = pyotp.random_base32()
    an_operator(arrange, role, "lan", totp_sealed=encrypt(secret))
    return secret


def test_the_password_alone_opens_nothing(arrange):
    secret = with_code(arrange)
    at = sign_in(opened(None, page="activity"), "lan", PASSWORD)
    assert not at.sidebar.children
    at.text_input(key="sign_in_code").input("000000")
    at.button(key="code_submit").click().run()
    assert "code is not right" in at.error[0].value
    at.text_input(key="sign_in_code").input(pyotp.TOTP(secret).at(utc_now()))
    loaded_anew(at.button(key="code_submit").click().run())
    assert at.title[0].value == "Activity"


def test_guesses_at_the_code_are_counted(arrange):
    with_code(arrange)
    at = sign_in(opened(None), "lan", PASSWORD)
    for _guess in range(4):
        at.text_input(key="sign_in_code").input("000000")
        at.button(key="code_submit").click().run()
    at.button(key="code_submit").click().run()
    assert at.error[0].value.startswith("Too many failed attempts.")


def test_one_may_go_back_to_the_name(arrange):
    with_code(arrange)
    at = sign_in(opened(None), "lan", PASSWORD)
    assert is_shut(at.button(key="code_back").click().run())


def test_an_admin_who_must_have_one_sees_nothing_else_before(arrange, restart):
    restart(require_second_factor="admins", language="en")
    at = opened(an_operator(arrange, "admin", "chi"), page="operators")
    assert at.title[0].value == "Set up your second factor"
    assert not at.sidebar.children
    at.text_input(key="first_code_code").input(pyotp.TOTP(at.session_state["first_code_secret"]).now())
    at.button(key="first_code_submit").click().run()
    assert at.title[0].value == "Users"
