"""Operators of single sign-on: the provider has the say on role and password, we on the rest."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from core.accounts import actions, passwords, queries, second_factor, sign_in
from core.accounts.authorising import NO_FANPAGE, authorise_early
from core.accounts.exporting import record_export
from core.accounts.rules import COMMAND_LINE, Actor, Permission, Role
from core.accounts.single_sign_on.rules import NAMELESS, Identity, SingleSignOnFailed, Trouble
from core.accounts.single_sign_on.sign_in import complete_single_sign_on
from core.errors import Invalid, NotAllowed, WrongState
from core.inbox.actions import replay
from tests.accounts.conftest import operator
from tests.accounts.operations import PASSWORD, World

pytestmark = pytest.mark.usefixtures("quick_hashes")
BY_SSO = {"sso_issuer": "https://id.shop.vn", "sso_subject": "1", "password_hash": None}


ONLY_ADMINS = {
    "panel_url": "https://panel.shop.vn",
    "sso_issuer": "https://id.shop.vn",
    "sso_client_id": "notify-once",
    "sso_client_secret": "a-secret",
    "sso_admins": "bosses",
    "password_sign_in": "admins",
}


def export_nothing(by, now):
    record_export(by, "opt-ins.csv", by.fanpage_ids, now=now)


def actor(operator_id, now):
    made = operator(operator_id)
    return Actor(made.id, made.name, made.role, signed_in_at=now)


@pytest.fixture
def world(arrange, now):
    return World(arrange, now)


@pytest.fixture
def mai(world):
    return world.other(role=Role.EDITOR, **BY_SSO)


@pytest.mark.parametrize(
    "change",
    [
        lambda mai, now: actions.change_role(COMMAND_LINE, mai, "admin", now=now),
        lambda mai, now: actions.reset_password(COMMAND_LINE, mai, now=now),
    ],
)
def test_role_and_password_are_not_changed_here(mai, now, change):
    with pytest.raises(WrongState, match="mai comes by single sign-on"):
        change(mai, now)
    assert operator(mai).role == "editor"


def test_they_change_no_password_and_set_up_no_second_factor(world, mai, now):
    by = actor(mai, now)
    with pytest.raises(WrongState, match="no password here"):
        actions.change_own_password(by, PASSWORD, "another-good-one", now=now)
    secret = second_factor.fresh_secret()
    with pytest.raises(WrongState, match="single sign-on"):
        second_factor.enable(by, secret, pyotp.TOTP(secret).at(now), now=now)


def test_no_password_signs_them_in(mai, now):
    assert queries.find_password_hash("mai") is None
    assert sign_in.complete_sign_in("mai", "", now=now) is None


def test_a_second_factor_that_is_required_is_the_providers_matter(world, mai, now, restart):
    restart(require_second_factor="everybody")
    assert not operator(mai).lacks_second_factor
    authorise_early(actor(mai, now), Permission.EDIT, NO_FANPAGE, now=now)


def test_an_admin_with_a_password_always_remains(world, now):
    boss = world.other(role=Role.ADMIN, **BY_SSO)
    chi, lan = (queries.get_operator_named(name).id for name in ("chi.admin", "lan.anh"))
    actions.disable_operator(COMMAND_LINE, chi, now=now)
    with pytest.raises(WrongState, match=r"lan\.anh is the last admin"):
        actions.disable_operator(COMMAND_LINE, lan, now=now)
    actions.disable_operator(COMMAND_LINE, boss, now=now)


def test_an_admin_whose_password_went_with_a_migration_is_not_one_who_remains(world, now):
    world.other(role=Role.ADMIN, password_hash="-")  # 0048 back and forth, then enabled
    assert not passwords.password_matches("-", queries.find_password_hash("mai"))
    chi, lan = (queries.get_operator_named(name).id for name in ("chi.admin", "lan.anh"))
    actions.disable_operator(COMMAND_LINE, chi, now=now)
    with pytest.raises(WrongState, match=r"lan\.anh is the last admin"):
        actions.disable_operator(COMMAND_LINE, lan, now=now)


def test_where_passwords_are_for_admins_nobody_else_gets_in_by_one(world, now, restart):
    world.other(role=Role.SENDER)
    restart(**ONLY_ADMINS)
    with pytest.raises(sign_in.PasswordNotAllowed):
        sign_in.complete_sign_in("mai", "", now=now)
    assert sign_in.complete_sign_in("lan.anh", "", now=now)


def test_where_passwords_are_for_admins_nobody_else_is_given_one(world, now, restart):
    restart(**ONLY_ADMINS)
    with pytest.raises(Invalid, match="becomes a user the first time"):
        actions.invite_operator(COMMAND_LINE, "vy", "editor", now=now)
    assert actions.invite_operator(COMMAND_LINE, "vy", "admin", now=now)


def test_somebody_new_in_four_browsers_at_once_is_one_operator(fresh_database, now):
    vy = Identity("https://id.shop.vn", "1", "vy", Role.VIEWER)
    with ThreadPoolExecutor(4) as pool:
        tickets = list(pool.map(lambda _: complete_single_sign_on(vy, "", now=now), range(4)))
    assert len(set(tickets)) == 4
    assert [each.name for each in queries.list_operators()] == ["vy"]


def test_who_may_not_sign_in_by_a_password_gets_no_session_by_changing_it(world, now, restart):
    mai = world.other(role=Role.SENDER)
    by = actor(mai, now)
    restart(**ONLY_ADMINS)
    with pytest.raises(sign_in.PasswordNotAllowed):
        actions.change_own_password(by, PASSWORD, "another-good-one", now=now)


def test_two_people_of_one_name_at_two_providers_are_two_operators(fresh_database, now):
    for issuer in ("https://a.vn", "https://b.vn"):
        complete_single_sign_on(Identity(issuer, "1", "lan", Role.VIEWER), "", now=now)
    assert [each.name for each in queries.list_operators()] == ["lan", "lan-2"]


@pytest.mark.parametrize("name", ["mai", "mai-2"])
@pytest.mark.parametrize("issuer", ["https://id.shop.vn", "https://another.vn"])
def test_whoever_was_disabled_does_not_come_back_as_somebody_new(world, now, name, issuer):
    world.operator(name, disabled_at=now, **BY_SSO)
    with pytest.raises(SingleSignOnFailed) as refused:
        complete_single_sign_on(Identity(issuer, "2", "mai", Role.ADMIN), "", now=now)
    assert refused.value.trouble == Trouble.DISABLED
    assert {each.name for each in queries.list_operators()} == {"lan.anh", "chi.admin", name}


def test_somebody_new_comes_in_beside_the_disabled_of_other_names(world, now):
    world.operator("mai", disabled_at=now)  # had a password: docs/single-sign-on.md
    world.operator("mai-anh", disabled_at=now, **BY_SSO)
    world.operator(NAMELESS, disabled_at=now, **{**BY_SSO, "sso_subject": "2"})
    for subject, name in (("3", "mai"), ("4", NAMELESS)):
        complete_single_sign_on(Identity("https://id.shop.vn", subject, name, Role.VIEWER), "", now=now)
    assert {"mai-2", f"{NAMELESS}-2"} <= {each.name for each in queries.list_operators()}


def test_what_an_admin_set_here_stays(world, mai, now):
    actions.limit_to_fanpages(COMMAND_LINE, mai, [world.fanpage_id], now=now)
    actions.set_exports(COMMAND_LINE, mai, allowed=True, now=now)
    complete_single_sign_on(Identity("https://id.shop.vn", "1", "other", Role.VIEWER), "", now=now)
    view = operator(mai)
    assert (view.name, view.role, view.fanpage_ids) == ("mai", "viewer", {world.fanpage_id})
    assert view.was_granted_exports


@pytest.mark.parametrize("action", [lambda by, now: replay(by, now=now), export_nothing])
def test_a_newcomer_without_a_fanpage_may_do_nothing(world, now, action):
    by = dataclasses.replace(
        actor(world.other(role=Role.ADMIN, fanpage_ids=[]), now), fanpage_ids=frozenset()
    )
    with pytest.raises(NotAllowed, match="affects all fanpages"):
        action(by, now)
