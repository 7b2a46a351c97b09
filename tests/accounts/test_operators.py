"""What admins do with operators, and that an admin always remains."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.accounts import actions, queries
from core.accounts.passwords import password_matches
from core.accounts.queries import ActivityFilter
from core.accounts.rules import ATTEMPT_WINDOW, COMMAND_LINE, HANDED_OVER_FOR, Actor, Role
from core.accounts.session_queries import find_session
from core.accounts.sign_in import LockedOut
from core.errors import Invalid, NotAllowed, NotFound, SignedOut, WrongState
from tests.accounts.conftest import operator
from tests.signing_in import session_of

pytestmark = pytest.mark.usefixtures("quick_hashes")
PASSWORD = "correct-horse-battery"


@pytest.fixture
def admin(fresh_database, now):
    view = actions.add_operator(COMMAND_LINE, "chi.admin", Role.ADMIN, PASSWORD, now=now)
    return Actor(view.id, view.name, view.role, signed_in_at=now)


def verbs() -> list[str]:
    return [entry.verb for entry in queries.list_activity(ActivityFilter())]


def test_the_first_run_makes_an_admin_who_must_change_the_password(fresh_database, now):
    password = actions.ensure_admin(now)
    [made] = queries.list_operators()
    assert (made.name, made.role, made.must_change_password) == ("admin", Role.ADMIN, True)
    assert password_matches(password, queries.find_password_hash("admin"))


def test_the_second_run_makes_nobody(admin, now):
    assert actions.ensure_admin(now) is None
    assert len(queries.list_operators()) == 1


def test_first_runs_at_the_same_moment_make_one_admin(fresh_database, now):
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: actions.ensure_admin(now), range(6)))
    assert len([password for password in made if password]) == 1
    assert len(queries.list_operators()) == 1


def test_two_admins_who_remove_each_other_at_the_same_moment_leave_one(admin, now):
    other = actions.add_operator(admin, "mai", "admin", PASSWORD, now=now)

    def remove(pair):
        try:
            actions.disable_operator(pair[0], pair[1], now=now)
        except SignedOut:  # the other was quicker
            return False
        return True

    pairs = [(admin, other.id), (Actor(other.id, other.name, other.role, signed_in_at=now), admin.id)]
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, pairs)) == [False, True]


def test_an_added_operator_can_be_found_and_the_deed_is_recorded_without_the_password(admin, now):
    made = actions.add_operator(admin, " Lan.Anh ", "editor", PASSWORD, now=now)
    assert operator(made.id).name == "lan.anh"
    [entry] = queries.list_activity(ActivityFilter(actor="chi.admin"))
    assert (entry.verb, entry.subject, entry.detail) == ("operator.add", "lan.anh", {"role": "editor"})


def test_a_name_is_used_once(admin, now):
    with pytest.raises(Invalid, match="already"):
        actions.add_operator(admin, "CHI.ADMIN", "viewer", PASSWORD, now=now)


def test_every_complaint_comes_at_once(admin, now):
    with pytest.raises(Invalid) as refused:
        actions.add_operator(admin, "?", "boss", "short", now=now)
    assert [p.field for p in refused.value.problems] == ["name", "password", "role"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.SENDER])
def test_only_admins_manage_operators(admin, now, role):
    by = Actor(None, "lan", role)
    for attempt in (
        lambda: actions.add_operator(by, "mai", "admin", PASSWORD, now=now),
        lambda: actions.change_role(by, admin.id, "viewer", now=now),
        lambda: actions.disable_operator(by, admin.id, now=now),
        lambda: actions.enable_operator(by, admin.id, now=now),
        lambda: actions.reset_password(by, admin.id, now=now),
        lambda: actions.end_sessions(by, admin.id, now=now),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_the_last_admin_keeps_the_role_and_the_access(admin, now):
    disabled = actions.add_operator(admin, "old.admin", "admin", PASSWORD, now=now)
    actions.disable_operator(admin, disabled.id, now=now)
    with pytest.raises(WrongState, match="last admin"):
        actions.change_role(admin, admin.id, "sender", now=now)
    with pytest.raises(WrongState, match="last admin"):
        actions.disable_operator(admin, admin.id, now=now)
    assert operator(admin.id).role == Role.ADMIN


def test_an_admin_may_leave_while_another_stays(admin, now):
    actions.add_operator(admin, "mai", "admin", PASSWORD, now=now)
    assert actions.change_role(admin, admin.id, "viewer", now=now).role == Role.VIEWER


def test_saying_the_same_again_changes_and_records_nothing(admin, now):
    made = actions.add_operator(admin, "mai", "viewer", PASSWORD, now=now)
    actions.disable_operator(admin, made.id, now=now)
    before = verbs()
    actions.disable_operator(admin, made.id, now=now)
    actions.change_role(admin, made.id, "viewer", now=now)
    assert verbs() == before


def test_a_disabled_operator_has_no_session_and_no_password_to_check(admin, now):
    made = actions.add_operator(admin, "mai", "viewer", PASSWORD, now=now)
    later = now + timedelta(minutes=1)
    key = session_of(made.id, later)
    assert find_session(key, later)
    actions.disable_operator(admin, made.id, now=later)
    assert find_session(key, later) is None
    assert queries.find_password_hash("mai") is None
    actions.enable_operator(admin, made.id, now=later)
    assert queries.find_password_hash("mai")


def test_a_reset_password_works_once_handed_over_and_ends_the_sessions(admin, now):
    made = actions.add_operator(admin, "mai", "viewer", PASSWORD, now=now)
    later = now + timedelta(minutes=1)
    key = session_of(made.id, now)
    password = actions.reset_password(admin, made.id, now=later)
    assert password_matches(password, queries.find_password_hash("mai"))
    assert not password_matches(PASSWORD, queries.find_password_hash("mai"))
    assert find_session(key, later) is None
    assert operator(made.id).must_change_password


def test_a_password_that_was_handed_over_is_good_for_a_week(admin, now):
    hue, _password = actions.invite_operator(admin, "hue", "viewer", now=now)
    handed_over = queries.find_credentials("hue")
    assert not handed_over.has_expired(now + HANDED_OVER_FOR - timedelta(seconds=1))
    assert handed_over.has_expired(now + HANDED_OVER_FOR)
    actions.reset_password(COMMAND_LINE, hue.id, now=now + HANDED_OVER_FOR)
    assert not queries.find_credentials("hue").has_expired(now + HANDED_OVER_FOR)


def test_an_own_password_does_not_expire_and_guesses_at_the_present_one_are_counted(admin, now):
    hue, password = actions.invite_operator(admin, "hue", "viewer", now=now)
    by = Actor(hue.id, "hue", hue.role, signed_in_at=now, address="203.0.113.9")
    for _guess in range(5):
        with pytest.raises(Invalid):
            actions.change_own_password(by, "wrong", "hoa mai nở sớm", now=now)
    with pytest.raises(LockedOut):
        actions.change_own_password(by, password, "hoa mai nở sớm", now=now)
    later = now + ATTEMPT_WINDOW
    actions.change_own_password(by, password, "hoa mai nở sớm", now=later)
    assert not queries.find_credentials("hue").has_expired(later + timedelta(days=400))


def test_signing_out_everywhere_ends_only_older_sessions(admin, now):
    later = now + timedelta(minutes=1)
    before = session_of(admin.id, now)
    actions.end_sessions(admin, admin.id, now=later)
    assert find_session(before, later) is None
    assert find_session(session_of(admin.id, later), later)


def test_a_viewer_may_sign_themselves_out_everywhere_but_nobody_else(admin, now):
    made = actions.add_operator(admin, "mai", "viewer", PASSWORD, now=now)
    by = Actor(made.id, made.name, made.role, signed_in_at=now)
    actions.end_sessions(by, made.id, now=now)
    with pytest.raises(NotAllowed):
        actions.end_sessions(by, admin.id, now=now)


def test_an_own_password_is_changed_with_the_present_one(admin, now):
    actions.change_own_password(admin, PASSWORD, "another-good-one", now=now)
    assert password_matches("another-good-one", queries.find_password_hash("chi.admin"))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("wrong", "another-good-one", "current password"),
        (PASSWORD, PASSWORD, "same"),
        (PASSWORD, "short", "at least"),
    ],
)
def test_an_own_password_is_not_changed_when_something_is_wrong(admin, now, old, new, complaint):
    with pytest.raises(Invalid, match=complaint):
        actions.change_own_password(admin, old, new, now=now)
    assert password_matches(PASSWORD, queries.find_password_hash("chi.admin"))


def test_an_operator_who_does_not_exist_is_not_found(admin, now):
    with pytest.raises(NotFound):
        actions.disable_operator(admin, 404, now=now)
