"""What is sent is what was approved: versions, launches that name one, drafts that two people write."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions, canary, retry, scheduled_jobs
from core.broadcasts.draft_rules import USUAL, USUAL_SPAN
from core.broadcasts.drafts import Draft, get_draft, keep_draft
from core.broadcasts.rules import BroadcastState
from core.db.engine import reading, transaction
from core.db.tables import Activity, Broadcast
from core.errors import Changed, Invalid, NotAllowed, WrongState
from tests.sending.conftest import Studio

LAN = Actor(None, "lan", Role.SENDER)
MINH = Actor(None, "minh", Role.EDITOR)
HOUR = timedelta(hours=1)
NEW = {"kind": "text", "text": "Hàng mới đã về, giảm 20%!", "fallback": ""}


def put(broadcast_id: int, **values: object) -> None:
    with transaction() as db:
        for name, value in values.items():
            setattr(db.get(Broadcast, broadcast_id), name, value)


def save(began: Draft, studio: Studio, by: Actor = MINH, **fields: object) -> Draft:
    return keep_draft(by, replace(began, **fields), began=began, now=studio.now)


def approved(studio: Studio, broadcast_id: int) -> tuple[int | None, str]:
    view = studio.show(broadcast_id)
    return view.approved_version, view.approved_by


CHANGES: dict[str, tuple[str, Callable[[Studio, int], object]]] = {
    "content": ("message", lambda studio, of: save(get_draft(of), studio, content=NEW)),
    "start": ("start", lambda studio, of: save(get_draft(of), studio, due_at=studio.now + HOUR)),
    "best-before": ("send-by time", lambda studio, of: save(get_draft(of), studio, best_before=None)),
    "first part": ("first part", lambda studio, of: save(get_draft(of), studio, first_part=50)),
    "topic": (
        "topic",
        lambda studio, of: save(
            get_draft(of), studio, topic_id=studio.arrange.topic(studio.fanpage_id, "Khác")
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("at", [None, 2 * HOUR])
def test_a_draft_changed_since_it_was_looked_at_is_not_launched(
    studio: Studio, change: str, at: timedelta | None
) -> None:
    broadcast_id = studio.broadcast()
    looked_at = get_draft(broadcast_id).version
    word, make = CHANGES[change]
    make(studio, broadcast_id)
    before = get_draft(broadcast_id)
    times = {"at": studio.now + at if at else None, "version": looked_at, "now": studio.now}
    with pytest.raises(
        Changed, match=rf"^Somebody changed this in the meantime: {word} changed by minh at 2"
    ):
        actions.schedule(LAN, broadcast_id, **times)
    assert get_draft(broadcast_id) == before
    assert before.version == looked_at + 1
    assert actions.schedule(LAN, broadcast_id, **{**times, "version": before.version}) == "scheduled"


def test_the_name_is_for_the_team_and_no_part_of_what_is_approved(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    looked_at = get_draft(broadcast_id).version
    save(get_draft(broadcast_id), studio, name="Tết")
    assert actions.launch(LAN, broadcast_id, version=looked_at, now=studio.now) == "scheduled"


@pytest.mark.parametrize("version", [0, 2, 99])
def test_a_version_that_never_was_is_not_launched(studio: Studio, version: int) -> None:
    broadcast_id = studio.broadcast()
    with pytest.raises(Invalid, match="the latest is 1"):
        actions.launch(LAN, broadcast_id, version=version, now=studio.now)


def test_what_is_approved_is_recorded_with_its_version_by_whom_and_when(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    save(get_draft(broadcast_id), studio, content=NEW)
    actions.launch(LAN, broadcast_id, version=2, now=studio.now)
    view = studio.show(broadcast_id)
    assert (view.approved_version, view.approved_by, view.approved_at) == (2, "lan", studio.now)
    with reading() as db:
        verb = select(col(Activity.detail)).where(col(Activity.verb) == "broadcast.launch")
        assert db.execute(verb).scalar_one()["version"] == 2


def test_taking_it_back_ends_the_approval(studio: Studio) -> None:
    """Somebody with "send now?" open about the scheduled one does not launch what a colleague took back."""
    broadcast_id = studio.broadcast()
    actions.schedule(LAN, broadcast_id, at=studio.now + HOUR, version=1, now=studio.now)
    seen = studio.show(broadcast_id).version
    actions.unschedule(LAN, broadcast_id, now=studio.now)
    assert approved(studio, broadcast_id) == (None, "")
    with pytest.raises(Changed, match="put back to draft by lan"):
        actions.launch(LAN, broadcast_id, version=seen, now=studio.now)
    assert get_draft(broadcast_id).state == "draft"


def test_a_new_time_for_what_is_scheduled_is_a_new_version(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    actions.schedule(LAN, broadcast_id, at=studio.now + HOUR, now=studio.now)
    seen = studio.show(broadcast_id).version
    actions.schedule(LAN, broadcast_id, at=studio.now + 2 * HOUR, version=seen, now=studio.now)
    with pytest.raises(Changed, match="start changed by lan"):
        actions.launch(LAN, broadcast_id, version=seen, now=studio.now)
    assert approved(studio, broadcast_id) == (seen + 1, "lan")


# Two people, or two tabs


def test_two_people_who_change_different_fields_lose_nothing(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    began = get_draft(broadcast_id)
    other = studio.arrange.topic(studio.fanpage_id, "Khác")
    save(began, studio, by=LAN, topic_id=other, due_at=studio.now + HOUR)
    kept = save(began, studio, content=NEW, first_part=20)
    assert (kept.topic_id, kept.due_at) == (other, studio.now + HOUR)
    assert (kept.content, kept.first_part) == (NEW, 20)


FIELDS = {
    "name": ("Tết", "Hè"),
    "content": (NEW, {"kind": "image", "url": "https://hoa.vn/a.jpg"}),
    "due_at": (HOUR, 2 * HOUR),
    "best_before": (20 * HOUR, None),
    "first_part": (20, 50),
}


@pytest.mark.parametrize("field", FIELDS)
def test_the_second_of_two_who_change_the_same_field_is_told_and_nothing_is_overwritten(
    studio: Studio, field: str
) -> None:
    broadcast_id = studio.broadcast()
    began = get_draft(broadcast_id)
    first, second = (studio.now + v if isinstance(v, timedelta) else v for v in FIELDS[field])
    kept = save(began, studio, by=LAN, **{field: first})
    with pytest.raises(Changed, match="changed by lan at") as refused:
        save(began, studio, **{field: second})
    assert [change.field for change in refused.value.changes] == [field]
    assert get_draft(broadcast_id) == kept
    assert getattr(save(kept, studio, **{field: second}), field) == second  # having seen theirs


def test_two_who_wrote_the_same_do_not_quarrel(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    began = get_draft(broadcast_id)
    kept = save(began, studio, by=LAN, content=NEW)
    assert save(began, studio, content=NEW) == kept


def test_a_draft_somebody_has_written_in_since_is_not_deleted(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    save(get_draft(broadcast_id), studio, content=NEW)
    with pytest.raises(Changed, match="message changed by minh"):
        actions.delete_draft(LAN, broadcast_id, version=1, now=studio.now)
    assert get_draft(broadcast_id).content == NEW


# Editing what is scheduled


EDITS: dict[str, Callable[[Actor, Studio, int], object]] = {
    "unschedule": lambda by, studio, of: actions.unschedule(by, of, now=studio.now),
    "another time": lambda by, studio, of: actions.schedule(by, of, at=studio.now + 3 * HOUR, now=studio.now),
    "at once": lambda by, studio, of: actions.launch(by, of, now=studio.now),
    "cancel": lambda by, studio, of: actions.cancel(by, of, now=studio.now),
    "first part": lambda by, studio, of: save(get_draft(of), studio, by, first_part=50),
    "draft": lambda by, studio, of: save(get_draft(of), studio, by, content=NEW),
    "retry": lambda by, studio, of: retry.retry_failed(by, of, now=studio.now),
    "the rest": lambda by, studio, of: retry.send_to_rest(
        by, of, best_before=studio.now + 40 * HOUR, now=studio.now
    ),
    "try again": lambda by, studio, of: retry.try_again(by, of, now=studio.now),
    "delete": lambda by, studio, of: actions.delete_draft(by, of, now=studio.now),
}
AFTER_DRAFT = [state for state in BroadcastState if state != BroadcastState.DRAFT]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("state", AFTER_DRAFT)
def test_an_editor_changes_nothing_of_what_is_past_the_draft(
    studio: Studio, state: BroadcastState, edit: str
) -> None:
    broadcast_id = studio.broadcast()
    actions.schedule(LAN, broadcast_id, at=studio.now + HOUR, now=studio.now)
    put(broadcast_id, state=state)
    before = studio.show(broadcast_id)
    with pytest.raises((NotAllowed, WrongState)):
        EDITS[edit](MINH, studio, broadcast_id)
    assert studio.show(broadcast_id) == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_the_first_part_of_what_is_scheduled_changes_by_another_approval_only(
    studio: Studio, role: Role
) -> None:
    broadcast_id = studio.broadcast()
    actions.schedule(LAN, broadcast_id, at=studio.now + HOUR, now=studio.now)
    seen = studio.show(broadcast_id).version
    with pytest.raises(WrongState, match="put the broadcast back to draft"):
        save(get_draft(broadcast_id), studio, LAN, first_part=50)
    with pytest.raises(NotAllowed):
        actions.unschedule(Actor(None, "x", role), broadcast_id, now=studio.now)
    actions.unschedule(LAN, broadcast_id, now=studio.now)
    save(get_draft(broadcast_id), studio, first_part=50)
    with pytest.raises(Changed, match="first part changed by minh"):
        actions.launch(LAN, broadcast_id, version=seen, now=studio.now)
    actions.launch(LAN, broadcast_id, now=studio.now)
    assert approved(studio, broadcast_id) == (get_draft(broadcast_id).version, "lan")


def test_everything_that_writes_what_is_approved_is_known_here() -> None:
    """Who adds a way to change a broadcast's message, times or first part adds it to EDITS above."""
    columns = r"\.(?:content|due_at|best_before|topic_id|canary_size|canary_max_\w+) = "
    writes = re.compile(rf"versions\.(?:alter|approve)\(|{columns}")
    core = Path(__file__).parents[2] / "core"
    found = {
        str(file.relative_to(core))
        for file in core.rglob("*.py")
        if "Broadcast" in (said := file.read_text(encoding="utf-8")) and writes.search(said)
    }
    known = ("actions", "drafts", "retry", "revisions")  # the last: tests/broadcasts/test_revisions.py
    of_broadcasts = {f"broadcasts/{name}.py" for name in known}
    assert found == {*of_broadcasts, "fanpages/time_zone.py"}


def test_what_is_sent_again_is_what_was_approved_and_a_new_best_before_is_approved_by_who_gives_it(
    studio: Studio,
) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + HOUR)
    actions.cancel(LAN, broadcast_id, now=studio.now)
    assert retry.send_to_rest(LAN, broadcast_id, now=studio.now) == 2
    first = approved(studio, broadcast_id)
    actions.cancel(LAN, broadcast_id, now=studio.now)
    later = studio.now + 5 * HOUR
    retry.send_to_rest(LAN, broadcast_id, best_before=later, now=studio.now)
    version, by = approved(studio, broadcast_id)
    assert (version, by) == ((first[0] or 0) + 1, "lan")
    assert studio.show(broadcast_id).best_before == later
    assert retry.retry_failed(LAN, broadcast_id, now=studio.now) == 0


def test_a_copy_is_a_first_version_that_nobody_approved(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    save(get_draft(broadcast_id), studio, content=NEW)
    studio.launch(broadcast_id)
    copied = actions.copy_broadcast(MINH, broadcast_id, now=studio.now)
    assert (studio.show(copied).version, approved(studio, copied)) == (1, (None, ""))
    assert get_draft(copied).best_before == USUAL


# Dialogs opened on an older state


def test_a_pause_for_another_reason_is_not_ended_unseen(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.pause(LAN, broadcast_id, now=studio.now)
    put(broadcast_id, pause_code="canary_failed")
    with pytest.raises(WrongState, match="for another reason"):
        actions.resume(LAN, broadcast_id, pause_code=None, now=studio.now)
    assert studio.show(broadcast_id).state == "paused"
    actions.resume(LAN, broadcast_id, pause_code="canary_failed", now=studio.now)


def test_the_rest_is_not_let_go_while_the_broadcast_is_paused(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    save(get_draft(broadcast_id), studio, first_part=1)
    studio.launch(broadcast_id)
    put(broadcast_id, state="paused", pause_code="canary_failed")
    with pytest.raises(WrongState, match="state is “paused”"):
        canary.let_rest_go(LAN, broadcast_id, now=studio.now)


def test_cancelling_what_was_scheduled_does_not_end_the_draft_it_has_become(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    actions.schedule(LAN, broadcast_id, at=studio.now + HOUR, now=studio.now)
    actions.unschedule(LAN, broadcast_id, now=studio.now)
    with pytest.raises(WrongState, match="put back to draft"):
        actions.cancel(LAN, broadcast_id, seen="scheduled", now=studio.now)
    assert get_draft(broadcast_id).state == "draft"
    assert actions.cancel(LAN, broadcast_id, seen="draft", now=studio.now) == "cancelled"


# Best-before


def test_a_best_before_is_fixed_when_it_is_chosen_and_stays_when_the_start_moves(studio: Studio) -> None:
    late = studio.now + 5 * HOUR
    broadcast_id = studio.broadcast(best_before=late)
    save(get_draft(broadcast_id), studio, due_at=studio.now + HOUR)
    save(get_draft(broadcast_id), studio, due_at=studio.now + 3 * HOUR, content=NEW)
    assert get_draft(broadcast_id).best_before == late
    after = save(get_draft(broadcast_id), studio, due_at=studio.now + 6 * HOUR)
    assert after.best_before == late
    with pytest.raises(Invalid, match="after the start"):
        actions.schedule(LAN, broadcast_id, at=after.due_at, version=after.version, now=studio.now)
    save(after, studio, due_at=None)
    actions.launch(LAN, broadcast_id, now=studio.now + HOUR)
    assert studio.show(broadcast_id).best_before == late


@pytest.mark.parametrize("start", [None, 3 * HOUR])
def test_the_usual_best_before_is_fixed_at_the_launch(studio: Studio, start: timedelta | None) -> None:
    broadcast_id = studio.broadcast()
    at = studio.now + start if start else None
    actions.schedule(LAN, broadcast_id, at=at, now=studio.now)
    late = studio.now + (start or timedelta()) + USUAL_SPAN
    assert studio.show(broadcast_id).best_before == late
    actions.unschedule(LAN, broadcast_id, now=studio.now)
    save(get_draft(broadcast_id), studio, due_at=studio.now + 4 * HOUR)
    assert get_draft(broadcast_id).best_before == late


def test_without_limit_is_a_choice_too(studio: Studio) -> None:
    broadcast_id = studio.broadcast(best_before=None)
    actions.launch(LAN, broadcast_id, now=studio.now)
    assert studio.show(broadcast_id).best_before is None


# At the same moment


@pytest.mark.parametrize("first", range(4))
def test_a_launch_and_an_edit_at_the_same_moment(studio: Studio, first: int) -> None:
    """Either it sends exactly the version that was named, or it is refused; and so the edit."""
    broadcast_id = studio.broadcast()
    began, said = get_draft(broadcast_id), {}
    ready = threading.Barrier(2)

    def run(name: str, act: Callable[[], object]) -> None:
        ready.wait()
        try:
            act()
            said[name] = "done"
        except (Changed, WrongState) as refused:
            said[name] = type(refused).__name__

    threads = [
        threading.Thread(target=run, args=("edit", lambda: save(began, studio, content=NEW))),
        threading.Thread(
            target=run,
            args=("launch", lambda: actions.launch(LAN, broadcast_id, version=1, now=studio.now)),
        ),
    ]
    for thread in threads if first % 2 else reversed(threads):
        thread.start()
    for thread in threads:
        thread.join()
    kept = studio.show(broadcast_id)
    if said["launch"] == "done":
        assert (said["edit"], kept.state, kept.content, kept.approved_version) == (
            "WrongState",
            "scheduled",
            began.content,
            1,
        )
    else:
        assert (said, kept.state, kept.content) == ({"edit": "done", "launch": "Changed"}, "draft", NEW)


def test_the_worker_starts_what_was_approved(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    actions.launch(COMMAND_LINE, broadcast_id, version=1, now=studio.now)
    scheduled_jobs.start_due(now=studio.now)
    with pytest.raises(WrongState):
        save(get_draft(broadcast_id), studio, content=NEW)
    view = studio.show(broadcast_id)
    assert (view.state, view.version, view.approved_version) == ("sending", 1, 1)
