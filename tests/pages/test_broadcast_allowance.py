"""The share of Messenger's 24-hour allowance, told before a launch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts.drafts import get_draft, keep_draft
from core.clock import utc_now
from core.db.engine import transaction
from core.sending.limits.allowance import note_calls
from tests.pages.broadcasts import a_draft, put, started
from tests.pages.shown import all_words


def used(calls: int) -> None:
    with transaction() as db:
        note_calls(db, {1: calls}, now=utc_now())


@pytest.mark.parametrize(
    ("calls", "share", "close", "past"),
    [
        (0, "0.5%", False, False),  # 3 of 3 × 200
        (477, "80%", False, False),
        (478, "80%", True, False),
        (597, "100%", True, False),
        (598, "100%", False, True),
        (897, "150%", False, True),
    ],
)
def test_amber_above_four_fifths_and_red_past_all(panel, topic_id, calls, share, close, past) -> None:
    used(calls)
    said = all_words(panel("new_broadcast", role="sender", id=a_draft(topic_id), step="check"))
    assert f"{share} of it is used after this broadcast" in said
    assert "This broadcast: 3 · Allowance: 600" in said
    assert ("comes close to Messenger's allowance" in said) == close
    assert ("exceeds Messenger's allowance" in said) == past


def test_what_is_under_way_counts_and_what_has_ended_does_not(panel, topic_id) -> None:
    running = started(topic_id)
    draft = a_draft(topic_id)
    assert "Being sent: 3 · This broadcast: 0" in all_words(panel("new_broadcast", id=draft, step="check"))
    put(running, state="finished", finished_at=utc_now())
    assert "Being sent" not in all_words(panel("new_broadcast", role="sender", id=draft, step="check"))


def test_todays_calls_do_not_count_for_a_later_day(panel, topic_id) -> None:
    used(597)
    draft = a_draft(topic_id)
    began = get_draft(draft)
    later = replace(began, due_at=utc_now() + timedelta(days=3))
    keep_draft(COMMAND_LINE, later, began=began, now=utc_now())
    said = all_words(panel("new_broadcast", role="sender", id=draft, step="check"))
    assert "0.5% of it is used" in said
    assert "Used: " not in said
