"""What is wrong with one fanpage keeps no other from sending, and it goes on when that is put right."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlmodel import col, update
from structlog.testing import capture_logs

from core.broadcasts.launch_rules import LaunchRules
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.sending.calls import under_way
from core.sending.calls.grouping import Call, PlannedMessage
from core.sending.replies.claims import ReplyClaim
from tests.databases import TestDatabase
from tests.sending.test_many_fanpages import NUMBERS, PEOPLE, Street, street
from tests.sending.turn_loop import turn_until

__all__ = ["street"]  # a fixture


def write(fanpage_id: int, **values: object) -> None:
    """By hand, past whatever checks it."""
    with transaction() as db:
        db.execute(update(Fanpage).where(col(Fanpage.id) == fanpage_id).values(**values))


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ({"rate": 0}, {"rate": 300}, "fanpage_unreadable"),
        ({"launch_rules": '{"curfew": N}'}, {"launch_rules": None}, "launch_rules_unreadable"),
        ({"launch_rules": '["N"]'}, {"launch_rules": None}, "launch_rules_unreadable"),
        ({"timezone": "Asia/N"}, {"timezone": "UTC"}, "launch_rules_unreadable"),
    ],
)
def test_a_fanpage_that_cannot_be_read_waits_and_the_others_send(
    street: Street, wrong: dict[str, object], right: dict[str, object], said: str
) -> None:
    broadcasts, unlucky = street.launch(), street[1].fanpage_id
    number = str(next(NUMBERS))  # what was said of another test's is not said again
    write(unlucky, launch_rules=LaunchRules(quiet_from="03:00", quiet_to="03:01").as_text())
    write(unlucky, **{name: str(value).replace("N", number) for name, value in wrong.items()})
    loop = street.loop()
    with capture_logs() as logs:
        turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE, 0, PEOPLE, PEOPLE])
        for _ in range(3):
            loop.look_again()
            loop.turn()
    assert [each["fanpage_id"] for each in logs if each["event"] == said] == [unlucky]
    assert not [each for each in logs if each["event"] in ("turn_failed", "claim_failed")]
    write(unlucky, **right)
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)


def test_what_was_claimed_but_cannot_be_planned_comes_back_with_what_gave_way_and_leaves_later(
    street: Street, monkeypatch: pytest.MonkeyPatch, fresh_database: TestDatabase
) -> None:
    broadcasts, unlucky = street.launch(), street[1].fanpage_id
    write(unlucky, rate=40)  # for most of a second its messages wait, and give way to a reply
    loop, own, failures = street.loop(), under_way.grouped, list[int]()

    def grouped(leaving: Sequence[PlannedMessage], **more: object) -> list[tuple[float, Call]]:
        if len(failures) < 9 and any(
            isinstance(each.claim, ReplyClaim) and each.claim.fanpage_id == unlucky for each in leaving
        ):
            failures.append(len(leaving))
            raise RuntimeError("a defect")
        return own(leaving, **more)

    monkeypatch.setattr(under_way, "grouped", grouped)
    loop.turn()
    for studio in street.studios:
        studio.reply()
    loop.look_again()
    turn_until(loop, lambda: all(len(each.platform.to_psids) == 1 for each in street.studios))
    turn_until(loop, lambda: street.sent(broadcasts) == [PEOPLE] * 4)
    assert len(failures) == 9
    assert set(loop.planner.unanswered.values()) == {0}
    assert len(loop.calls) == 0
    assert fresh_database.rows("SELECT DISTINCT tries, in_doubt FROM delivery") == [(0, False)]
