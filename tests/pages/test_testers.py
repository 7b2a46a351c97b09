"""Testers as staff make them, and the dialog that sends them messages and broadcasts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft
from core.db import tables
from core.db.engine import transaction
from core.testers.actions import remove_tester
from core.testers.queries import list_testers
from tests.inbox.platform import rows
from tests.pages.broadcasts import a_draft
from tests.pages.conftest import an_operator, opened
from tests.pages.shown import all_words, keys, press


@pytest.fixture
def lan(arrange) -> int:
    """The operator who asks."""
    return an_operator(arrange, "editor", name="lan")


def a_tester(arrange, fanpage: int, operator_id: int | None, name: str = "lan", hours: int = 20) -> int:
    until = utc_now() + timedelta(hours=hours)
    customer = arrange.customer(fanpage, "Lan", last_name="Nguyễn", window_closes_at=until)
    values = {"customer_id": customer, "joined_at": utc_now(), "created_at": utc_now()}
    row = tables.Tester(fanpage_id=fanpage, operator_id=operator_id, name=name, **values)
    return arrange.save(row)


def a_message(fanpage: int) -> int:
    blocks = [BlockDraft("text", {"text": "Chào bạn", "fallback": ""})]
    return save_message(COMMAND_LINE, fanpage, name="Chào", blocks=blocks, entry_points=[], now=utc_now())


def test_one_makes_oneself_a_tester_and_sees_when_the_code_has_arrived(fanpage, lan, arrange):
    at = press(press(opened(lan, page="testers"), "testers_start"), "tester_new_submit")
    (tester,) = list_testers(fanpage)
    assert (tester.operator_id, tester.name) == (lan, "lan")
    assert f"TEST-{tester.code}" in [each.value for each in at.code]
    customer = arrange.customer(fanpage, window_closes_at=utc_now() + timedelta(hours=24))
    with transaction() as db:
        db.get_one(tables.Tester, tester.id).customer_id = customer
    at.run()
    assert "lan is now a tester." in [each.value for each in at.success]


def test_a_colleague_is_invited_by_name(fanpage, lan, arrange):
    a_tester(arrange, fanpage, lan)
    at = press(opened(lan, page="testers"), "tester_add")
    assert at.radio(key="tester_who").value == "other"
    press(at, "tester_new_submit")
    assert "Give the tester a name" in all_words(at)
    at.text_input(key="tester_name").input("Vy" * 40)  # what is pasted stays, with its length in red
    press(at, "tester_new_submit")
    assert "The name can have at most 60 characters" in all_words(at)
    assert at.text_input(key="tester_name").value == "Vy" * 40
    at.text_input(key="tester_name").input("Vy")
    press(at, "tester_new_submit")
    assert [each.name for each in list_testers(fanpage)] == ["lan", "Vy"]


def test_an_expired_code_is_shown_as_a_new_one(fanpage, lan, arrange):
    values = {"code": "BCDFGHJK", "code_expires_at": utc_now() - timedelta(hours=1), "created_at": utc_now()}
    tester = arrange.save(tables.Tester(fanpage_id=fanpage, name="Vy", **values))
    at = opened(lan, page="testers")
    assert "Code word expired" in all_words(at) + str([each.proto for each in at.markdown])
    press(at, f"tester_{tester}_code")
    assert list_testers(fanpage)[0].code != "BCDFGHJK"


def test_a_tester_is_taken_off_the_list(fanpage, lan, arrange):
    tester = a_tester(arrange, fanpage, lan)
    press(press(opened(lan, page="testers"), f"tester_{tester}_remove"), "tester_remove_confirm")
    assert list_testers(fanpage) == []


def test_a_message_is_sent_to_me_and_the_page_shows_what_became_of_it(fanpage, lan, arrange):
    a_tester(arrange, fanpage, None, "An")
    a_tester(arrange, fanpage, lan)
    message = a_message(fanpage)
    at = press(opened(lan, page="message", id=message), "test_send_open")
    press(at, "test_send_submit")
    (reply,) = rows(tables.Reply)
    assert (reply.body, reply.state) == ({"text": "Chào bạn"}, "queued")
    assert "Queued" in all_words(at)
    with transaction() as db:
        row = db.get_one(tables.Reply, reply.id)
        row.state, row.reason = "failed", "blocked"
    at.run()
    assert "Blocked the fanpage" in all_words(at)


def test_a_closed_window_says_to_write_first_and_sends_nothing(fanpage, lan, arrange):
    a_tester(arrange, fanpage, lan, hours=-1)
    at = press(opened(lan, page="message", id=a_message(fanpage)), "test_send_open")
    assert "only within 24 hours" in all_words(at)
    assert at.button(key="test_send_submit").disabled


def test_a_tester_who_is_taken_off_meanwhile_is_not_replaced_by_another(fanpage, lan, arrange):
    a_tester(arrange, fanpage, lan)
    other = a_tester(arrange, fanpage, None, "minh")
    at = press(opened(lan, page="message", id=a_message(fanpage)), "test_send_open")
    at.selectbox(key="test_send_to").select(other).run()
    remove_tester(COMMAND_LINE, other, now=utc_now())
    at.run()
    assert at.selectbox(key="test_send_to").value is None
    assert "test_send_submit" not in keys(at.button)


def test_without_testers_the_dialog_leads_to_making_one(fanpage, lan):
    at = press(opened(lan, page="message", id=a_message(fanpage)), "test_send_open")
    assert "make yourself a tester" in all_words(at)
    assert "test_send_submit" not in keys(at.button)


@pytest.mark.parametrize("step", ["what", "check"])
def test_a_broadcast_is_tried_from_the_wizard(fanpage, lan, arrange, step):
    a_tester(arrange, fanpage, lan)
    draft = a_draft(arrange.topic(fanpage), kind="text", text="Hoa mới", fallback="")
    at = press(opened(lan, page="new_broadcast", id=draft, step=step), "test_send_open")
    press(at, "test_send_submit")
    assert [row.body for row in rows(tables.Reply)] == [{"text": "Hoa mới"}]
    assert rows(tables.Delivery) == []


def test_a_scheduled_broadcast_is_tried_from_its_page(fanpage, lan, arrange):
    a_tester(arrange, fanpage, lan)
    draft = a_draft(arrange.topic(fanpage), kind="text", text="Hoa mới", fallback="")
    with transaction() as db:
        row = db.get_one(tables.Broadcast, draft)
        row.state, row.due_at = "scheduled", utc_now() + timedelta(days=1)
    press(press(opened(lan, page="broadcast", id=draft), "test_send_open"), "test_send_submit")
    assert len(rows(tables.TesterMessage)) == 1


def test_a_viewer_is_offered_no_test(fanpage, arrange, panel):
    at = panel("message", role="viewer", id=a_message(fanpage))
    assert "test_send_open" not in keys(at.button)
