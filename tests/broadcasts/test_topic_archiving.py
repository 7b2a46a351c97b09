"""A topic is archived together with what uses it, and says before what that does to each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.accounts.rules import Actor, Role
from core.broadcasts import actions as broadcasts
from core.broadcasts.drafts import get_draft as get_broadcast
from core.broadcasts.topic_archiving import Use, Uses, archive_topic, find_uses
from core.consent.queries import list_topics
from core.conversation import draft_actions, draft_checks, queries
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft, MessageDraft
from core.conversation.version_queries import list_versions
from core.errors import NotAllowed, WrongState
from tests.arrange import Arrange

EDITOR, SENDER = Actor(None, "mai", Role.EDITOR), Actor(None, "lan", Role.SENDER)
HELLO = BlockDraft("text", {"text": "Chào", "fallback": ""})


class Shop:
    """A topic that two messages ask about, one of which says nothing else; and another topic."""

    def __init__(self, arrange: Arrange) -> None:
        self.arrange, self.now = arrange, arrange.now
        self.fanpage = arrange.fanpage()
        self.topic, self.other = arrange.topic(self.fanpage, "Tết"), arrange.topic(self.fanpage, "Hoa")
        self.both = self.message("Chào", [HELLO, self.asks(self.topic), self.asks(self.other)])
        self.only = self.message("Chỉ hỏi", [self.asks(self.topic)])

    def asks(self, topic_id: int) -> BlockDraft:
        return BlockDraft("otnr", {"title": "Báo tôi khi mở bán", "after": ""}, topic_id)

    def message(self, name: str, blocks: list[BlockDraft]) -> int:
        entry = EntryDraft("keyword", "exact", name)
        return save_message(
            EDITOR, self.fanpage, name=name, blocks=blocks, entry_points=[entry], now=self.now
        )

    def scheduled(self) -> int:
        content = {"kind": "text", "text": "Mở bán rồi", "fallback": ""}
        made = broadcasts.create_broadcast(
            SENDER, topic_id=self.topic, name="Đợt 1", content=content, now=self.now
        )
        broadcasts.schedule(SENDER, made, at=self.now.replace(year=2027), now=self.now)
        return made

    def archive(self, by: Actor = SENDER, seen: Uses | None = None) -> None:
        archive_topic(by, self.topic, seen=seen, now=self.now)


@pytest.fixture
def shop(arrange: Arrange) -> Shop:
    return Shop(arrange)


def test_what_uses_a_topic_is_named(shop: Shop) -> None:
    broadcast = shop.scheduled()
    assert find_uses(shop.topic) == Uses(
        asking=(Use(shop.both, "Chào"),),
        only_asking=(Use(shop.only, "Chỉ hỏi"),),
        scheduled=(Use(broadcast, "Đợt 1"),),
    )


def test_nothing_asks_about_an_archived_topic_and_nothing_is_sent(shop: Shop) -> None:
    broadcast = shop.scheduled()
    shop.archive(seen=find_uses(shop.topic))
    kept = queries.get_message(shop.both)
    assert [(block.kind, block.topic_id) for block in kept.blocks] == [("text", None), ("otnr", shop.other)]
    assert [entry.value for entry in kept.entry_points] == ["Chào"]
    assert queries.get_message(shop.only).is_archived
    assert get_broadcast(broadcast).state == "draft"
    assert [topic.name for topic in list_topics(shop.fanpage, now=shop.now)] == ["Hoa"]
    assert find_uses(shop.topic) == Uses()


def test_the_version_that_asked_can_still_be_read_and_a_draft_is_left_alone(shop: Shop) -> None:
    began = draft_actions.get_draft(shop.both)
    drafted = [HELLO, HELLO, shop.asks(shop.topic)]
    draft_actions.keep_draft(EDITOR, replace(began, blocks=drafted), began=began, now=shop.now)
    shop.archive()
    assert [len(version.blocks) for version in list_versions(shop.both)] == [2, 3]
    assert draft_actions.get_draft(shop.both).blocks == drafted


def test_more_than_was_said_is_not_done(shop: Shop) -> None:
    seen = find_uses(shop.topic)
    broadcast = shop.scheduled()
    with pytest.raises(WrongState, match="changed in the meantime"):
        shop.archive(seen=seen)
    assert get_broadcast(broadcast).state == "scheduled"
    assert not queries.get_message(shop.only).is_archived


def test_taking_a_broadcast_back_takes_the_right_to_send(shop: Shop) -> None:
    shop.scheduled()
    with pytest.raises(NotAllowed):
        shop.archive(EDITOR)
    assert len(list_topics(shop.fanpage, now=shop.now)) == 2


def test_a_message_that_a_button_leads_to_keeps_its_topic_in_use(shop: Shop) -> None:
    leads = BlockDraft("buttons", {"text": "Chọn", "buttons": [{"title": "Xem", "message_id": shop.only}]})
    shop.message("Menu", [leads])
    with pytest.raises(WrongState, match="Menu"):
        shop.archive()
    assert find_uses(shop.topic).asking == (Use(shop.both, "Chào"),)


def test_a_draft_that_asks_is_told_when_it_is_published(shop: Shop) -> None:
    draft = draft_actions.create_draft(
        EDITOR, shop.fanpage, MessageDraft("Nháp", [shop.asks(shop.topic)], []), now=shop.now
    )
    shop.archive()
    assert [one.field for one in draft_checks.find_problems(draft)] == ["blocks.0.topic"]
