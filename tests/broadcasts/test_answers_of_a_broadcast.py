"""A broadcast is one block; quick replies stand under it, and a message may follow an answer."""

import json

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions as broadcasts
from core.broadcasts.draft_rules import check_content, clean_content
from core.broadcasts.drafts import get_draft
from core.broadcasts.readiness import find_problems
from core.conversation.actions import archive_message, save_message
from core.conversation.drafts import BlockDraft
from core.conversation.preview import bubbles_of, bubbles_of_wire
from core.errors import Invalid, WrongState
from core.sending.senders.sender import message_for
from core.simulator import content as simulator
from core.simulator.behaviour import Behaviour
from tests.arrange import Arrange

CARD = {"kind": "card", "title": "Hoa hồng", "subtitle": "Về rồi!", "buttons": []}
REPLIES = [{"title": "Giữ cho tôi 1 bó"}, {"title": "Xem giá", "message_id": 7}, {"asks": "phone"}]


def test_any_kind_may_have_quick_replies_under_it() -> None:
    content = clean_content({**CARD, "replies": REPLIES, "after_message_id": 9, "stray": 1})
    assert check_content(content) == []

    message = message_for(json.dumps(content), "Lan")
    simulator.check_message(message, Behaviour())
    assert [reply.get("payload") for reply in message["quick_replies"]] == ["answer", "message:7", None]
    assert message["attachment"]["payload"]["elements"][0]["title"] == "Hoa hồng"
    assert bubbles_of("card", content) == bubbles_of_wire(message)


def test_a_broadcast_without_them_is_kept_as_before() -> None:
    assert clean_content({"kind": "text", "text": "Chào", "fallback": "", "replies": []}) == {
        "kind": "text",
        "text": "Chào",
        "fallback": "",
    }
    assert [one.field for one in check_content({**CARD, "replies": [{"title": "x" * 21}]})] == [
        "replies.0.title"
    ]


def test_the_messages_it_leads_to_are_there_and_stay(arrange: Arrange) -> None:
    fanpage = arrange.fanpage()
    topic = arrange.topic(fanpage)
    given = {"topic_id": topic, "now": arrange.now}
    with pytest.raises(Invalid, match="no longer exists"):
        broadcasts.create_broadcast(COMMAND_LINE, content={**CARD, "after_message_id": 404}, **given)
    blocks = [BlockDraft("text", {"text": "50.000 đ"})]
    prices = save_message(
        COMMAND_LINE, fanpage, name="Bảng giá", blocks=blocks, entry_points=[], now=arrange.now
    )
    made = broadcasts.create_broadcast(
        COMMAND_LINE, content={**CARD, "after_message_id": prices}, name="Tết", **given
    )
    assert get_draft(made).content["after_message_id"] == prices
    assert find_problems(topic, get_draft(made).content) == []
    broadcasts.launch(COMMAND_LINE, made, now=arrange.now)
    with pytest.raises(WrongState, match="Tết"):
        archive_message(COMMAND_LINE, prices, now=arrange.now)
