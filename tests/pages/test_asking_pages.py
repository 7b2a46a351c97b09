"""Asking again and the limits of it, as staff set them and see what came of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import queries
from core.broadcasts.readiness import find_problems
from core.clock import utc_now
from core.conversation.asking_actions import set_asking
from core.conversation.asking_queries import list_withheld
from core.conversation.draft_actions import create_draft, get_draft
from core.conversation.drafts import BlockDraft, MessageDraft
from core.conversation.replies import answer_event
from core.db.engine import reading, transaction
from core.db.tables import Block, Customer, Message, Reply, Topic
from core.errors import Invalid, WrongState
from core.fanpages.queries import get_fanpage
from tests.pages.broadcasts import a_draft
from tests.pages.shown import all_words, keys, press

PROMISE = "Báo tôi khi có hoa mới"


@pytest.fixture
def topic(arrange, fanpage) -> int:
    return arrange.topic(fanpage, "Hoa mới")


def asking_message(arrange, fanpage: int, topic: int, name: str = "Đăng ký") -> int:
    now = utc_now()
    message_id = arrange.save(Message(fanpage_id=fanpage, name=name, created_at=now, updated_at=now))
    content = {"title": PROMISE, "after": ""}
    block = {"kind": "otnr", "content": content, "topic_id": topic}
    arrange.save(Block(message_id=message_id, position=0, **block))
    return message_id


@pytest.fixture
def lan(arrange, fanpage) -> int:
    open_until = utc_now() + timedelta(hours=20)
    return arrange.customer(fanpage, "Lan", window_closes_at=open_until)


def row(table, row_id: int):
    with reading() as db:
        return db.get_one(table, row_id)


def test_an_admin_sets_the_limits_of_a_fanpage(panel, fanpage):
    at = press(panel("setup"), "fanpage_limits_open")
    at.number_input(key="fanpage_limits_broadcasts_a_week").set_value(0)
    at.number_input(key="fanpage_limits_silent_hours").set_value(1)
    at.checkbox(key="fanpage_limits_asks_holders").check()
    press(at, "fanpage_limits_submit")
    limits = get_fanpage(fanpage).limits
    assert (limits.broadcasts_a_week, limits.silent_hours, limits.asks_holders) == (0, 1, True)
    assert (limits.ask_cool_down_days, limits.asks_a_day) == (7, 2)


def test_a_topic_is_asked_again_by_a_rule(panel, arrange, fanpage, topic):
    first = asking_message(arrange, fanpage, topic)
    asking_message(arrange, fanpage, topic, "Đăng ký mới")
    at = press(panel("topics", role="editor", id=topic), "topic_asking_open")
    at.toggle(key="topic_asking_on").set_value(True)
    at.selectbox(key="topic_asking_message").set_value(first)
    press(at, "topic_asking_submit")
    assert (row(Topic, topic).asks_again, row(Topic, topic).ask_message_id) == (True, first)
    assert "asked again when they next write" in all_words(at)


def test_the_request_that_is_chosen_stays_when_its_message_is_renamed(panel, arrange, fanpage, topic):
    first = asking_message(arrange, fanpage, topic)
    asking_message(arrange, fanpage, topic, "Đăng ký mới")
    at = press(panel("topics", role="editor", id=topic), "topic_asking_open")
    at.selectbox(key="topic_asking_message").set_value(first).run()
    with transaction() as db:
        db.get_one(Message, first).name = "Đăng ký cũ"
    at.run()
    chosen = at.selectbox(key="topic_asking_message")
    assert (chosen.proto.set_value, chosen.value) == (True, first)


def test_a_topic_that_no_message_asks_about_cannot_be_asked_again(panel, arrange, fanpage, topic):
    at = press(panel("topics", role="editor", id=topic), "topic_asking_open")
    assert at.toggle(key="topic_asking_on").disabled
    assert "insert its request (OTNR)" in all_words(at)
    with pytest.raises(Invalid):
        set_asking(COMMAND_LINE, topic, asks_again=True, now=utc_now())
    other = asking_message(arrange, fanpage, arrange.topic(fanpage, "Khác"))
    with pytest.raises(Invalid):
        set_asking(COMMAND_LINE, topic, asks_again=False, message_id=other, now=utc_now())
    with transaction() as db:
        db.get_one(Topic, topic).archived_at = utc_now()
    with pytest.raises(WrongState):
        set_asking(COMMAND_LINE, topic, asks_again=False, now=utc_now())


def test_a_topic_leads_to_a_new_message_also_when_one_asks_already(panel, arrange, fanpage, topic):
    asking_message(arrange, fanpage, topic)
    links = [link.proto for link in panel("topics", role="editor", id=topic).get("page_link")]
    (new,) = [link for link in links if link.label == "New message"]
    assert new.page_script_hash == next(link.page_script_hash for link in links if link.label == "Đăng ký")
    assert f"topic={topic}" in str(new)


def test_a_viewer_sees_how_a_topic_asks_and_changes_nothing(panel, topic):
    at = panel("topics", role="viewer", id=topic)
    assert "does not ask again on its own" in all_words(at)
    assert "topic_asking_open" not in keys(at.button)


def test_what_was_not_asked_and_what_was_answered_is_shown(panel, arrange, fanpage, topic, lan):
    asking_message(arrange, fanpage, topic)
    arrange.opt_in(topic, lan, fanpage_id=fanpage)
    with transaction() as db:
        answer_event(db, fanpage_id=fanpage, customer_id=lan, payload=f"ask:{topic}", now=utc_now())
    [withheld] = list_withheld(lan)
    assert (withheld.reason, withheld.times) == ("holds", 1)
    words = all_words(panel("customer", id=lan))
    assert "Still had an opt-in" in words
    assert PROMISE in words  # in the sentence that the bot answered
    assert "Still had an opt-in: 1" in all_words(panel("topics", id=topic))


def test_the_silence_is_shown_and_ended_on_the_customers_page(panel, lan):
    assert "customer_silence_end" not in keys(panel("customer", id=lan).button)
    with transaction() as db:
        db.get_one(Customer, lan).colleague_at = utc_now() - timedelta(hours=1)
    assert panel("customer", role="viewer", id=lan).button(key="customer_silence_end").disabled
    at = panel("customer", role="editor", id=lan)
    assert "Somebody on your team answered from the fanpage's inbox" in all_words(at)
    press(at, "customer_silence_end")
    assert "customer_silence_end" not in keys(at.button)
    assert row(Customer, lan).silence_ended_at is not None


def test_a_text_gets_the_button_that_asks_again(panel, arrange, fanpage, topic, lan):
    arrange.opt_in(topic, lan, fanpage_id=fanpage)
    broadcast_id = a_draft(topic, kind="text", text="Hoa mới đã về", fallback="")
    at = panel("new_broadcast", id=broadcast_id, step="what")
    press(at, "broadcast_asks_again_add")
    content = queries.get_broadcast(broadcast_id).content
    assert (content["kind"], content["text"]) == ("buttons", "Hoa mới đã về")
    assert content["buttons"] == [{"title": "Tell me next time", "asks_topic": topic}]
    assert "broadcast_asks_again_add" not in keys(at.button)
    assert "no message asks about “Hoa mới”" in all_words(at)
    asking_message(arrange, fanpage, topic)
    assert find_problems(topic, content) == []


def test_pictures_are_named_as_such_among_the_answers(panel, arrange, fanpage, lan):
    body = {"attachment": {"type": "image", "payload": {"url": "https://shop.example/hoa.png"}}}
    values = {"fanpage_id": fanpage, "customer_id": lan, "created_at": utc_now()}
    arrange.save(Reply(body=body, state="sent", **values))
    arrange.save(
        Reply(body={"text": "Chào {{first_name|bạn}}"}, state="skipped", reason="colleague", **values)
    )
    words = all_words(panel("customer", id=lan))
    assert "Image" in words
    assert "Chào Lan" in words
    assert "Your team answered" in words
    with reading() as db:
        assert len(db.exec(select(Reply)).all()) == 2


def test_a_quick_reply_under_a_broadcast_asks_again_once_a_message_asks(arrange, fanpage, topic):
    content = {"kind": "text", "text": "Hoa về", "replies": [{"title": "Lần sau nữa", "asks_topic": topic}]}
    assert [one.field for one in find_problems(topic, content)] == ["buttons"]
    asking_message(arrange, fanpage, topic)
    assert find_problems(topic, content) == []
    elsewhere = arrange.topic(arrange.fanpage("Trà sữa Bông"), "Trà")
    content["replies"][0]["asks_topic"] = elsewhere
    assert [one.field for one in find_problems(topic, content)] == ["buttons"]


def test_a_quick_reply_is_written_to_ask_again(panel, fanpage, topic):
    content = {"text": "Nữa không?", "fallback": "", "replies": [{"title": "Có", "asks_topic": topic}]}
    written = MessageDraft("Hỏi lại", [BlockDraft("quick_replies", content)], [])
    made = create_draft(COMMAND_LINE, fanpage, written, now=utc_now())
    at = panel("message", id=made.id)
    (target,) = [each for each in at.selectbox if each.key.endswith("_target")]
    assert target.value == f"again:{topic}"
    assert get_draft(made.id).blocks[0].content == content


def test_quiet_hours_and_a_second_person_are_set_from_the_set_up(panel, arrange):
    fanpage = arrange.fanpage()
    at = press(panel("setup"), "fanpage_launch_rules_open")
    at.checkbox(key="fanpage_launch_rules_second").check()
    press(at, "fanpage_launch_rules_confirm")
    assert not at.exception
    assert get_fanpage(fanpage).launch_rules.needs_second_person


def test_days_off_are_written_as_dates_are_read(panel, arrange):
    fanpage = arrange.fanpage()
    at = press(panel("setup"), "fanpage_launch_rules_open")
    at.text_area(key="fanpage_launch_rules_days").input("7/2/2027\n06/02/2027\n2027-02-08")
    press(at, "fanpage_launch_rules_confirm")
    assert get_fanpage(fanpage).launch_rules.days_off == ("2027-02-06", "2027-02-07", "2027-02-08")
    press(at, "fanpage_launch_rules_open")
    assert at.text_area(key="fanpage_launch_rules_days").value == "06/02/2027\n07/02/2027\n08/02/2027"
    at.text_area(key="fanpage_launch_rules_days").input("Tết")
    press(at, "fanpage_launch_rules_confirm")
    assert "Write each day off as 06/02/2027" in all_words(at)
