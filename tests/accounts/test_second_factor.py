"""Codes from a telephone: taken once, asked for at the sign-in, and required of those who must have them."""

from datetime import timedelta

import pyotp
import pytest

from core.accounts import actions, queries, second_factor, sign_in
from core.accounts.rules import COMMAND_LINE, Actor
from core.errors import Invalid, NotAllowed, WrongState

pytestmark = pytest.mark.usefixtures("quick_hashes")
HERE = "10.0.0.1"
LATER = timedelta(seconds=60)


@pytest.fixture
def lan(fresh_database, now) -> Actor:
    made = actions.add_operator(COMMAND_LINE, "lan", "admin", "correct-horse-battery", now=now)
    return Actor(made.id, made.name, made.role, signed_in_at=now)


def code_at(secret, moment):
    return pyotp.TOTP(secret).at(moment)


@pytest.fixture
def secret(lan, now):
    made = second_factor.fresh_secret()
    second_factor.enable(lan, made, code_at(made, now), now=now)
    return made


def test_a_telephone_that_does_not_have_the_secret_is_not_set_up(lan, now):
    made = second_factor.fresh_secret()
    for wrong in ("", "000000", code_at(second_factor.fresh_secret(), now), "x" * 1000, "\udcff"):
        with pytest.raises(Invalid):
            second_factor.enable(lan, made, wrong, now=now)
    assert not queries.find_credentials("lan").has_second_factor


def test_no_sign_in_without_a_code(lan, secret, now):
    later = now + LATER
    assert queries.find_credentials("lan").has_second_factor
    assert sign_in.complete_sign_in("lan", HERE, now=later) is None
    assert sign_in.complete_sign_in("lan", HERE, code="123456", now=later) is None
    assert sign_in.complete_sign_in("lan", HERE, code=code_at(secret, later), now=later)


def test_a_code_is_taken_once_and_no_older_one_after_it(lan, secret, now):
    later = now + LATER
    assert sign_in.complete_sign_in("lan", HERE, code=code_at(secret, now), now=now) is None  # set up by it
    assert sign_in.complete_sign_in("lan", HERE, code=code_at(secret, later), now=later)
    assert sign_in.complete_sign_in("lan", HERE, code=code_at(secret, later), now=later) is None
    before = code_at(secret, later - timedelta(seconds=30))
    assert sign_in.complete_sign_in("lan", HERE, code=before, now=later) is None


@pytest.mark.parametrize(("off", "taken"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_off_by_half_a_minute(lan, secret, now, off, taken):
    later = now + timedelta(minutes=5)
    code = code_at(secret, later + timedelta(seconds=off))
    typed = f" {code[:3]} {code[3:]} "
    assert bool(sign_in.complete_sign_in("lan", HERE, code=typed, now=later)) is taken


def test_the_secret_is_not_in_the_database_or_the_log(lan, secret, fresh_database):
    for table in ("operator", "activity"):
        assert secret not in str(fresh_database.rows(f"SELECT * FROM {table}"))


def test_it_is_removed_with_a_code_by_its_owner_and_without_by_an_admin(lan, secret, now):
    later = now + LATER
    with pytest.raises(Invalid):
        second_factor.disable_own(lan, "000000", now=later)
    second_factor.disable_own(lan, code_at(secret, later), now=later)
    assert not queries.find_credentials("lan").has_second_factor
    second_factor.enable(lan, secret, code_at(secret, later), now=later)
    second_factor.disable_of(COMMAND_LINE, lan.id, now=later)
    assert not queries.find_credentials("lan").has_second_factor


def test_wrong_codes_at_turning_it_off_count_as_failed_sign_ins(lan, secret, now):
    later = now + LATER
    for _guess in range(5):
        with pytest.raises(Invalid):
            second_factor.disable_own(lan, "000000", now=later)
    with pytest.raises(sign_in.LockedOut):
        second_factor.disable_own(lan, code_at(secret, later), now=later)
    assert queries.find_credentials("lan").has_second_factor


def test_a_right_code_at_turning_it_off_takes_the_attempts_back(lan, secret, now, fresh_database):
    later = now + LATER
    with pytest.raises(Invalid):
        second_factor.disable_own(lan, "000000", now=later)
    second_factor.disable_own(lan, code_at(secret, later), now=later)
    assert fresh_database.rows("SELECT * FROM sign_in_attempt") == []


@pytest.mark.parametrize(("asked_of", "must"), [("nobody", False), ("admins", True)])
def test_who_must_have_one_does_nothing_without(lan, now, restart, asked_of, must):
    restart(require_second_factor=asked_of)
    assert queries.list_operators()[0].lacks_second_factor is must
    if must:
        with pytest.raises(NotAllowed, match="second factor"):
            actions.invite_operator(lan, "mai", "viewer", now=now)
    made = second_factor.fresh_secret()
    second_factor.enable(lan, made, code_at(made, now), now=now)
    actions.invite_operator(lan, "hue", "viewer", now=now)


def test_only_admins_must_have_one_when_admins_must(fresh_database, now, restart):
    restart(require_second_factor="admins")
    made = actions.add_operator(COMMAND_LINE, "mai", "editor", "correct-horse-battery", now=now)
    assert not made.lacks_second_factor
    restart(require_second_factor="everybody")
    assert made.lacks_second_factor


def test_nobody_puts_another_telephone_in_the_place_of_one_without_a_code_of_it(lan, secret, now):
    other = second_factor.fresh_secret()
    with pytest.raises(WrongState):
        second_factor.enable(lan, other, code_at(other, now), now=now)


def test_a_password_that_was_reset_since_it_was_given_is_asked_for_anew(lan, secret, now):
    seen_at, later = now + timedelta(minutes=4), now + timedelta(minutes=6)
    actions.reset_password(COMMAND_LINE, lan.id, now=now + timedelta(minutes=5))
    given = {"code": code_at(secret, later), "now": later}
    with pytest.raises(sign_in.PasswordExpired):
        sign_in.complete_sign_in("lan", HERE, password_seen_at=seen_at, **given)
    assert sign_in.complete_sign_in("lan", HERE, password_seen_at=later, **given)
