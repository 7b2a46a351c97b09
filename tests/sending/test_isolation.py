"""What is wrong with one fanpage keeps no other from sending, and it goes on when that is put right."""

from __future__ import annotations

import pytest
from sqlmodel import col, update
from structlog.testing import capture_logs

from core.broadcasts.launch_rules import LaunchRules
from core.db.engine import transaction
from core.db.tables import Fanpage
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
