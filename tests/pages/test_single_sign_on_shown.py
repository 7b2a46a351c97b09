"""What pages show where there is single sign-on: the sign-in, one's own account, the users."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts import queries
from core.accounts.passwords import password_matches
from core.accounts.session_queries import find_session
from core.accounts.single_sign_on.attempts import Proposal, seal
from core.accounts.single_sign_on.rules import TROUBLES, Trouble
from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Operator
from pages.components.page_registry import BY_PATH, OF_NO_FANPAGE
from tests.pages.conftest import PASSWORD, an_operator, loaded_anew, opened
from tests.pages.shown import all_words, html

PANEL = "https://panel.shop.vn"


@pytest.fixture(autouse=True)
def single_sign_on(arrange, restart):
    restart(
        panel_url=PANEL,
        sso_issuer="https://id.shop.vn",
        sso_client_id="notify-once",
        sso_client_secret="a-secret",
        sso_name="Hoa Mai",
        sso_admins="bosses",
    )


def test_the_sign_in_shows_the_button_and_the_form():
    at = opened(None, page="broadcast", id="7")
    assert "Sign in with Hoa Mai" in html(at)
    assert f'href="{PANEL}/sso/start?path=broadcast&amp;query=id%3D7&amp;lang=en"' in html(at)
    assert at.text_input(key="sign_in_name")
    assert not at.warning


def test_without_a_name_the_button_speaks_of_the_company(restart):
    restart(sso_name="", language="vi")
    assert "Đăng nhập bằng tài khoản công ty" in html(opened(None))


def test_a_name_is_no_markup(restart):
    restart(sso_name="<b>x</b>")
    assert "&lt;b&gt;x" in html(opened(None))


@pytest.mark.parametrize("trouble", ["denied", "stale", "unreachable", "refused", "clock", "no_role"])
def test_why_it_did_not_work_is_said_in_the_language_of_before(trouble):
    at = opened(None, page="topics", sso=trouble, lang="vi")
    english = opened(None, page="topics", sso=trouble, lang="en")
    assert at.text_input(key="sign_in_name").label == "Tên đăng nhập"
    assert at.warning[0].value != english.warning[0].value == TROUBLES[Trouble(trouble)]
    assert not {"sso", "lang"} & set(at.query_params)
    assert at.run().warning


def test_an_address_that_somebody_made_up_says_nothing():
    at = opened(None, page="topics", sso="<script>", lang="xx")
    assert not at.warning
    assert not at.exception


def test_where_passwords_are_for_admins_the_form_is_folded_away_and_says_so(arrange, restart):
    restart(password_sign_in="admins")
    an_operator(arrange, "editor", "mai")
    at = opened(None)
    assert at.expander[0].label == "With a password (admins)"
    at.text_input(key="sign_in_name").input("mai")
    at.text_input(key="sign_in_password").input(PASSWORD)
    at.button(key="sign_in_submit").click().run()
    assert "Passwords are for admins here" in at.error[0].value


def by_single_sign_on(arrange, role: str, name: str, **more: str) -> int:
    there = {"sso_issuer": "https://id.shop.vn", "sso_subject": name, "password_hash": None, **more}
    return an_operator(arrange, role, name, **there)


def test_whoever_comes_so_is_offered_no_password_and_no_second_factor(arrange):
    at = opened(by_single_sign_on(arrange, "viewer", "mai"), page="account")
    assert "Change password" not in str(at.menu_button(key="account_menu").options)
    assert "managed there" in all_words(at)
    assert "Second factor" not in all_words(at)


def test_the_users_page_says_how_they_come_and_changes_no_role_of_theirs(arrange):
    mai = by_single_sign_on(arrange, "viewer", "mai")
    at = opened(an_operator(arrange, "admin", "boss"), page="operators")
    assert "by single sign-on" in all_words(at)
    more = at.menu_button(key=f"operator_{mai}_more")
    assert "New password" not in str(more.options)
    more.click("operator_role").run()
    assert "which says what their role is" in all_words(at)
    assert not at.radio


def test_an_admin_takes_a_company_account_away_and_sees_the_new_password_once(arrange):
    mai = by_single_sign_on(arrange, "viewer", "mai", sso_name="mai*@shop.vn")
    at = opened(an_operator(arrange, "admin", "boss"), page="operators")
    at.menu_button(key=f"operator_{mai}_more").click("operator_unlink").run()
    assert r"Their company account is mai\*@shop\.vn." in all_words(at)
    assert "which you will see only once" in all_words(at)
    at.button(key="operator_unlink_confirm").click().run()
    assert password_matches(at.code[0].value, queries.find_password_hash("mai"))
    assert not queries.get_operator_named("mai").has_single_sign_on


def test_whoever_has_no_way_in_is_shown_so(arrange, restart):
    restart(password_sign_in="admins")
    mai = by_single_sign_on(arrange, "viewer", "mai")
    at = opened(an_operator(arrange, "admin", "boss"), page="operators")
    at.menu_button(key=f"operator_{mai}_more").click("operator_unlink").run()
    assert "They won't be able to sign in any more" in all_words(at)
    at.button(key="operator_unlink_confirm").click().run()
    assert not at.code
    assert at.toast[0].value == "The company account of mai is disconnected."
    assert "no way to sign in" in all_words(at)


@pytest.mark.parametrize("password", ["with", "without"])
def test_nobody_ends_their_own_session_before_they_have_read_the_password(arrange, password):
    me = (
        by_single_sign_on(arrange, "admin", "me")
        if password == "without"
        else an_operator(arrange, "admin", "me")
    )
    at = opened(me, page="operators")
    options = str(at.menu_button(key=f"operator_{me}_more").options)
    assert "Disconnect" not in options
    assert "New password" not in options


@pytest.mark.parametrize("page", sorted(set(BY_PATH) - OF_NO_FANPAGE))
def test_a_newcomer_without_a_fanpage_reads_whom_to_ask(arrange, page):
    arrange.fanpage("Hoa Mai")
    at = opened(an_operator(arrange, "admin", "mai", fanpage_ids=[]), page=page, id="1")
    assert not at.exception
    assert at.info[0].value.startswith("You are signed in, but no fanpage is yours yet.")
    assert "Hoa Mai" not in all_words(at)
    assert not at.main.button


@pytest.mark.parametrize("page", sorted(OF_NO_FANPAGE))
def test_a_newcomer_without_a_fanpage_opens_what_is_of_none(arrange, page):
    at = opened(an_operator(arrange, "admin", "mai", fanpage_ids=[]), page=page)
    assert not at.exception
    assert at.title[0].value != "Overview"


def test_the_users_page_shows_who_waits_for_a_fanpage_and_gives_it(arrange):
    mai = an_operator(arrange, "viewer", "mai", fanpage_ids=[])
    at = opened(an_operator(arrange, "admin", "boss"), page="operators")
    assert "no fanpage yet" in all_words(at)
    at.menu_button(key=f"operator_{mai}_more").click("operator_fanpages").run()
    at.radio(key="operator_of_kind").set_value("all").run()
    at.button(key="operator_fanpages_submit").click().run()
    assert queries.get_operator_named("mai").fanpage_ids is None


def test_an_operator_with_a_password_is_led_on_once_it_is_right(arrange):
    an_operator(arrange, "admin", "boss")
    at = opened(an_operator(arrange, "editor", "mai"), page="topics")
    at.menu_button(key="account_menu").click("link").run()
    at.text_input(key="link_password").input("wrong")
    at.button(key="link_submit").click().run()
    assert at.error[0].value == "The current password is wrong."
    assert "/sso/start" not in html(at)
    at.text_input(key="link_password").input(PASSWORD)
    at.button(key="link_submit").click().run()
    assert f'location.assign("{PANEL}/sso/start?link=' in html(at)


def asked_about(arrange, *, links: int | None = None, age: int = 0) -> tuple[AppTest, int]:
    """The page to which an operator comes back from the provider, and who they are."""
    an_operator(arrange, "admin", "boss")
    mai = an_operator(arrange, "editor", "mai")
    at = opened(mai, page="account")
    here = find_session(at.session_state["presented"], utc_now()).id if links is None else links
    began = utc_now().timestamp() - age
    shown = "*Mai*, mai@shop.vn"
    made = Proposal(began, here, "https://id.shop.vn", "7", "mai@shop.vn", "sender", shown)
    at.query_params["account"] = seal(made)
    return at.run(), mai


def test_whoever_comes_back_sees_whose_account_it_is_and_says_yes_to_it(arrange):
    at, mai = asked_about(arrange)
    words = all_words(at)
    assert r"\*Mai\*, mai@shop\.vn" in words
    assert "Its role is **Sender**." in words
    assert "account" not in at.query_params
    assert not queries.get_operator_named("mai").has_single_sign_on
    at.button(key="link_confirm").click().run()
    loaded_anew(at)
    assert at.toast[0].value == "From now on you sign in with your company account."
    found = queries.get_operator_named("mai")
    assert (found.id, found.role, found.company_account) == (mai, "sender", "mai@shop.vn")


def test_whoever_says_no_stays_as_they_are(arrange):
    at, _mai = asked_about(arrange)
    at.button(key="link_keep").click().run()
    assert "link_account" not in at.session_state
    assert not at.exception
    assert not queries.get_operator_named("mai").has_single_sign_on
    at.menu_button(key="account_menu").click("link").run()
    assert at.text_input(key="link_password")


def test_it_is_said_who_loses_the_account(arrange):
    by_single_sign_on(arrange, "viewer", "lan_1", sso_subject="7")
    at, _mai = asked_about(arrange)
    assert at.warning[0].value == r"It currently belongs to the user **lan\_1**, who will be disabled."
    at.button(key="link_confirm").click().run()
    assert queries.get_operator_named("lan_1").disabled_at


def test_of_an_account_that_may_not_be_used_there_is_a_way_back(arrange):
    lan = by_single_sign_on(arrange, "viewer", "lan", sso_subject="7")
    with transaction() as db:
        db.get_one(Operator, lan).disabled_at = utc_now()
    at, _mai = asked_about(arrange)
    assert at.error
    assert not [button for button in at.button if button.key == "link_confirm"]
    at.button(key="link_keep").click().run()
    assert not at.error
    at.menu_button(key="account_menu").click("link").run()
    assert at.text_input(key="link_password")


def test_an_account_that_was_left_unanswered_is_forgotten_by_the_next_choice(arrange):
    at, _mai = asked_about(arrange)
    at.menu_button(key="account_menu").click("link").run()
    assert at.text_input(key="link_password")


@pytest.mark.parametrize("other", [{"links": 99}, {"age": 600}])
def test_an_account_of_another_session_or_from_before_is_asked_for_once_more(arrange, other):
    at, _mai = asked_about(arrange, **other)
    assert at.warning[0].value == TROUBLES[Trouble.STALE]
    assert at.text_input(key="link_password")
    assert "mai@shop" not in all_words(at)


def test_without_single_sign_on_nobody_is_offered_it(arrange, restart):
    restart(sso_issuer="", sso_client_id="", sso_client_secret="", sso_admins="")
    at = opened(an_operator(arrange, "editor", "mai"), page="topics")
    assert "company account" not in str(at.menu_button(key="account_menu").options)


def test_why_joining_did_not_work_is_said(arrange):
    at = opened(an_operator(arrange, "editor", "mai"), page="account", sso="no_role", lang="en")
    assert at.toast[0].value == TROUBLES[Trouble.NO_ROLE]
    assert not {"sso", "lang"} & set(at.query_params)
