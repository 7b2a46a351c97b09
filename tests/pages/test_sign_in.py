"""The gate in front of every page: nothing is shown, read or done before the sign-in."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts import actions, queries
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE, Role
from core.clock import utc_now
from core.settings import settings
from pages.components import page_registry
from tests.pages.conftest import APP, PASSWORD, an_operator, loaded_anew, opened
from tests.signing_in import session_of


def sign_in(at, name, password):
    at.text_input(key="sign_in_name").input(name)
    at.text_input(key="sign_in_password").input(password)
    at.button(key="sign_in_submit").click()
    return loaded_anew(at.run())


def is_shut(at) -> bool:
    return any(field.key == "sign_in_name" for field in at.text_input) and not at.sidebar.children


@pytest.mark.parametrize("path", [entry.url_path for entry in page_registry.ENTRIES])
def test_every_address_is_behind_the_gate(arrange, path):
    arrange.fanpage("A secret fanpage")
    at = opened(None, page=path, id=3)
    assert is_shut(at)
    assert not at.exception
    assert "A secret fanpage" not in str(at.main)


def test_the_right_password_opens_the_asked_page_with_its_query(arrange):
    an_operator(arrange, "viewer", "lan")
    at = sign_in(opened(None, page="activity", days="7"), "LAN ", PASSWORD)
    assert at.title[0].value == "Activity"
    assert at.query_params["days"] == "7"
    assert queries.list_activity(ActivityFilter())[0].verb == "operator.sign_in"


@pytest.mark.parametrize(
    ("name", "password"),
    [("lan", "wrong"), ("nobody", PASSWORD), ("", ""), ("lan", ""), ("lan", "x" * 100), ("gone", PASSWORD)],
)
def test_anything_else_is_refused_with_one_and_the_same_sentence(arrange, name, password):
    an_operator(arrange, "viewer", "lan")
    an_operator(arrange, "viewer", "gone", disabled_at=utc_now())
    at = sign_in(opened(None), name, password)
    assert is_shut(at)
    assert [e.value for e in at.error] == ["Wrong user name or password."]


def test_after_five_failures_even_the_right_password_waits(arrange):
    an_operator(arrange, "viewer", "lan")
    at = opened(None)
    for _attempt in range(5):
        sign_in(at, "lan", "wrong")
    sign_in(at, "lan", PASSWORD)
    assert is_shut(at)
    assert at.error[0].value.startswith("Too many failed attempts.")


def test_a_session_ends_at_once_when_it_was_ended_elsewhere(panel):
    at = panel("activity", role="viewer")
    [me] = queries.list_operators()
    actions.end_sessions(COMMAND_LINE, me.id, now=utc_now())
    assert is_shut(at.run())


def test_a_session_ends_at_once_when_the_operator_is_disabled(panel):
    at = panel("activity", role="viewer")
    [me] = queries.list_operators()
    actions.disable_operator(COMMAND_LINE, me.id, now=utc_now())
    assert is_shut(at.run())


def test_a_session_ends_after_a_day(arrange):
    lan = an_operator(arrange, "viewer")
    at = opened(lan)
    at.session_state["presented"] = session_of(lan, utc_now() - timedelta(days=1, seconds=1))
    assert is_shut(at.run())


def test_a_new_role_counts_at_once(arrange):
    an_operator(arrange, "admin", "boss")
    me = an_operator(arrange, "admin", "me")
    at = opened(me, page="operators")
    assert at.title[0].value == "Users"
    actions.change_role(COMMAND_LINE, me, "viewer", now=utc_now())
    at.run()
    assert not at.title
    assert "doesn't allow this" in at.warning[0].value


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.SENDER])
def test_a_page_for_admins_says_so_to_others(panel, role):
    at = panel("operators", role=role)
    assert "doesn't allow this" in at.warning[0].value
    assert not at.title


def test_signing_out_shuts_this_browser_and_spares_the_others(panel):
    at = panel("activity", role="viewer")
    [me] = queries.list_operators()
    elsewhere = opened(me.id, page="activity")
    at.menu_button(key="account_menu").click("sign_out").run()
    assert is_shut(at)
    assert elsewhere.run().title[0].value == "Activity"


def test_a_made_password_must_be_changed_before_anything_else(arrange):
    password = actions.ensure_admin(utc_now())
    at = sign_in(opened(None, page="activity"), "admin", password)
    assert at.title[0].value == "Choose your own password"
    assert not at.sidebar.children
    for key, typed in {"old": password, "new": "hoa mai nở sớm", "again": "hoa mai nở sớm"}.items():
        at.text_input(key=f"first_password_{key}").input(typed)
    loaded_anew(at.button(key="first_password_submit").click().run())
    assert at.title[0].value == "Activity"
    assert not queries.list_operators()[0].must_change_password


def test_an_own_password_is_changed_from_the_account_menu(panel):
    at = panel("activity", role="viewer")
    at.menu_button(key="account_menu").click("password").run()
    for key, typed in {"old": PASSWORD, "new": "hoa mai nở sớm", "again": "hoa mai nở muộn"}.items():
        at.text_input(key=f"own_password_{key}").input(typed)
    at.button(key="own_password_submit").click().run()
    assert at.error[0].value == "The two new passwords do not match."
    at.text_input(key="own_password_again").input("hoa mai nở sớm")
    loaded_anew(at.button(key="own_password_submit").click().run())
    assert at.title[0].value == "Activity"
    assert is_shut(sign_in(opened(None), "viewer.activity", PASSWORD))


def test_the_chosen_language_is_remembered(panel):
    at = panel("activity", role="viewer")
    at.segmented_control(key="language_switch").select("vi").run()
    assert at.title[0].value == "Nhật ký hoạt động"
    [me] = queries.list_operators()
    assert me.language == "vi"


def test_vietnamese_is_the_language_of_a_stranger(arrange, monkeypatch):
    monkeypatch.delenv("OTN_LANGUAGE")
    settings.cache_clear()
    assert opened(None).text_input(key="sign_in_name").label == "Tên đăng nhập"


def test_the_fanpage_switcher_changes_the_fanpage(panel, arrange):
    first = arrange.fanpage("Tiệm Hoa Mai")
    second = arrange.fanpage("Cà phê Sương Sớm")
    at = panel("activity")
    assert at.session_state["fanpage_id"] == second  # the first by name
    at.selectbox(key="fanpage_switch").select(first).run()
    assert at.session_state["fanpage_id"] == first


def test_the_bare_address_leads_to_the_overview(arrange):
    at = AppTest.from_file(str(APP), default_timeout=30)
    at.session_state["presented"] = session_of(an_operator(arrange, "viewer"))
    assert (
        at.run().title[0].value
        == opened(an_operator(arrange, "viewer", "two"), page="overview").title[0].value
    )


def test_an_operators_own_language_wins_over_the_one_chosen_at_the_gate(arrange):
    an_operator(arrange, "viewer", "lan", language="vi")
    at = opened(None, page="activity")
    at.segmented_control(key="language_switch").select("en").run()
    assert at.text_input(key="sign_in_name").label == "User name"
    sign_in(at, "lan", PASSWORD)
    assert at.title[0].value == "Nhật ký hoạt động"
    assert at.segmented_control(key="language_switch").value == "vi"
