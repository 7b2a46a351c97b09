"""Roles, names, passwords and the throttle, as tables and properties."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts import rules, session_rules
from core.accounts.passwords import check_new_password, fresh_password
from core.accounts.rules import Actor, FailedSignIn, Permission, Role, counted_address
from core.errors import NotAllowed

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, {Permission.VIEW}),
        (Role.EDITOR, {Permission.VIEW, Permission.EDIT}),
        (Role.SENDER, {Permission.VIEW, Permission.EDIT, Permission.SEND}),
        (Role.ADMIN, set(Permission)),
    ],
)
def test_each_role_includes_what_the_lower_ones_may(role, may):
    assert {p for p in Permission if Actor(1, "lan", role).may(p)} == may


def test_an_actor_without_the_permission_is_refused_by_name_of_the_role():
    with pytest.raises(NotAllowed, match="viewer"):
        Actor(1, "lan", Role.VIEWER).require(Permission.SEND)


@pytest.mark.parametrize("name", ["lan.anh", "a1", "ops@shop.vn", "x" * 64])
def test_a_usual_name_is_taken(name):
    assert rules.check_operator_name(name) == []


@pytest.mark.parametrize("name", ["", "a", "lan anh", "Lan", "mười", "system", ".lan", "x" * 65, "lan\n"])
def test_an_odd_name_is_refused(name):
    assert rules.check_operator_name(name)


def test_a_name_is_compared_without_case_or_outer_space():
    assert rules.normalise_operator_name("  LAN.Anh ") == "lan.anh"


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x7-Kp2!mQz9",
        " leading-space-here",
        "trailing-space-here ",
        "y" * 73,
        "aaaaaaaaaaaa",
        "lan.anh-2026",
        "ạ" * 30,
    ],
)
def test_a_weak_or_unusable_password_is_refused(password):
    assert rules.check_password(password, "lan.anh")


@pytest.mark.parametrize(
    "password",
    [
        *("1234567890ab", "password1234", "matkhau12345", "qwertyuiop12", "emyeuanh12345", "iloveyou1234"),
        *("Admin1234567", "hoamai.hoamai", "notifyonce12", "P@ssw0rd2026"),
    ],
)
def test_a_common_password_is_refused_however_long(password):
    assert rules.check_password(password, "hoamai") == [] or "hoamai" in password
    assert check_new_password(password, "hoamai")


@pytest.mark.parametrize("password", ["hoa mai nở sớm", "correct-horse-battery", "k7pm-x2ra-9shd-fq4w"])
def test_a_few_words_put_together_are_taken(password):
    assert check_new_password(password, "lan") == []


def test_a_password_may_have_marks_and_spaces_inside():
    assert rules.check_password("hoa mai nở sớm", "lan") == []


def test_fresh_passwords_differ_and_pass_our_own_rules():
    made = {fresh_password() for _ in range(50)}
    assert len(made) == 50
    assert not any(rules.check_password(password, "lan") for password in made)


@pytest.mark.parametrize(
    ("signed_in", "good"),
    [
        (NOW - timedelta(hours=1), True),
        (NOW - timedelta(hours=2), True),
        (NOW - timedelta(hours=2, microseconds=1), False),
    ],
)
def test_a_session_made_before_the_sessions_were_ended_is_refused(signed_in, good):
    assert session_rules.session_is_good(signed_in, NOW - timedelta(hours=2), NOW) is good


def test_a_session_ends_after_its_lifetime():
    valid_after = NOW - timedelta(days=9)
    assert session_rules.session_is_good(
        NOW - session_rules.SESSION_LIFETIME + timedelta(seconds=1), valid_after, NOW
    )
    assert not session_rules.session_is_good(NOW - session_rules.SESSION_LIFETIME, valid_after, NOW)


def fails(count: int, name: str = "lan", address: str = "1.1.1.1", ago: int = 60) -> list[FailedSignIn]:
    return [FailedSignIn(name, address, NOW - timedelta(seconds=ago + i)) for i in range(count)]


@pytest.mark.parametrize(
    ("attempts", "locked"),
    [
        (fails(4), False),
        (fails(5), True),
        (fails(5, address="2.2.2.2"), False),  # somebody else's failures do not lock out the owner
        (fails(5, name="mai"), False),
        (fails(19, name="mai"), False),
        (fails(20, name="mai"), True),  # one address guessing many names
        (fails(100, address="2.2.2.2"), True),  # many addresses guessing one name
        (fails(50, ago=16 * 60), False),  # long ago
    ],
)
def test_too_many_failures_lock_for_a_while(attempts, locked):
    assert (rules.locked_until("lan", "1.1.1.1", attempts, NOW) is not None) is locked


attempts = st.lists(
    st.builds(
        FailedSignIn,
        st.sampled_from(["lan", "mai"]),
        st.sampled_from(["1.1.1.1", "2.2.2.2"]),
        st.integers(0, 2000).map(lambda s: NOW - timedelta(seconds=s)),
    ),
    max_size=40,
)


@given(attempts)
def test_a_lock_always_ends_within_one_window_without_further_attempts(made):
    end = rules.locked_until("lan", "1.1.1.1", made, NOW)
    if end is not None:
        assert NOW < end <= NOW + rules.ATTEMPT_WINDOW
        assert rules.locked_until("lan", "1.1.1.1", made, end) is None


@given(attempts)
def test_more_attempts_never_unlock(made):
    if rules.locked_until("lan", "1.1.1.1", made[1:], NOW) is not None:
        assert rules.locked_until("lan", "1.1.1.1", made, NOW) is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.9", "::ffff:203.0.113.9", True),
        ("203.0.113.9", "203.0.113.9:50123", True),  # with the port that a proxy adds
        ("::ffff:203.0.113.9", "::ffff:203.0.113.10", False),  # not one subscriber of IPv6
        ("2001:db8::1", "2001:db8::2", True),
        ("[2001:db8::1]:443", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
    ],
)
def test_what_counts_as_one_address(one, other, same):
    assert (counted_address(one) == counted_address(other)) is same
