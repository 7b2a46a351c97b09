"""One's own account: the browsers one is signed in with, and how to sign them out."""

from __future__ import annotations

from core.accounts.session_queries import list_sessions
from core.clock import utc_now
from tests.pages.conftest import an_operator, opened
from tests.signing_in import session_of


def test_a_browser_that_is_lost_is_signed_out(arrange):
    lan = an_operator(arrange, "viewer", "lan")
    session_of(lan, browser="Chrome, Android", address="203.0.113.9")
    at = opened(lan, page="account")
    assert {"Chrome, Android", "203.0.113.9"} <= {each.value for each in [*at.text, *at.caption]}
    [out] = [button for button in at.button if button.key.startswith("session_")]
    out.click().run()
    assert [each.value for each in at.toast] == ["That session has ended."]
    assert len(list_sessions(lan, utc_now())) == 1
    assert at.title[0].value == "My account"  # this browser stays


def test_signing_out_everywhere_comes_to_the_sign_in(arrange):
    lan = an_operator(arrange, "viewer", "lan")
    session_of(lan)
    at = opened(lan, page="account")
    at.button(key="account_out_everywhere").click().run()
    at.button(key="account_everywhere_confirm").click().run()
    assert at.text_input(key="sign_in_name") is not None
    assert not at.warning
    assert list_sessions(lan, utc_now()) == []


def test_the_account_is_reached_from_the_menu_of_the_account(arrange):
    at = opened(an_operator(arrange, "viewer", "lan"), page="activity")
    at.menu_button(key="account_menu").click("account").run()
    assert at.title[0].value == "My account"


def test_the_sessions_of_others_are_not_shown(arrange):
    session_of(an_operator(arrange, "admin", "chi"), browser="Firefox, Linux")
    at = opened(an_operator(arrange, "viewer", "lan"), page="account")
    assert "Firefox, Linux" not in {each.value for each in at.text}
