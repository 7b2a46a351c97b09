"""Customers say no themselves: by a word or a button, confirmed once, remembered as of when they said it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.message_files import draft_from_json
from core.conversation.rules import render
from core.conversation.stop_word_actions import set_stop_words
from core.db.tables import OptIn, Reply, Withdrawal
from core.errors import Invalid, NotAllowed
from core.fanpages.queries import get_fanpage
from core.inbox import processing
from tests.inbox.platform import event, read, rows, said, tap

PSID = "25000000000000077"


@pytest.fixture
def topics(arrange, fanpage) -> list[int]:
    return [arrange.topic(fanpage, name) for name in ("Hoa hồng", "Hoa tulip")]


@pytest.fixture
def lan(arrange, fanpage, topics) -> int:
    customer = arrange.customer(fanpage, psid=PSID)
    for topic in topics:
        arrange.opt_in(topic, customer, fanpage_id=fanpage)
    return customer


@pytest.fixture
def receive(now):
    def _receive(*events) -> None:
        processing.store_events(read(*events, received_at=now))
        while processing.apply_pending(limit=50, now=now):
            pass

    return _receive


def states() -> list[str]:
    return [row.state for row in rows(OptIn)]


def test_a_stop_word_withdraws_from_everything_and_is_confirmed_once(lan, receive, now):
    at = now - timedelta(minutes=1)
    receive(said(PSID, at, "Dừng!", "m_1"), said(PSID, at, "Dừng!", "m_1"))

    assert states() == ["withdrawn", "withdrawn"]
    [no] = rows(Withdrawal)
    assert (no.customer_id, no.topic_id, no.source, no.at) == (lan, None, "keyword", at)
    [reply] = rows(Reply)
    assert reply.body["text"].startswith("Đã dừng: Tiệm Hoa Mai")


def test_what_only_contains_a_stop_word_is_no_no(lan, receive, now):
    receive(said(PSID, now, "khi nào thì dừng khuyến mãi?", "m_1"))
    assert (states(), rows(Withdrawal)) == (["available"] * 2, [])


def test_somebody_elses_button_with_such_a_title_is_no_no(lan, receive, now):
    receive(
        event(PSID, now, postback={"mid": "m_1", "title": "Hủy", "payload": "CANCEL_ORDER"}),
        event(PSID, now, message={"mid": "m_2", "text": "Hủy", "quick_reply": {"payload": "message:5"}}),
    )
    assert (states(), rows(Withdrawal)) == (["available"] * 2, [])


def test_a_button_withdraws_from_its_topic(lan, topics, receive, now):
    receive(event(PSID, now, postback={"mid": "m_1", "title": "Thôi", "payload": f"stop:{topics[0]}"}))

    assert states() == ["withdrawn", "available"]
    assert [(no.topic_id, no.source) for no in rows(Withdrawal)] == [(topics[0], "button")]
    assert "Hoa hồng" in rows(Reply)[0].body["text"]


def test_a_quick_reply_or_button_may_stop_everything(lan, receive, now):
    receive(event(PSID, now, message={"mid": "m_1", "text": "Thôi", "quick_reply": {"payload": "stop:all"}}))
    assert states() == ["withdrawn"] * 2


@pytest.mark.parametrize("payload", ["stop:", "stop:99999", "stop:x", "stop:" + "9" * 30, "stop:²"])
def test_a_payload_that_names_nothing_of_ours_does_nothing(lan, receive, now, payload):
    receive(event(PSID, now, postback={"mid": "m_1", "title": "Thôi", "payload": payload}))
    assert (states(), rows(Withdrawal)) == (["available"] * 2, [])


def test_another_fanpages_topic_is_not_ours(arrange, lan, receive, now):
    foreign = arrange.topic(arrange.fanpage("Quán Cà Phê"))
    receive(event(PSID, now, postback={"mid": "m_1", "title": "Thôi", "payload": f"stop:{foreign}"}))
    assert states() == ["available"] * 2


def test_in_whatever_order_a_tap_and_a_no_arrive_the_later_one_stands(fanpage, topics, lan, receive, now):
    early, no, late = (now - timedelta(minutes=minutes) for minutes in (3, 2, 1))
    receive(tap(PSID, late, "late", f"topic:{topics[0]}"))
    receive(said(PSID, no, "stop", "m_1"))
    receive(tap(PSID, early, "early", f"topic:{topics[0]}"))

    assert states() == ["withdrawn", "withdrawn", "available", "withdrawn"]


def test_a_first_word_of_somebody_new_is_remembered_too(fanpage, topics, receive, now):
    receive(said(PSID, now, "stop", "m_1"))
    receive(tap(PSID, now - timedelta(minutes=1), "late", f"topic:{topics[0]}"))
    assert states() == ["withdrawn"]


def test_a_fanpage_has_its_own_words(fanpage, lan, receive, now):
    set_stop_words(COMMAND_LINE, fanpage, [" nghỉ ", "Nghỉ", "", "thôi"], now=now)
    assert get_fanpage(fanpage).stop_words == ("Nghỉ", "thôi")

    receive(said(PSID, now, "dừng", "m_1"))
    assert states() == ["available"] * 2
    receive(said(PSID, now, "nghỉ", "m_2"))
    assert states() == ["withdrawn"] * 2


def test_only_an_admin_changes_them_and_never_to_nothing(fanpage, now):
    with pytest.raises(NotAllowed):
        set_stop_words(Actor(None, "an", Role.SENDER), fanpage, ["stop"], now=now)
    with pytest.raises(Invalid):
        set_stop_words(COMMAND_LINE, fanpage, [" ", ""], now=now)


def a_message(fanpage: int, now, *entries: EntryDraft, button: dict | None = None) -> int:
    blocks = [BlockDraft("text", {"text": "Chào bạn"})]
    if button:
        blocks = [BlockDraft("buttons", {"text": "Chào bạn", "buttons": [{"title": "Thôi", **button}]})]
    return save_message(
        COMMAND_LINE, fanpage, name="Chào", blocks=blocks, entry_points=list(entries), now=now
    )


def test_a_keyword_that_is_a_stop_word_is_refused_from_both_sides(fanpage, now):
    with pytest.raises(Invalid, match="stop word"):
        a_message(fanpage, now, EntryDraft("keyword", "contains", "HỦY"))
    a_message(fanpage, now, EntryDraft("keyword", "exact", "nghỉ"))
    with pytest.raises(Invalid, match="Chào"):
        set_stop_words(COMMAND_LINE, fanpage, ["stop", "Nghỉ"], now=now)


def test_a_button_names_all_or_a_topic_of_the_fanpage(arrange, fanpage, topics, now):
    a_message(fanpage, now, button={"stop": "all"})
    a_message(fanpage, now, button={"stop": topics[0]})
    foreign = arrange.topic(arrange.fanpage("Quán Cà Phê"))
    with pytest.raises(Invalid):
        a_message(fanpage, now, button={"stop": foreign})


def test_a_message_file_names_the_topic(fanpage, topics):
    button = {"title": "Thôi", "stop": "Hoa hồng"}
    file = {"name": "Chào", "blocks": [{"kind": "buttons", "text": "Chào bạn", "buttons": [button]}]}
    [block] = draft_from_json(fanpage, file).blocks
    [wired] = render(block.kind, block.content)["attachment"]["payload"]["buttons"]
    assert wired == {"type": "postback", "title": "Thôi", "payload": f"stop:{topics[0]}"}
