"""Drafts kept while they are written: nothing is lost, nothing unfinished can be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.accounts.rules import Actor, Role
from core.broadcasts import actions
from core.broadcasts.actions import create_broadcast
from core.broadcasts.draft_rules import BLANK, USUAL, USUAL_SPAN, BestBefore, default_name
from core.broadcasts.drafts import Draft, differing, get_draft, keep_draft
from core.db.engine import reading, transaction
from core.db.tables import Activity, Topic
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from core.settings import settings
from tests.sending.conftest import Studio

LAN = Actor(None, "lan", Role.SENDER)
VIEWER = Actor(None, "viewer", Role.VIEWER)
LATE = datetime(2027, 2, 1, 3, 0, tzinfo=UTC)


def begun(studio: Studio) -> int:
    return create_broadcast(LAN, topic_id=studio.topic_id, now=studio.now)


def save(broadcast_id: int, now: datetime, by: Actor = LAN, **fields: object) -> Draft:
    """One who has looked a moment ago."""
    began = get_draft(broadcast_id)
    return keep_draft(by, replace(began, **fields), began=began, now=now)


def lines(broadcast_id: int, verb: str) -> int:
    statement = select(func.count()).where(
        col(Activity.subject_id) == broadcast_id, col(Activity.verb) == f"broadcast.{verb}"
    )
    with reading() as db:
        return db.execute(statement).scalar_one()


def test_a_new_draft_is_blank_and_has_a_sensible_best_before(studio: Studio) -> None:
    draft = get_draft(begun(studio))
    assert (draft.content, draft.due_at, draft.best_before) == (BLANK, None, USUAL)
    assert draft.name.startswith("KH nhận khuyến mãi SP mới")


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "text", "text": "", "fallback": ""},
        {"kind": "buttons", "text": "Xem", "fallback": "", "buttons": [{"title": "", "url": ""}]},
        {"kind": "image", "url": "https://"},
    ],
)
def test_half_written_words_are_kept_and_cannot_be_launched(studio: Studio, content: dict) -> None:
    broadcast_id = begun(studio)
    save(broadcast_id, studio.now, content=content)
    assert get_draft(broadcast_id).content == content
    with pytest.raises(Invalid):
        actions.launch(LAN, broadcast_id, now=studio.now)
    with pytest.raises(Invalid):
        actions.schedule(LAN, broadcast_id, at=studio.now + timedelta(hours=1), now=studio.now)
    assert get_draft(broadcast_id).state == "draft"


@pytest.mark.parametrize("due_in", [None, timedelta(hours=20)])
@pytest.mark.parametrize("late", [USUAL, None, LATE])
def test_times_survive_a_reload(studio: Studio, due_in: timedelta | None, late: BestBefore) -> None:
    began = get_draft(begun(studio))
    due_at = studio.now + due_in if due_in else None
    wanted = replace(began, due_at=due_at, best_before=late, first_part=50, name="Tết")
    kept = keep_draft(LAN, wanted, began=began, now=studio.now + timedelta(minutes=7))
    assert get_draft(began.id) == kept
    assert differing(kept, wanted) == {}


def test_the_best_before_that_nobody_chose_moves_with_the_launch(studio: Studio) -> None:
    draft = get_draft(begun(studio))
    later = studio.now + timedelta(days=3)
    assert draft.best_before_at(later) == later + USUAL_SPAN


def test_saving_again_and_again_is_one_line_of_the_log(studio: Studio) -> None:
    broadcast_id = begun(studio)
    for word in ("a", "ab", "abc"):
        save(broadcast_id, studio.now, content={"kind": "text", "text": word})
    assert (lines(broadcast_id, "create"), lines(broadcast_id, "change")) == (1, 0)
    other = Actor(None, "minh", Role.EDITOR)
    save(broadcast_id, studio.now, by=other, name="Tết")
    save(broadcast_id, studio.now + timedelta(hours=2), name="Tết 2027")
    save(broadcast_id, studio.now + timedelta(hours=9))  # nothing changed, nothing written down
    assert lines(broadcast_id, "change") == 2


def test_only_a_draft_can_be_kept(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    draft = get_draft(broadcast_id)
    studio.launch(broadcast_id)
    with pytest.raises(WrongState):
        keep_draft(LAN, replace(draft, name="Khác"), began=draft, now=studio.now)
    assert studio.show(broadcast_id).name == draft.name


def test_an_archived_topic_cannot_be_chosen_but_one_that_was_chosen_stays(studio: Studio) -> None:
    broadcast_id = begun(studio)
    other = studio.arrange.topic(studio.fanpage_id, "Cũ")
    with transaction() as db:
        for topic_id in (studio.topic_id, other):
            db.get(Topic, topic_id).archived_at = studio.now
    with pytest.raises(Invalid, match="archived"):
        create_broadcast(LAN, topic_id=other, now=studio.now)
    with pytest.raises(Invalid, match="archived"):
        save(broadcast_id, studio.now, topic_id=other)
    save(broadcast_id, studio.now, name="Tết")
    assert get_draft(broadcast_id).name == "Tết"


def test_what_cannot_be_a_broadcast_is_not_kept(studio: Studio) -> None:
    draft = get_draft(begun(studio))
    for wrong in ({"content": {"kind": "otnr"}}, {"name": "x" * 121}, {"first_part": -1}):
        with pytest.raises(Invalid):
            keep_draft(LAN, replace(draft, **wrong), began=draft, now=studio.now)
    assert get_draft(draft.id) == draft


def test_viewers_write_nothing_and_what_is_gone_is_gone(studio: Studio) -> None:
    draft = get_draft(begun(studio))
    with pytest.raises(NotAllowed):
        create_broadcast(VIEWER, topic_id=studio.topic_id, now=studio.now)
    with pytest.raises(NotAllowed):
        keep_draft(VIEWER, draft, began=draft, now=studio.now)
    actions.delete_draft(LAN, draft.id, now=studio.now)
    with pytest.raises(NotFound):
        keep_draft(LAN, draft, began=draft, now=studio.now)
    with pytest.raises(NotFound):
        get_draft(draft.id)


@pytest.mark.parametrize(
    ("language", "at"), [("vi", "01/12/2026 09:30"), ("en", "1 Dec 2026, 09:30")], ids=["vi", "en"]
)
def test_a_draft_without_a_name_has_its_topic_and_the_date_of_the_installations_language(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, language: str, at: str
) -> None:
    monkeypatch.setenv("OTN_LANGUAGE", language)
    settings.cache_clear()
    morning = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)  # half past nine in Ho Chi Minh City
    made = create_broadcast(LAN, topic_id=studio.topic_id, name=" ", now=morning)
    assert get_draft(made).name == f"KH nhận khuyến mãi SP mới – {at}"


def test_a_long_topic_leaves_room_for_the_date() -> None:
    assert default_name("x" * 200, "01/12/2026 09:30") == "x" * 101 + " – 01/12/2026 09:30"


def test_a_new_draft_never_has_the_number_of_a_deleted_one(studio: Studio) -> None:
    """A page that still shows the deleted one would save into it."""
    deleted = studio.broadcast()
    actions.delete_draft(LAN, deleted, now=studio.now)
    assert studio.broadcast() > deleted
