"""A message while it is written: saved at once, sent by nobody until it is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core.accounts.rules import Actor, Role
from core.conversation import actions, draft_actions, draft_checks, queries
from core.conversation.drafts import BlockDraft, EntryDraft, MessageDraft
from core.conversation.replies import answer_event
from core.conversation.version_queries import list_versions
from core.conversation.versions import Draft
from core.db.engine import reading, transaction
from core.db.tables import Activity, Reply
from core.errors import Changed, Invalid, NotAllowed, NotFound, WrongState
from tests.arrange import Arrange

MAI, LAN = Actor(None, "mai", Role.EDITOR), Actor(None, "lan", Role.EDITOR)
PRICE = EntryDraft("keyword", "contains", "giá")


def text(words: str) -> BlockDraft:
    return BlockDraft("text", {"text": words, "fallback": ""})


@pytest.fixture
def message(arrange: Arrange, fanpage: int) -> Draft:
    """Published: who writes "giá" is told that it costs 10."""
    blocks = [text("Giá 10")]
    message_id = actions.save_message(
        MAI, fanpage, name="Giá", blocks=blocks, entry_points=[PRICE], now=arrange.now
    )
    return draft_actions.get_draft(message_id)


def wrote(arrange: Arrange, began: Draft, by: Actor = MAI, **fields: Any) -> Draft:
    return draft_actions.keep_draft(by, replace(began, **fields), began=began, now=arrange.now)


def answers(arrange: Arrange, fanpage: int, words: str) -> list[str]:
    """What the bot answers to these words of a customer."""
    customer = arrange.customer(fanpage, window_closes_at=arrange.now + timedelta(hours=1))
    with transaction() as db:
        answer_event(db, fanpage_id=fanpage, customer_id=customer, text=words, now=arrange.now)
        found = db.exec(select(Reply).where(Reply.customer_id == customer).order_by(Reply.id))
        return [reply.body["text"] for reply in found]


def verbs() -> list[str]:
    with reading() as db:
        return list(db.exec(select(Activity.verb).order_by(Activity.id)))


def test_the_bot_sends_the_published_version_and_never_a_draft(arrange, fanpage, message) -> None:
    wrote(arrange, message, blocks=[text("Giá 12"), text("Mua đi")], entry_points=[])
    assert answers(arrange, fanpage, "giá") == ["Giá 10"]
    assert draft_actions.publish_message(MAI, message.id, now=arrange.now) == 2
    assert answers(arrange, fanpage, "giá") == []
    assert [one.content["text"] for one in queries.get_message(message.id).blocks] == ["Giá 12", "Mua đi"]


def test_a_draft_that_was_never_published_starts_by_nothing(arrange, fanpage) -> None:
    draft = draft_actions.create_draft(
        MAI, fanpage, MessageDraft("Giá", [text("10")], [PRICE]), now=arrange.now
    )
    assert answers(arrange, fanpage, "giá") == []
    assert queries.message_names(fanpage) == {}
    assert queries.unpublished_names(fanpage) == {draft.id: "Giá"}
    draft_actions.publish_message(MAI, draft.id, now=arrange.now)
    assert answers(arrange, fanpage, "giá") == ["10"]


def test_a_half_written_draft_is_kept_and_refused_when_it_is_published(arrange, fanpage) -> None:
    draft = draft_actions.create_draft(MAI, fanpage, MessageDraft("", [text("")], []), now=arrange.now)
    assert draft_actions.get_draft(draft.id).blocks == [text("")]
    with pytest.raises(Invalid) as refused:
        draft_actions.publish_message(MAI, draft.id, now=arrange.now)
    assert [one.field for one in refused.value.problems] == ["name", "blocks.0.text"]
    assert refused.value.problems == draft_checks.find_problems(draft)


def test_two_editors_of_different_fields_lose_nothing(arrange, message) -> None:
    wrote(arrange, message, LAN, entry_points=[])
    kept = wrote(arrange, message, MAI, blocks=[text("Giá 12")])
    assert (kept.blocks, kept.entry_points) == ([text("Giá 12")], [])
    assert [(change.field, change.by) for change in kept.changes] == [
        ("entry_points", "lan"),
        ("blocks", "mai"),
    ]


def test_two_editors_of_the_same_field_are_told_of_each_other(arrange, message) -> None:
    wrote(arrange, message, LAN, blocks=[text("Giá 11")])
    with pytest.raises(Changed, match="content changed by lan"):
        wrote(arrange, message, MAI, blocks=[text("Giá 12")])
    assert draft_actions.get_draft(message.id).blocks == [text("Giá 11")]


def test_what_was_not_looked_at_is_not_published(arrange, message) -> None:
    seen = wrote(arrange, message, blocks=[text("Giá 11")])
    wrote(arrange, seen, LAN, blocks=[text("Giá 12")])
    with pytest.raises(Changed, match="by lan"):
        draft_actions.publish_message(MAI, message.id, version=seen.version, now=arrange.now)
    assert not list_versions(message.id)[1:]


def test_publishing_twice_makes_one_version(arrange, message) -> None:
    wrote(arrange, message, blocks=[text("Giá 11")])
    assert [draft_actions.publish_message(MAI, message.id, now=arrange.now) for _ in range(2)] == [2, 2]
    assert [version.number for version in list_versions(message.id)] == [2, 1]


def test_an_earlier_version_is_read_and_written_on_from(arrange, fanpage, message) -> None:
    wrote(arrange, message, blocks=[text("Giá 11")], entry_points=[])
    draft_actions.publish_message(LAN, message.id, now=arrange.now)
    first = list_versions(message.id)[-1]
    assert (first.blocks, first.entry_points) == ((text("Giá 10"),), (PRICE,))
    began = draft_actions.get_draft(message.id)
    wrote(arrange, began, blocks=list(first.blocks), entry_points=list(first.entry_points))
    assert answers(arrange, fanpage, "giá") == []
    assert draft_actions.publish_message(MAI, message.id, now=arrange.now) == 3
    assert answers(arrange, fanpage, "giá") == ["Giá 10"]


def test_a_draft_that_says_what_the_bot_sends_is_no_change(arrange, message) -> None:
    changed = wrote(arrange, message, blocks=[text("Giá 11")])
    assert changed.has_changes
    assert not wrote(arrange, changed, blocks=[text("Giá 10")]).has_changes


def test_the_name_is_the_teams_and_needs_no_publishing(arrange, message) -> None:
    kept = wrote(arrange, message, name="Bảng giá")
    assert (kept.name, kept.has_changes) == ("Bảng giá", False)
    assert wrote(arrange, kept, name="  ").name == "Bảng giá"
    assert wrote(arrange, kept, name="x" * 121).name == "Bảng giá"


def test_a_keyword_of_another_message_is_refused_when_it_is_published(arrange, fanpage, message) -> None:
    written = MessageDraft("Khác", [text("a")], [PRICE])
    draft = draft_actions.create_draft(MAI, fanpage, written, now=arrange.now)
    with pytest.raises(Invalid, match="already starts “Giá”"):
        draft_actions.publish_message(MAI, draft.id, now=arrange.now)


def test_a_button_leads_to_no_message_that_was_never_published(arrange, fanpage, message) -> None:
    other = draft_actions.create_draft(MAI, fanpage, MessageDraft("Hoa", [text("a")], []), now=arrange.now)
    leads = BlockDraft("buttons", {"text": "Chọn", "buttons": [{"title": "Xem", "message_id": other.id}]})
    wrote(arrange, message, blocks=[leads])
    with pytest.raises(Invalid, match="leads to “Hoa”, which is not published yet"):
        draft_actions.publish_message(MAI, message.id, now=arrange.now)


def test_only_what_was_never_published_is_deleted(arrange, fanpage, message) -> None:
    draft = draft_actions.create_draft(MAI, fanpage, MessageDraft("Hoa", [], []), now=arrange.now)
    draft_actions.delete_draft(MAI, draft.id, version=draft.version, now=arrange.now)
    with pytest.raises(NotFound):
        draft_actions.get_draft(draft.id)
    with pytest.raises(WrongState):
        draft_actions.delete_draft(MAI, message.id, now=arrange.now)


def test_an_archived_message_comes_back_with_what_started_it_in_its_draft(arrange, fanpage, message) -> None:
    actions.archive_message(MAI, message.id, now=arrange.now)
    with pytest.raises(WrongState):
        wrote(arrange, message, blocks=[text("Giá 11")])
    draft_actions.bring_back(MAI, message.id, now=arrange.now)
    assert answers(arrange, fanpage, "giá") == []
    draft = draft_actions.get_draft(message.id)
    assert (draft.entry_points, draft.has_changes, draft.is_archived) == ([PRICE], True, False)
    draft_actions.publish_message(MAI, message.id, now=arrange.now)
    assert answers(arrange, fanpage, "giá") == ["Giá 10"]


def test_one_sitting_of_one_person_is_one_line_of_the_log(arrange, message) -> None:
    kept = wrote(arrange, message, LAN, blocks=[text("Giá 11")])
    wrote(arrange, kept, LAN, blocks=[text("Giá 12")])
    assert verbs() == ["message.create", "message.change"]


def test_viewers_write_nothing(arrange, fanpage, message) -> None:
    viewer = Actor(None, "xem", Role.VIEWER)
    for attempt in (
        lambda: draft_actions.create_draft(viewer, fanpage, MessageDraft("a", [], []), now=arrange.now),
        lambda: wrote(arrange, message, viewer, blocks=[]),
        lambda: draft_actions.publish_message(viewer, message.id, now=arrange.now),
        lambda: draft_actions.delete_draft(viewer, message.id, now=arrange.now),
        lambda: draft_actions.bring_back(viewer, message.id, now=arrange.now),
    ):
        with pytest.raises(NotAllowed):
            attempt()
