"""Messages as JSON files."""

import json
import re
from pathlib import Path

import pytest

from core.accounts.rules import COMMAND_LINE
from core.conversation import queries, rules
from core.conversation.actions import archive_message, save_message
from core.conversation.blocks.registry import KINDS
from core.conversation.drafts import EntryDraft
from core.conversation.message_files import draft_from_json, to_json
from core.conversation.placeholders import NAME_ROOM
from core.conversation.rules import check_message, warn_message
from core.errors import Invalid
from core.messenger import message_limits
from tests.arrange import Arrange

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "message-files.md").read_text("utf-8")
FILE = {
    "name": "Chào mừng",
    "blocks": [
        {"kind": "text", "text": "Chào {{first_name}}", "fallback": "bạn"},
        {"type": "image", "url": "https://hoa.vn/a.jpg"},
        {"kind": "buttons", "text": "Xem", "buttons": [{"title": "Cửa hàng", "url": "https://hoa.vn"}]},
        {
            "kind": "otnr",
            "title": "Báo tôi khi mở bán",
            "after": "Cảm ơn",
            "topic": "KH nhận khuyến mãi SP mới",
        },
    ],
    "entry_points": [
        "get_started",
        "bảng giá",
        {"kind": "keyword", "match": "exact", "value": "hoa"},
        {"kind": "ref", "ref": "tet-2027"},
    ],
}


def test_a_file_becomes_a_message_and_a_message_the_same_file(arrange: Arrange) -> None:
    fanpage = arrange.fanpage()
    arrange.topic(fanpage)

    def saved(data: object) -> dict[str, object]:
        draft = draft_from_json(fanpage, data)
        for existing in queries.list_messages(fanpage):
            archive_message(COMMAND_LINE, existing.id, now=arrange.now)
        message_id = save_message(
            COMMAND_LINE,
            fanpage,
            name=draft.name,
            blocks=draft.blocks,
            entry_points=draft.entry_points,
            now=arrange.now,
        )
        return to_json(queries.get_message(message_id))

    first = saved(FILE)
    assert {**saved(first), "id": first["id"]} == first
    assert first["blocks"][3]["topic"] == "KH nhận khuyến mãi SP mới"
    assert first["entry_points"][1] == {"kind": "keyword", "match": "contains", "value": "bảng giá"}


def test_a_topic_may_be_named_by_id(arrange: Arrange) -> None:
    fanpage = arrange.fanpage()
    topic = arrange.topic(fanpage)
    draft = draft_from_json(fanpage, {"blocks": [{"kind": "otnr", "title": "Báo tôi", "topic_id": topic}]})
    assert draft.blocks[0].topic_id == topic


def test_a_short_keyword_entry_is_understood(arrange: Arrange) -> None:
    draft = draft_from_json(arrange.fanpage(), {"entry_points": ["giá", {"type": "ref", "value": "x"}]})
    assert draft.entry_points == [EntryDraft("keyword", "contains", "giá"), EntryDraft("ref", None, "x")]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "file"),
        ({"name": 7}, "name"),
        ({"blocks": "text"}, "blocks"),
        ({"blocks": ["text"]}, "blocks.0"),
        ({"blocks": [{"kind": "text", "text": 7}]}, "blocks.0.text"),
        ({"blocks": [{"kind": "buttons", "buttons": "x"}]}, "blocks.0"),
        ({"blocks": [{"kind": "buttons", "buttons": [{"title": "a", "message_id": "7"}]}]}, "blocks.0"),
        ({"blocks": [{"kind": "otnr", "title": "a", "topic": "Không có"}]}, "blocks.0.topic"),
        ({"blocks": [{"kind": "otnr", "title": "a", "topic": True}]}, "blocks.0.topic"),
        (
            {"blocks": [{"kind": "buttons", "text": "a", "buttons": [{"title": "a", "stop": True}]}]},
            "blocks.0.topic",
        ),
        ({"entry_points": [7]}, "entry_points"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused_where_it_is_wrong(
    arrange: Arrange, data: object, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        draft_from_json(arrange.fanpage(), data)
    assert refused.value.problems[0].field == field


def test_the_example_in_the_documentation_can_be_added(arrange: Arrange) -> None:
    fanpage = arrange.fanpage()
    arrange.topic(fanpage, "Hoa hồng Đà Lạt")
    draft = draft_from_json(fanpage, json.loads(PAGE.split("```json")[1].split("```")[0]))
    assert check_message(draft.name, draft.blocks, draft.entry_points) == []
    assert warn_message(draft.blocks) == []


def test_the_documentation_has_a_row_for_each_kind_of_block_with_its_limits() -> None:
    expected = {
        "text": [message_limits.TEXT_LIMIT + 1],  # "below"
        "image": [],
        "card": [
            message_limits.CARD_TITLE_LIMIT,
            message_limits.CARD_SUBTITLE_LIMIT,
            0,
            message_limits.BUTTONS_LIMIT,
            message_limits.BUTTON_TITLE_LIMIT,
        ],
        "carousel": [2, message_limits.CARDS_LIMIT],
        "buttons": [
            message_limits.BUTTON_TEXT_LIMIT,
            1,
            message_limits.BUTTONS_LIMIT,
            message_limits.BUTTON_TITLE_LIMIT,
        ],
        "video": [],
        "file": [],
        "quick_replies": [1, message_limits.QUICK_REPLIES_LIMIT, message_limits.QUICK_REPLY_TITLE_LIMIT],
        "otnr": [message_limits.REQUEST_TITLE_LIMIT],
    }
    table = PAGE.split("## Blocks")[1].split("## Entry points")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", table, re.MULTILINE)
    written = {kind: [int(n) for n in re.findall(r"\d+", said.replace(",", ""))] for kind, said in rows}
    assert written == expected
    assert list(written) == list(KINDS)
    assert f"(at most {rules.BLOCKS_LIMIT})" in table
    assert f"with {NAME_ROOM} kept free for a name" in table
