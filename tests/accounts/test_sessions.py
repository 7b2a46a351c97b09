"""Sessions: a ticket becomes a key once, a browser is signed out alone, an ended one is worth nothing."""

from datetime import timedelta

import pytest

from core.accounts import actions, queries, sessions
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE
from core.accounts.session_queries import find_session, list_sessions
from core.accounts.session_rules import KEEP_SESSIONS, SESSION_LIFETIME, TICKET_LIFETIME
from core.accounts.sign_in import complete_sign_in
from core.errors import NotFound, SignedOut
from tests.signing_in import session_of

pytestmark = pytest.mark.usefixtures("quick_hashes")
HERE = "10.0.0.1"
SOON = timedelta(minutes=1)


@pytest.fixture
def lan(fresh_database, now) -> int:
    return actions.add_operator(COMMAND_LINE, "lan", "editor", "correct-horse-battery", now=now).id


def test_a_ticket_is_traded_once_for_a_key_that_it_does_not_tell(lan, now):
    ticket = complete_sign_in("lan", HERE, browser="Firefox, Linux", now=now)
    assert find_session(sessions.hash_of(ticket), now) is None  # a ticket is no key
    key = sessions.trade_ticket(ticket, now=now)
    assert key != ticket
    assert sessions.trade_ticket(ticket, now=now) is None
    assert sessions.trade_ticket(key, now=now) is None
    found = find_session(sessions.hash_of(key), now)
    assert (found.operator.name, found.address, found.browser) == ("lan", HERE, "Firefox, Linux")


def test_an_old_or_invented_ticket_is_worth_nothing(lan, now):
    ticket = complete_sign_in("lan", HERE, now=now)
    assert sessions.trade_ticket(ticket, now=now + TICKET_LIFETIME) is None
    assert sessions.trade_ticket("invented", now=now) is None
    assert sessions.trade_ticket("\udcff", now=now) is None


def test_no_key_is_in_the_database(lan, now, fresh_database):
    key = sessions.trade_ticket(complete_sign_in("lan", HERE, now=now), now=now)
    assert key not in str(fresh_database.rows("SELECT * FROM operator_session"))


def test_signing_out_ends_this_session_and_spares_the_others(lan, now):
    here, there = session_of(lan, now), session_of(lan, now)
    sessions.sign_out(find_session(here, now).actor, now=now + SOON)
    assert find_session(here, now + SOON) is None
    assert find_session(there, now + SOON)


def test_a_lost_telephone_is_signed_out_from_elsewhere(lan, now):
    here, lost = session_of(lan, now), session_of(lan, now, browser="Chrome, Android")
    on_the_telephone = find_session(lost, now).actor
    sessions.end_session(find_session(here, now).actor, on_the_telephone.session_id, now=now + SOON)
    with pytest.raises(SignedOut):
        sessions.sign_out(on_the_telephone, now=now + SOON)
    assert [each.id for each in list_sessions(lan, now + SOON)] == [find_session(here, now + SOON).id]
    [said] = [each for each in queries.list_activity(ActivityFilter()) if each.verb == "operator.end_session"]
    assert said.detail == {"browser": "Chrome, Android"}


def test_nobody_ends_the_session_of_somebody_else(lan, now):
    mai = actions.add_operator(COMMAND_LINE, "mai", "admin", "correct-horse-battery", now=now).id
    theirs = find_session(session_of(lan, now), now)
    with pytest.raises(NotFound):
        sessions.end_session(find_session(session_of(mai, now), now).actor, theirs.id, now=now)
    assert list_sessions(lan, now)


def test_a_new_password_ends_every_session_and_begins_another(lan, now):
    here, there = session_of(lan, now), session_of(lan, now)
    by = find_session(here, now).actor
    ticket = actions.change_own_password(by, "correct-horse-battery", "hoa mai nở sớm", now=now + SOON)
    assert find_session(here, now + SOON) is None
    assert find_session(there, now + SOON) is None
    assert find_session(sessions.hash_of(sessions.trade_ticket(ticket, now=now + SOON)), now + SOON)


def test_a_session_ends_after_a_day_and_its_row_goes_after_a_month(lan, now, fresh_database):
    key = session_of(lan, now)
    assert find_session(key, now + SESSION_LIFETIME - SOON)
    assert find_session(key, now + SESSION_LIFETIME) is None
    session_of(lan, now + KEEP_SESSIONS + SOON)
    assert fresh_database.count("operator_session") == 1


def test_when_somebody_was_seen_is_kept_from_time_to_time(lan, now):
    found = find_session(session_of(lan, now), now)
    sessions.record_seen(found.id, now=now + SOON)
    assert list_sessions(lan, now + SOON)[0].last_seen_at == now
    sessions.record_seen(found.id, now=now + timedelta(minutes=6))
    assert list_sessions(lan, now + timedelta(minutes=6))[0].last_seen_at == now + timedelta(minutes=6)


def test_the_log_says_from_where_something_was_done(lan, now, fresh_database):
    found = find_session(session_of(lan, now, address="203.0.113.7"), now)
    sessions.sign_out(found.actor, now=now)
    said = fresh_database.rows("SELECT address, session_id FROM activity WHERE verb = 'operator.sign_out'")
    assert said == [("203.0.113.7", found.id)]
