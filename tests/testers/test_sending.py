"""Tests: sent inside the window as they are, recorded apart, and never at the cost of an opt-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE, Role
from core.conversation.draft_actions import create_draft, get_draft, keep_draft
from core.conversation.drafts import BlockDraft, MessageDraft
from core.db import tables
from core.db.engine import transaction
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from core.forgetting.actions import forget
from core.funnel.counting import count_funnels
from core.testers.queries import list_testers, list_tests
from core.testers.rules import About
from core.testers.sending import send_broadcast_test, send_message_test
from tests.inbox.platform import rows, tap
from tests.testers.conftest import OTNR, PSID, Team

SALE = {"kind": "text", "text": "Hàng mới đã về!", "fallback": "", "replies": [{"title": "Xem"}]}


def send(team: Team, message_id: int, tester_id: int) -> int:
    return send_message_test(team.lan, tester_id, message_id, now=team.now)


def test_a_message_comes_block_by_block_with_its_request_as_it_is(team):
    tester, message = team.tester(), team.message(BlockDraft("text", {"text": "Chào"}), team.otnr())
    test_id = send(team, message, tester)
    text, request = team.tests()
    assert text.body == {"text": "Chào"}
    assert request.body["attachment"]["payload"]["template_type"] == "one_time_notif_req"
    assert request.body["attachment"]["payload"]["title"] == OTNR["title"]
    assert (text.begins_answer, request.begins_answer) == (True, False)
    assert {row.tester_message_id for row in (text, request)} == {test_id}


def test_what_is_being_written_is_sent_and_not_what_is_published(team):
    tester, message = team.tester(), team.message()
    draft = get_draft(message)
    changed = [BlockDraft("text", {"text": "Nháp"})]
    keep_draft(team.lan, replace(draft, blocks=changed), began=draft, now=team.now)
    send(team, message, tester)
    assert [row.body["text"] for row in team.tests()] == ["Nháp"]


def test_a_message_that_was_never_published_is_sent(team):
    written = MessageDraft("Mới", [BlockDraft("text", {"text": "Nháp", "fallback": ""})], [])
    send(team, create_draft(team.lan, team.fanpage, written, now=team.now).id, team.tester())
    assert [row.body["text"] for row in team.tests()] == ["Nháp"]


def test_a_broadcast_comes_with_its_quick_replies(team):
    tester = team.tester()
    send_broadcast_test(team.lan, tester, team.broadcast(SALE), now=team.now)
    (only,) = team.tests()
    assert [each["title"] for each in only.body["quick_replies"]] == ["Xem"]


def test_nothing_is_counted_and_no_opt_in_is_spent(team, arrange):
    tester, message = team.tester(), team.message(team.otnr())
    (phone,) = rows(tables.Customer)
    arrange.opt_in(team.topic, phone.id, fanpage_id=team.fanpage)
    send(team, message, tester)
    send_broadcast_test(team.lan, tester, team.broadcast(SALE), now=team.now)
    assert rows(tables.Request) == rows(tables.Delivery) == rows(tables.WithheldRequest) == []
    assert [row.state for row in rows(tables.OptIn)] == ["available"]
    count_funnels(now=team.now)
    assert rows(tables.FunnelDay) == []


def test_a_tap_on_a_tests_request_is_thanked_for_once_and_is_no_opt_in(team):
    test_id = send(team, team.message(team.otnr()), team.tester())
    payload = team.tests()[0].body["attachment"]["payload"]["payload"]
    for number in range(2):
        team.receive(tap(PSID, team.now, f"token-{number}", payload))
    assert rows(tables.OptIn) == []
    thanks = [row for row in rows(tables.Reply) if row.body.get("text") == OTNR["after"]]
    assert len(thanks) == 1
    assert list_tests(About.MESSAGE, rows(tables.TesterMessage)[0].about_id)[0].tapped_at == team.now
    assert test_id == rows(tables.TesterMessage)[0].id


@pytest.mark.parametrize("which", ["", "1", "1.9", "x.0", "9.0"])
def test_a_payload_that_leads_to_no_test_makes_no_opt_in_and_fails_nothing(team, which):
    send(team, team.message(team.otnr()), team.tester())
    team.receive(tap(PSID, team.now, "token-1", f"otn.test.{which}"))
    assert rows(tables.OptIn) == []
    assert {row.state for row in rows(tables.Event)} == {"applied"}


def test_somebody_elses_tap_is_not_the_testers(team):
    send(team, team.message(team.otnr()), team.tester())
    payload = team.tests()[0].body["attachment"]["payload"]["payload"]
    team.receive(tap("24070000000000099", team.now, "token-1", payload))
    assert rows(tables.TesterMessage)[0].tapped_at is None


def test_outside_the_window_it_is_refused_and_says_what_to_do(team):
    tester, message = team.tester(), team.message()
    later = team.lan_later(timedelta(hours=24))
    with pytest.raises(WrongState, match="first, then send the test again"):
        send_message_test(later, tester, message, now=team.now + timedelta(hours=24))
    assert team.tests() == []


def test_a_stopped_fanpage_sends_no_tests(team):
    tester, message = team.tester(), team.message()
    with transaction() as db:
        db.get_one(tables.Fanpage, team.fanpage).stopped_code = "token_invalid"
    with pytest.raises(WrongState, match="stopped"):
        send(team, message, tester)


def test_a_double_click_is_one_test(team):
    tester, message = team.tester(), team.message()
    assert send(team, message, tester) == send(team, message, tester)
    assert len(team.tests()) == 1


def test_once_it_has_come_it_may_be_sent_again(team):
    tester, message = team.tester(), team.message()
    first = send(team, message, tester)
    with transaction() as db:
        db.get_one(tables.Reply, team.tests()[0].id).state = "sent"
    assert send(team, message, tester) != first
    assert [each.state for each in list_tests(About.MESSAGE, message)] == ["queued", "sent"]


def test_an_unfinished_message_is_refused_as_publishing_would(team):
    written = MessageDraft("Mới", [BlockDraft("text", {"text": "", "fallback": ""})], [])
    draft = create_draft(team.lan, team.fanpage, written, now=team.now)
    with pytest.raises(Invalid):
        send(team, draft.id, team.tester())
    with pytest.raises(Invalid):
        send_broadcast_test(team.lan, 1, team.broadcast({"kind": "text", "text": ""}), now=team.now)


def test_who_is_not_there_gets_nothing(team, arrange):
    message = team.message()
    with pytest.raises(NotFound):
        send(team, message, 99)
    other = arrange.fanpage("Trà sữa Bông")
    elsewhere = arrange.save(tables.Tester(fanpage_id=other, name="Vy", created_at=team.now))
    with pytest.raises(NotFound):
        send(team, message, elsewhere)
    waiting = arrange.save(tables.Tester(fanpage_id=team.fanpage, name="Vy", created_at=team.now))
    with pytest.raises(WrongState, match="code word"):
        send(team, message, waiting)


def test_a_viewer_sends_no_tests(team):
    tester, message = team.tester(), team.message()
    with pytest.raises(NotAllowed):
        send_message_test(team.operator("xem", Role.VIEWER), tester, message, now=team.now)


def test_the_worst_of_its_messages_is_what_became_of_a_test(team):
    message = team.message(BlockDraft("text", {"text": "Một"}), BlockDraft("text", {"text": "Hai"}))
    send(team, message, team.tester())
    one, two = team.tests()
    with transaction() as db:
        db.get_one(tables.Reply, one.id).state = "sent"
        db.get_one(tables.Reply, two.id).state = "failed"
        db.get_one(tables.Reply, two.id).reason = "blocked"
    (seen,) = list_tests(About.MESSAGE, message)
    assert (seen.to, seen.sent_by, seen.messages, seen.state, seen.reason) == (
        "lan",
        "lan",
        2,
        "failed",
        "blocked",
    )
    assert not seen.is_under_way


def test_forgetting_reaches_testers_and_their_tests(team):
    send(team, team.message(), team.tester())
    forget(COMMAND_LINE, team.fanpage, psid=PSID, now=team.now)
    assert list_testers(team.fanpage) == []
    assert rows(tables.TesterMessage) == rows(tables.Reply) == []
