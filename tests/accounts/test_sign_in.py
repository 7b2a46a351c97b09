"""Signing in: the throttle in the database, and what a success undoes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.accounts import actions, queries, sign_in, unlocking
from core.accounts.queries import ActivityFilter
from core.accounts.rules import ATTEMPT_WINDOW, COMMAND_LINE, HANDED_OVER_FOR
from core.errors import Invalid

pytestmark = pytest.mark.usefixtures("quick_hashes")
HERE, THERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def lan(fresh_database, now):
    return actions.add_operator(COMMAND_LINE, "lan", "editor", "correct-horse-battery", now=now)


def attempts(count, now, *, name="lan", address=HERE):
    for _ in range(count):
        sign_in.begin_sign_in(name, address, now=now)


def test_the_sixth_try_within_the_window_is_refused_and_a_later_one_is_not(lan, now):
    attempts(5, now)
    with pytest.raises(sign_in.LockedOut) as refused:
        attempts(1, now + timedelta(minutes=5))
    assert refused.value.values == {"minutes": 10}
    attempts(1, now + ATTEMPT_WINDOW)


def test_waiting_does_not_become_longer_by_trying_while_locked(lan, now):
    attempts(5, now)
    for minute in range(1, 15):
        with pytest.raises(sign_in.LockedOut):
            attempts(1, now + timedelta(minutes=minute))
    attempts(1, now + ATTEMPT_WINDOW)


def test_a_stranger_locks_out_only_himself(lan, now):
    attempts(5, now, address=THERE)
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now, address=THERE)
    attempts(1, now, address=HERE)


def test_an_address_that_tries_many_names_is_locked(lan, now):
    for number in range(20):
        attempts(1, now, name=f"guess{number}")
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now)


def test_an_unknown_name_is_throttled_like_a_known_one(lan, now):
    attempts(5, now, name="nobody")
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now, name="nobody")


def test_a_success_takes_back_the_attempts_of_this_name_and_address(lan, now):
    attempts(4, now)
    assert sign_in.complete_sign_in("lan", HERE, now=now)
    attempts(5, now)
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now)


def test_guesses_made_at_the_same_moment_are_all_counted(lan, now):
    def try_once(_):
        try:
            sign_in.begin_sign_in("lan", HERE, now=now)
        except sign_in.LockedOut:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_once, range(24))) == 5


def test_the_last_try_is_written_down_once(lan, now):
    attempts(5, now)
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now)
    written = queries.list_activity(ActivityFilter(actor="system"))
    assert [(e.verb, e.subject, e.detail) for e in written] == [
        ("operator.last_try", "lan", {"address": HERE})
    ]


def test_a_password_typed_as_a_name_is_not_written_down(lan, now):
    attempts(5, now, name="correct-horse-battery")
    (written,) = queries.list_activity(ActivityFilter(actor="system"))
    assert (written.verb, written.subject) == ("operator.last_try", "")


def test_a_password_that_was_taken_away_while_it_was_compared_is_none_any_more(lan, now):
    seen = queries.find_password_hash("lan")
    assert sign_in.complete_sign_in("lan", HERE, hash_seen=seen, now=now)
    actions.reset_password(COMMAND_LINE, lan.id, now=now)
    with pytest.raises(sign_in.PasswordExpired):
        sign_in.complete_sign_in("lan", HERE, hash_seen=seen, now=now)


def test_somebody_disabled_meanwhile_does_not_get_in(lan, now):
    actions.disable_operator(COMMAND_LINE, lan.id, now=now)
    assert sign_in.complete_sign_in("lan", HERE, now=now) is None


def from_everywhere(now, count=100):
    for number in range(count):
        attempts(1, now, address=f"198.51.100.{number}")


def test_guesses_from_many_addresses_are_stopped(lan, now):
    from_everywhere(now)
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now, address="192.0.2.1")


def test_who_was_here_before_is_not_locked_out_by_guesses_from_elsewhere(lan, now):
    assert sign_in.complete_sign_in("lan", HERE, now=now - timedelta(days=3))
    from_everywhere(now)
    attempts(4, now, address=HERE)
    assert sign_in.complete_sign_in("lan", HERE, now=now)
    attempts(5, now, address=HERE)
    with pytest.raises(sign_in.LockedOut):  # guesses from there are counted as ever
        attempts(1, now, address=HERE)


def test_an_admin_at_the_machine_unlocks_a_name(lan, now):
    from_everywhere(now)
    assert unlocking.unlock(COMMAND_LINE, "Lan", now=now) == 100
    attempts(1, now, address="192.0.2.1")


def lock_address(now, address):
    for number in range(20):
        attempts(1, now, name=f"guess{number}", address=address)
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now, address=address)


@pytest.mark.parametrize("way", ["unlock", "reset_password"])
def test_the_address_of_somebody_is_unlocked_with_their_name(lan, now, way):
    assert sign_in.complete_sign_in("lan", HERE, now=now - timedelta(days=3))
    lock_address(now, HERE)
    lock_address(now, THERE)
    if way == "unlock":
        assert unlocking.unlock(COMMAND_LINE, "lan", now=now) == 20
    else:
        actions.reset_password(COMMAND_LINE, lan.id, now=now)
    attempts(1, now, address=HERE)
    with pytest.raises(sign_in.LockedOut):  # nobody known here has been there
        attempts(1, now, address=THERE)


def test_an_admin_at_the_machine_unlocks_an_address(lan, now):
    lock_address(now, "2001:db8:7:9::1")
    assert unlocking.unlock_address(COMMAND_LINE, "2001:db8:7:9:ffff::2", now=now) == 20
    attempts(1, now, address="2001:db8:7:9::1")
    with pytest.raises(Invalid):
        unlocking.unlock_address(COMMAND_LINE, "lan", now=now)


def test_who_was_here_before_is_known_in_all_of_their_ipv6_network(lan, now):
    assert sign_in.complete_sign_in("lan", "2001:db8:7:9::1", now=now - timedelta(days=3))
    from_everywhere(now)
    attempts(1, now, address="2001:db8:7:9:ffff::2")
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now, address="2001:db8:7:10::1")


def test_the_addresses_of_one_subscriber_count_as_one(lan, now):
    for number in range(5):
        attempts(1, now, address=f"2001:db8:7:9::{number + 1}")
    with pytest.raises(sign_in.LockedOut):
        attempts(1, now, address="2001:db8:7:9:ffff::1")
    attempts(1, now, address="2001:db8:7:10::1")


def test_a_handed_over_password_may_end_between_the_password_and_the_code(fresh_database, now):
    actions.invite_operator(COMMAND_LINE, "hoa", "viewer", now=now)
    before = now + HANDED_OVER_FOR - timedelta(seconds=1)
    assert sign_in.complete_sign_in("hoa", HERE, now=before)
    with pytest.raises(sign_in.PasswordExpired):
        sign_in.complete_sign_in("hoa", HERE, now=now + HANDED_OVER_FOR)
