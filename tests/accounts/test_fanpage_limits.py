"""Operators of some fanpages: who gives them which, and what they may do. That every action keeps them from
another fanpage is tried in test_authority.py."""

from dataclasses import replace

import pytest

from core.accounts import actions, exporting, queries
from core.accounts.queries import ActivityFilter
from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.accounts.session_queries import find_session
from core.broadcasts import actions as broadcasts
from core.broadcasts import drafts, revisions
from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Broadcast
from core.errors import Invalid, NotAllowed, WrongState
from core.fanpages import actions as fanpages
from core.fanpages import set_up_actions
from core.fanpages.queries import get_fanpage
from tests.signing_in import session_of

pytestmark = pytest.mark.usefixtures("quick_hashes")
PASSWORD = "correct-horse-battery"
TEXT = {"kind": "text", "text": "Hàng mới đã về!"}


def made(name: str, role: str, now, fanpage_ids=None) -> Actor:
    view = actions.add_operator(COMMAND_LINE, name, role, PASSWORD, fanpage_ids=fanpage_ids, now=now)
    return Actor(view.id, view.name, view.role, signed_in_at=now, fanpage_ids=view.fanpage_ids)


@pytest.fixture
def two(arrange) -> tuple[int, int]:
    return arrange.fanpage("Tiệm Mai"), arrange.fanpage("Quán Sen")


def test_an_operator_has_all_fanpages_unless_some_are_chosen(two, now):
    mai, sen = two
    assert made("lan", "editor", now).has_all_fanpages
    limited = made("hoa", "editor", now, [sen])
    assert limited.may_see(sen)
    assert not limited.may_see(mai)


@pytest.mark.parametrize("wrong", [[], [404], [1, 404]])
def test_no_fanpage_at_all_and_an_unknown_one_are_refused(two, now, wrong):
    lan = made("lan", "editor", now)
    with pytest.raises(Invalid):
        actions.limit_to_fanpages(COMMAND_LINE, lan.id, wrong, now=now)
    assert queries.get_operator_named("lan").fanpage_ids is None


def test_losing_a_fanpage_ends_the_sessions_and_winning_one_does_not(two, now):
    mai, sen = two
    lan = made("lan", "editor", now)
    before = session_of(lan.id)
    actions.limit_to_fanpages(COMMAND_LINE, lan.id, [mai], now=utc_now())
    assert find_session(before, utc_now()) is None
    again = session_of(lan.id)
    actions.limit_to_fanpages(COMMAND_LINE, lan.id, [mai, sen], now=utc_now())
    actions.limit_to_fanpages(COMMAND_LINE, lan.id, None, now=utc_now())
    assert find_session(again, utc_now())
    verbs = [(entry.verb, entry.detail) for entry in queries.list_activity(ActivityFilter(), limit=3)]
    assert verbs == [
        ("operator.give_all_fanpages", {"were": "Quán Sen, Tiệm Mai"}),
        ("operator.limit_to_fanpages", {"fanpages": "Quán Sen, Tiệm Mai", "were": "Tiệm Mai"}),
        ("operator.limit_to_fanpages", {"fanpages": "Tiệm Mai"}),
    ]


def test_an_admin_of_all_fanpages_always_remains(two, now):
    chief = made("chi", Role.ADMIN, now)
    made("hoa", Role.ADMIN, now, [two[0]])
    for attempt in (
        lambda: actions.limit_to_fanpages(COMMAND_LINE, chief.id, [two[0]], now=now),
        lambda: actions.change_role(COMMAND_LINE, chief.id, "sender", now=now),
        lambda: actions.disable_operator(COMMAND_LINE, chief.id, now=now),
    ):
        with pytest.raises(WrongState, match="last admin"):
            attempt()


def test_an_admin_of_some_fanpages_neither_widens_nor_makes_anybody(two, now):
    made("chi", Role.ADMIN, now)
    hoa = made("hoa", Role.ADMIN, now, [two[0]])
    for attempt in (
        lambda: actions.limit_to_fanpages(hoa, hoa.id, None, now=now),
        lambda: actions.invite_operator(hoa, "vy", "admin", now=now),
        lambda: actions.reset_password(hoa, 1, now=now),
    ):
        with pytest.raises(NotAllowed, match="affects all fanpages"):
            attempt()


def test_an_admin_of_some_fanpages_renews_their_tokens_and_connects_no_other(two, now):
    hoa = made("hoa", Role.ADMIN, now, [two[0]])
    own, other = get_fanpage(two[0]).page_id, get_fanpage(two[1]).page_id
    fanpages.connect(hoa, page_id=own, name="Tiệm Mai", token="EAAB", check=False, now=now)
    for page_id in (other, "100200300"):
        with pytest.raises(NotAllowed):
            fanpages.connect(hoa, page_id=page_id, name="Hoa", token="EAAB", check=False, now=now)
    set_up_actions.accept(hoa, "no_privacy_address", fanpage_id=two[0], now=now)
    with pytest.raises(NotAllowed):
        set_up_actions.accept(hoa, "no_privacy_address", fanpage_id=two[1], now=now)


def test_a_draft_is_not_moved_to_a_topic_of_another_fanpage(two, arrange, now):
    mai, sen = two
    hoa = made("hoa", "editor", now, [mai])
    here, there = arrange.topic(mai), arrange.topic(sen)
    draft_id = broadcasts.create_broadcast(hoa, topic_id=here, content=TEXT, now=now)
    with pytest.raises(NotAllowed, match="a fanpage you don't manage"):
        broadcasts.create_broadcast(hoa, topic_id=there, content=TEXT, now=now)
    draft = drafts.get_draft(draft_id)
    with pytest.raises(NotAllowed, match="a fanpage you don't manage"):
        drafts.keep_draft(hoa, replace(draft, topic_id=there), began=draft, now=now)
    assert drafts.get_draft(draft_id).topic_id == here


def test_changes_to_a_scheduled_broadcast_of_another_fanpage_are_not_applied(two, arrange, now):
    """A draft beside it may have been moved to a fanpage of theirs."""
    mai, sen = two
    hoa = made("hoa", "sender", now, [mai])
    values = {"content": TEXT, "name": "Tết", "created_at": now, "updated_at": now}
    theirs = arrange.save(
        Broadcast(fanpage_id=sen, topic_id=arrange.topic(sen), state="scheduled", due_at=now, **values)
    )
    draft_id = revisions.begin(COMMAND_LINE, theirs, now=now)
    with transaction() as db:
        db.get(Broadcast, draft_id).fanpage_id = mai
    with pytest.raises(NotAllowed, match="a fanpage you don't manage"):
        revisions.apply(hoa, draft_id, version=drafts.get_draft(draft_id).version, now=now)


def test_nobody_takes_out_data_of_another_fanpage_or_of_all(two, now):
    hoa = made("hoa", "editor", now, [two[0]])
    exporting.record_export(hoa, "opt-ins.csv", [two[0]], now=now)
    for asked in ([two[1]], [*two], None):
        with pytest.raises(NotAllowed):
            exporting.record_export(hoa, "opt-ins.csv", asked, now=now)


def test_the_activity_log_of_some_fanpages_holds_nothing_of_others(two, arrange, now):
    mai, sen = two
    chief = made("chi", Role.ADMIN, now)
    made("hoa", "editor", now, [mai])
    made("vy", "editor", now, [sen])
    for fanpage_id in two:
        broadcasts.create_broadcast(chief, topic_id=arrange.topic(fanpage_id), content=TEXT, now=now)
    asked = ActivityFilter(fanpage_ids=frozenset({mai}))
    assert {entry.fanpage_id for entry in queries.list_activity(asked)} == {mai}
    assert queries.count_activity(asked) == 1
    assert queries.list_actors(frozenset({mai})) == ["chi", "hoa", "command line", "system"]
