"""An operator who has a password comes by single sign-on from now on, and is the one they were."""

from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from core.accounts import actions, queries, second_factor, sign_in
from core.accounts.passwords import password_matches
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.accounts.session_queries import list_sessions
from core.accounts.sessions import sign_out
from core.accounts.single_sign_on.linking import find_other, link, prove_password, unlink
from core.accounts.single_sign_on.rules import Identity, SingleSignOnFailed, Trouble
from core.accounts.single_sign_on.sign_in import complete_single_sign_on
from core.errors import Invalid, SignedOut, WrongState
from tests.accounts.conftest import operator
from tests.accounts.operations import PASSWORD, World

pytestmark = pytest.mark.usefixtures("quick_hashes")
SETTINGS = {
    "panel_url": "https://panel.shop.vn",
    "sso_issuer": "https://id.shop.vn",
    "sso_client_id": "notify-once",
    "sso_client_secret": "a-secret",
    "sso_senders": "staff",
}
THERE = Identity("https://id.shop.vn", "1", "lan@shop.vn", Role.SENDER)


@pytest.fixture
def world(arrange, now):
    return World(arrange, now)


@pytest.fixture
def mai(world, now) -> Actor:
    mai = world.other(role=Role.EDITOR, fanpage_ids=[world.fanpage_id])
    return Actor(mai, "mai", Role.EDITOR, now, world.session_of(mai))


def last_verbs(count: int) -> list[str]:
    return [each.verb for each in queries.list_activity(ActivityFilter(), limit=count)]


def test_name_and_fanpages_stay_and_the_role_is_the_providers(world, mai, now):
    prove_password(mai, PASSWORD, now=now)
    link(mai, THERE, "203.0.113.9", now=now)
    view = operator(mai.id)
    assert (view.name, view.role, view.fanpage_ids) == ("mai", "sender", {world.fanpage_id})
    assert view.has_single_sign_on
    assert last_verbs(3) == [
        "operator.single_sign_on",
        "operator.change_role_by_single_sign_on",
        "operator.link_single_sign_on",
    ]


def test_the_password_and_the_second_factor_go_and_every_session_ends(world, mai, now):
    secret = second_factor.fresh_secret()
    second_factor.enable(mai, secret, pyotp.TOTP(secret).at(now), now=now)
    link(mai, THERE, "", now=now)
    assert queries.find_credentials("mai") == queries.NO_CREDENTIALS
    assert list_sessions(mai.id, now) == []  # the new one has its cookie yet to come
    with pytest.raises(SignedOut):
        sign_out(mai, now=now)


@pytest.mark.parametrize("given", ["", "wrong", PASSWORD.upper()])
def test_a_wrong_password_leads_nowhere_and_counts_as_a_failed_sign_in(mai, now, given):
    for _ in range(5):
        with pytest.raises(Invalid, match="current password is wrong"):
            prove_password(mai, given, now=now)
    with pytest.raises(sign_in.LockedOut):
        prove_password(mai, PASSWORD, now=now)


def test_a_second_factor_is_asked_for_too(mai, now):
    secret = second_factor.fresh_secret()
    second_factor.enable(mai, secret, pyotp.TOTP(secret).at(now - timedelta(seconds=30)), now=now)
    with pytest.raises(Invalid, match="code is not right"):
        prove_password(mai, PASSWORD, "000000", now=now)
    prove_password(mai, PASSWORD, pyotp.TOTP(secret).at(now), now=now)


def test_whoever_came_as_somebody_new_before_becomes_one_again(mai, now):
    complete_single_sign_on(THERE, "", now=now)
    link(mai, THERE, "", now=now)
    before = queries.get_operator_named("lan@shop.vn")
    assert before.disabled_at
    assert not before.has_single_sign_on
    complete_single_sign_on(THERE, "", now=now)
    assert operator(mai.id).last_seen_at == now
    assert len([each for each in queries.list_operators() if each.name.startswith("lan@")]) == 1


def test_whom_an_admin_has_disabled_stays_out(mai, now):
    complete_single_sign_on(THERE, "", now=now)
    actions.disable_operator(COMMAND_LINE, queries.get_operator_named("lan@shop.vn").id, now=now)
    with pytest.raises(SingleSignOnFailed) as refused:
        link(mai, THERE, "", now=now)
    assert refused.value.trouble == Trouble.DISABLED
    assert not operator(mai.id).has_single_sign_on


def test_who_changed_over_and_was_disabled_stays_out_also_as_somebody_new_to_another_client(world, mai, now):
    """The name that they have kept here says nothing of the one that the provider gives them."""
    link(mai, THERE, "", now=now)
    actions.disable_operator(COMMAND_LINE, mai.id, now=now)
    anew = replace(THERE, subject="2")
    lan = world.operator("lan", role=Role.EDITOR)
    by = Actor(lan, "lan", Role.EDITOR, now, world.session_of(lan))
    for come in (lambda: complete_single_sign_on(anew, "", now=now), lambda: link(by, anew, "", now=now)):
        with pytest.raises(SingleSignOnFailed) as refused:
            come()
        assert refused.value.trouble == Trouble.DISABLED
    assert not operator(lan).has_single_sign_on


def test_the_name_that_counts_is_the_one_with_which_they_came_last(mai, now):
    link(mai, THERE, "", now=now)
    complete_single_sign_on(replace(THERE, name="lan.nguyen@shop.vn"), "", now=now)
    actions.disable_operator(COMMAND_LINE, mai.id, now=now)
    with pytest.raises(SingleSignOnFailed):
        complete_single_sign_on(
            Identity("https://new.vn", "9", "lan.nguyen@shop.vn", Role.EDITOR), "", now=now
        )
    assert complete_single_sign_on(replace(THERE, subject="2"), "", now=now)  # somebody of the former name


def test_the_last_admin_keeps_the_password(world, now):
    lan, chi = (queries.get_operator_named(name) for name in ("lan.anh", "chi.admin"))
    by = Actor(lan.id, lan.name, Role.ADMIN, now, world.session_of(lan.id))
    prove_password(by, PASSWORD, now=now)
    actions.disable_operator(COMMAND_LINE, chi.id, now=now)  # while the other one is at the provider
    with pytest.raises(SingleSignOnFailed) as refused:
        link(by, THERE, "", now=now)
    assert refused.value.trouble == Trouble.LAST_ADMIN
    for _ in range(6):  # one more than failed sign-ins are allowed: none of them is one
        with pytest.raises(WrongState, match="last admin"):
            prove_password(by, PASSWORD, now=now)
    sign_in.begin_sign_in("lan.anh", "", now=now)
    assert queries.find_password_hash("lan.anh")


def test_it_is_done_once(mai, now, world):
    link(mai, THERE, "", now=now)
    again = Actor(mai.id, "mai", Role.SENDER, now, world.session_of(mai.id))
    with pytest.raises(SingleSignOnFailed):
        link(again, Identity("https://id.shop.vn", "2", "other", Role.ADMIN), "", now=now)
    with pytest.raises(WrongState, match="already"):
        prove_password(again, PASSWORD, now=now)


def test_the_owner_of_an_account_takes_it_back_and_the_wrong_user_gets_a_password_again(world, mai, now):
    link(mai, THERE, "", now=now)
    lan = world.operator("lan", role=Role.EDITOR)
    link(Actor(lan, "lan", Role.EDITOR, now, world.session_of(lan)), THERE, "", now=now)
    assert operator(lan).has_single_sign_on
    actions.enable_operator(COMMAND_LINE, mai.id, now=now)
    actions.reset_password(COMMAND_LINE, mai.id, now=now)
    assert sign_in.complete_sign_in("mai", "", now=now)


def test_whose_company_account_is_taken_away_comes_by_a_fresh_password_and_is_the_same(world, mai, now):
    link(mai, THERE, "", now=now)
    session = world.session_of(mai.id)
    password = unlink(COMMAND_LINE, mai.id, now=now)
    view = operator(mai.id)
    assert (view.name, view.role, view.fanpage_ids) == ("mai", "sender", {world.fanpage_id})
    assert (view.has_single_sign_on, view.company_account, view.must_change_password) == (False, "", True)
    assert session not in [each.id for each in list_sessions(mai.id, now)]
    assert password_matches(password, queries.find_password_hash("mai"))
    assert queries.find_credentials("mai").has_expired(now + timedelta(days=7))
    [line] = queries.list_activity(ActivityFilter(), limit=1)
    assert (line.verb, line.subject, line.detail) == (
        "operator.unlink_single_sign_on",
        "mai",
        {"was": THERE.name},
    )


def test_a_company_account_that_was_taken_away_is_free_for_its_owner(world, mai, now):
    link(mai, THERE, "", now=now)
    unlink(COMMAND_LINE, mai.id, now=now)
    complete_single_sign_on(THERE, "", now=now)
    assert queries.get_operator_named("lan@shop.vn").has_single_sign_on
    assert not operator(mai.id).disabled_at


def test_where_passwords_are_for_admins_nobody_else_gets_one(mai, now, restart):
    link(mai, THERE, "", now=now)
    restart(**SETTINGS, password_sign_in="admins")
    assert unlink(COMMAND_LINE, mai.id, now=now) is None
    assert operator(mai.id).has_no_way_in


def test_the_company_account_of_somebody_disabled_stays_out_until_they_are_enabled(mai, now):
    with pytest.raises(WrongState, match="does not come by single sign-on"):
        unlink(COMMAND_LINE, mai.id, now=now)
    link(mai, THERE, "", now=now)
    actions.disable_operator(COMMAND_LINE, mai.id, now=now)
    with pytest.raises(WrongState, match="Enable mai first"):
        unlink(COMMAND_LINE, mai.id, now=now)
    with pytest.raises(SingleSignOnFailed):
        complete_single_sign_on(THERE, "", now=now)


def test_who_would_lose_the_account_is_known_before(mai, now):
    assert find_other(mai.id, THERE) is None
    complete_single_sign_on(THERE, "", now=now)
    assert find_other(mai.id, THERE) == "lan@shop.vn"
    with pytest.raises(SingleSignOnFailed):
        find_other(mai.id, replace(THERE, role=None))
    actions.disable_operator(COMMAND_LINE, queries.get_operator_named("lan@shop.vn").id, now=now)
    with pytest.raises(SingleSignOnFailed):
        find_other(mai.id, THERE)
