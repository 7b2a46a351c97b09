"""What staff do with messages."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core.accounts.rules import Actor, Role
from core.conversation import entry_point_queries, queries
from core.conversation.actions import archive_message, copy_message, save_message
from core.conversation.draft_actions import get_draft
from core.conversation.drafts import BlockDraft, EntryDraft
from core.db.engine import reading
from core.db.tables import Activity
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from tests.arrange import Arrange

EDITOR = Actor(None, "mai", Role.EDITOR)
HELLO = BlockDraft("text", {"text": "Chào {{first_name}}", "fallback": "bạn"})
START = EntryDraft("get_started")
PRICE = EntryDraft("keyword", "contains", "giá")


def save(arrange: Arrange, fanpage: int, **changes: Any) -> int:
    values = {"name": "Chào mừng", "blocks": [HELLO], "entry_points": [START], "now": arrange.now}
    return save_message(EDITOR, fanpage, **{**values, **changes})


def verbs() -> list[str]:
    with reading() as db:
        return list(db.exec(select(Activity.verb).order_by(Activity.id)))


def test_a_saved_message_reads_back(arrange: Arrange, fanpage: int) -> None:
    topic = arrange.topic(fanpage)
    ask = BlockDraft("otnr", {"title": "Báo tôi khi mở bán", "after": "Cảm ơn"}, topic)
    saved = queries.get_message(save(arrange, fanpage, blocks=[HELLO, ask], entry_points=[START, PRICE]))
    assert [block.kind for block in saved.blocks] == ["text", "otnr"]
    assert saved.blocks[1].topic_name == "KH nhận khuyến mãi SP mới"
    assert [(e.kind, e.match, e.value) for e in saved.entry_points] == [
        ("get_started", None, ""),
        ("keyword", "contains", "giá"),
    ]
    assert verbs() == ["message.create"]


def test_stray_fields_and_spaces_are_not_kept(arrange: Arrange, fanpage: int) -> None:
    block = BlockDraft("text", {"text": "  Chào  ", "evil": "x"}, topic_id=99)
    saved = queries.get_message(save(arrange, fanpage, blocks=[block]))
    assert (saved.blocks[0].content, saved.blocks[0].topic_id) == ({"text": "Chào", "fallback": ""}, None)


def test_what_no_database_keeps_is_dropped(arrange: Arrange, fanpage: int) -> None:
    block = BlockDraft("text", {"text": "Chào\ud83c\0 bạn"})
    entry = EntryDraft("keyword", "exact", "giá\0")
    saved = queries.get_message(save(arrange, fanpage, name="A\0", blocks=[block], entry_points=[entry]))
    assert (saved.name, saved.blocks[0].content["text"]) == ("A", "Chào bạn")
    assert saved.entry_points[0].value == "giá"


def test_an_entry_point_of_another_message_is_refused_by_its_name(arrange: Arrange, fanpage: int) -> None:
    save(arrange, fanpage, name="Bảng giá", entry_points=[PRICE])
    with pytest.raises(Invalid, match="Bảng giá"):
        save(arrange, fanpage, entry_points=[EntryDraft("keyword", "exact", "GIÁ!")])
    assert queries.count_messages(fanpage) == 1


def test_the_same_words_may_start_messages_of_two_fanpages(arrange: Arrange, fanpage: int) -> None:
    save(arrange, fanpage)
    assert save(arrange, arrange.fanpage("Trang khác"))


def test_topics_and_targets_must_be_the_fanpages_own(arrange: Arrange, fanpage: int) -> None:
    other = arrange.fanpage("Trang khác")
    foreign = save(arrange, other, name="Của trang khác")
    ask = BlockDraft("otnr", {"title": "Báo tôi khi mở bán"}, arrange.topic(other))
    leads = BlockDraft("buttons", {"text": "Chọn", "buttons": [{"title": "Xem", "message_id": foreign}]})
    with pytest.raises(Invalid) as refused:
        save(arrange, fanpage, blocks=[ask, leads])
    assert [p.field for p in refused.value.problems] == ["blocks.0.topic", "blocks.1.buttons"]


def test_an_archived_message_frees_its_keywords(arrange: Arrange, fanpage: int) -> None:
    message_id = save(arrange, fanpage)
    archive_message(EDITOR, message_id, now=arrange.now)
    archive_message(EDITOR, message_id, now=arrange.now)
    assert save(arrange, fanpage) != message_id
    assert queries.get_message(message_id).is_archived
    assert verbs().count("message.archive") == 1


def test_a_message_that_a_button_leads_to_stays(arrange: Arrange, fanpage: int) -> None:
    target = save(arrange, fanpage, name="Bảng giá", entry_points=[])
    leads = BlockDraft("buttons", {"text": "Chọn", "buttons": [{"title": "Giá", "message_id": target}]})
    save(arrange, fanpage, name="Menu", blocks=[leads])
    with pytest.raises(WrongState, match="Menu"):
        archive_message(EDITOR, target, now=arrange.now)


def test_a_copy_has_the_blocks_a_free_name_and_no_entry_points(arrange: Arrange, fanpage: int) -> None:
    message_id = save(arrange, fanpage, blocks=[HELLO, HELLO])
    copies = [queries.get_message(copy_message(EDITOR, message_id, now=arrange.now)) for _ in range(2)]
    assert [copy.name for copy in copies] == ["Chào mừng (2)", "Chào mừng (3)"]
    drafts = [get_draft(copy.id) for copy in copies]
    assert drafts[0].blocks == get_draft(message_id).blocks
    assert [(draft.published, draft.entry_points) for draft in drafts] == [(0, []), (0, [])]


def test_viewers_change_nothing(arrange: Arrange, fanpage: int) -> None:
    message_id = save(arrange, fanpage)
    viewer = Actor(None, "xem", Role.VIEWER)
    for attempt in (
        lambda: save_message(viewer, fanpage, name="x", blocks=[HELLO], entry_points=[], now=arrange.now),
        lambda: archive_message(viewer, message_id, now=arrange.now),
        lambda: copy_message(viewer, message_id, now=arrange.now),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_a_missing_message_is_named_as_such(arrange: Arrange, fanpage: int) -> None:
    with pytest.raises(NotFound):
        queries.get_message(404)
    with pytest.raises(NotFound):
        archive_message(EDITOR, 404, now=arrange.now)


def test_messages_are_found_by_name_or_keyword_without_marks(arrange: Arrange, fanpage: int) -> None:
    save(arrange, fanpage, name="Bảng giá")
    save(arrange, fanpage, name="Menu", entry_points=[EntryDraft("keyword", "exact", "Thực đơn")])
    found = [queries.list_messages(fanpage, search=words) for words in ("bang gia", "thuc don", "xyz")]
    assert [[view.name for view in views] for views in found] == [["Bảng giá"], ["Menu"], []]
    assert queries.count_messages(fanpage, search="thuc") == 1


def test_messages_are_listed_page_by_page_the_latest_change_first(arrange: Arrange, fanpage: int) -> None:
    for number in range(5):
        save(
            arrange, fanpage, name=f"Tin {number}", entry_points=[], now=arrange.now + timedelta(hours=number)
        )
    pages = [queries.list_messages(fanpage, offset=offset, limit=2) for offset in (0, 2, 4)]
    assert [view.name for page in pages for view in page] == [f"Tin {n}" for n in (4, 3, 2, 1, 0)]
    assert queries.count_messages(fanpage) == 5


def test_staff_can_ask_what_the_bot_would_answer(arrange: Arrange, fanpage: int) -> None:
    message_id = save(arrange, fanpage, entry_points=[START, PRICE])
    found = entry_point_queries.answer_to(fanpage, "shop oi gia bao nhieu")
    assert (found.message_id, found.value) == (message_id, "giá")
    assert entry_point_queries.answer_to(fanpage, "xin chào") is None


def test_a_fanpages_entry_points_are_listed_with_their_messages(arrange: Arrange, fanpage: int) -> None:
    message_id = save(arrange, fanpage, entry_points=[START, PRICE])
    owned = entry_point_queries.entry_points_of(fanpage)
    assert [(e.message_id, e.message_name, e.kind, e.value) for e in owned] == [
        (message_id, "Chào mừng", "get_started", ""),
        (message_id, "Chào mừng", "keyword", "giá"),
    ]
