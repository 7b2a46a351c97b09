"""The panel makes a broadcast step by step, the command line at once: both refuse and keep the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from core.__main__ import app
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.broadcasts.draft_rules import USUAL, BestBefore
from core.broadcasts.drafts import Draft, find_problems, get_draft, keep_draft
from core.broadcasts.topic_archiving import archive_topic
from core.clock import utc_now
from core.db.engine import reading
from core.db.tables import Broadcast
from core.errors import Invalid
from tests.arrange import Arrange

HOUR = timedelta(hours=1)
TOPIC = "Hàng mới"


@dataclass(frozen=True)
class Wish:
    text: str = "Hàng đã về!"
    name: str = ""
    start: timedelta | None = None  # from now; None: at once
    best_before: timedelta | str | None = USUAL  # from now; None: without limit
    archived: bool = False

    def best_before_at(self, now: datetime) -> BestBefore:
        return now + self.best_before if isinstance(self.best_before, timedelta) else self.best_before


REFUSED = {
    "no text": Wish(text=" "),
    "a text too long": Wish(text="x" * 3000),
    "a name too long": Wish(name="x" * 200),
    "a start in the past": Wish(start=-HOUR),
    "a best-before in the past": Wish(best_before=-HOUR),
    "a best-before before the start": Wish(start=2 * HOUR, best_before=HOUR),
    "an archived topic": Wish(archived=True),
}
ACCEPTED = {
    "at once": Wish(),
    "at a time": Wish(start=HOUR),
    "with a best-before": Wish(start=HOUR, best_before=2 * HOUR),
    "without limit": Wish(start=HOUR, best_before=None),
    "named, in odd letters": Wish(text="Ha\u0300ng\u200b về", name="  Đợt   1 "),
}


@pytest.fixture
def topic_id(arrange: Arrange) -> int:
    return arrange.topic(arrange.fanpage(), TOPIC)


def by_panel(wish: Wish, topic_id: int, now: datetime) -> Draft:
    """As the stepper does: a blank draft, each field kept as it is written, then the last button."""
    made = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, name=wish.name, now=now)
    began = get_draft(made)
    draft = replace(
        began,
        content={"kind": "text", "text": wish.text},
        due_at=now + wish.start if wish.start else None,
        best_before=wish.best_before_at(now),
    )
    kept = keep_draft(COMMAND_LINE, draft, began=began, now=now)
    foreseen = find_problems(kept, at=kept.due_at, now=now)
    refused: Invalid | None = None
    try:
        actions.schedule(COMMAND_LINE, made, at=kept.due_at, version=kept.version, now=now)
    except Invalid as said:
        refused = said
    assert foreseen == (refused.problems if refused else [])  # the last step shows what would be refused
    if refused:
        raise refused
    return get_draft(made)


def by_command_line(wish: Wish, now: datetime) -> Draft | str:
    """The draft, or the words of the refusal."""
    asked = ["broadcast", "create", "--topic", TOPIC, "--text", wish.text, "--name", wish.name]
    if wish.start:
        asked += ["--at", (now + wish.start).isoformat()]
    if wish.best_before != USUAL:
        late = wish.best_before_at(now)
        asked += ["--best-before", late.isoformat() if isinstance(late, datetime) else "none"]
    made = call(*asked)
    if "error" in made:
        return made["error"]["message"]
    if not wish.start:
        assert call("broadcast", "dry-run", str(made["id"]))["problems"] == []
        call("broadcast", "launch", str(made["id"]), "--version", "1")
    return get_draft(made["id"])


def call(*arguments: str) -> dict[str, Any]:
    return json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)


def scheduled() -> int:
    with reading() as db:
        return db.execute(select(func.count()).where(Broadcast.state != "draft")).scalar_one()


@pytest.mark.parametrize("wish", REFUSED.values(), ids=REFUSED)
def test_both_refuse_the_same_in_the_same_words(arrange: Arrange, topic_id: int, wish: Wish) -> None:
    now = utc_now()
    if wish.archived:
        archive_topic(COMMAND_LINE, topic_id, now=now)
    with pytest.raises(Invalid) as refused:
        by_panel(wish, topic_id, now)
    assert by_command_line(wish, now) == refused.value.message
    assert scheduled() == 0


@pytest.mark.parametrize("wish", ACCEPTED.values(), ids=ACCEPTED)
def test_both_keep_the_same(arrange: Arrange, topic_id: int, wish: Wish) -> None:
    now = utc_now()
    here, there = by_panel(wish, topic_id, now), by_command_line(wish, now)
    assert isinstance(there, Draft)
    for field in ("topic_id", "fanpage_id", "state", "first_part"):
        assert getattr(here, field) == getattr(there, field), field
    assert here.name == there.name or not wish.name  # else made of the minute
    assert {**here.content, "fallback": ""} == {**there.content, "fallback": ""}
    minute = timedelta(minutes=1)  # the command line reads the clock itself
    for one, other in ((here.due_at, there.due_at), (here.best_before, there.best_before)):
        assert one == other or abs(one - other) < minute
