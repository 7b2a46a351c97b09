"""Drafts and broadcasts from before there were versions."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import text

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.broadcasts.draft_rules import USUAL
from core.broadcasts.drafts import get_draft
from core.db import migrations
from core.db.engine import transaction
from tests.sending.conftest import Studio

HOUR = timedelta(hours=1)


def from_before(broadcast_id: int, **values: object) -> None:
    command.downgrade(migrations.config(), "0011")
    columns = ", ".join(f"{name} = :{name}" for name in values)
    with transaction() as db:
        db.execute(text(f"UPDATE broadcast SET {columns} WHERE id = :id"), {**values, "id": broadcast_id})
    migrations.upgrade()


def _told(at: datetime | None) -> str | None:
    """In a form that both databases read, SQLite without a zone."""
    return at.strftime("%Y-%m-%d %H:%M:%S.000000") if at else None


@pytest.mark.parametrize(
    ("kept_for", "start_in"), [(12 * HOUR, None), (24 * HOUR, None), (None, None), (12 * HOUR, 3 * HOUR)]
)
def test_what_was_chosen_is_kept_and_the_usual_was_nobodys_choice(
    studio: Studio, kept_for: timedelta | None, start_in: timedelta | None
) -> None:
    broadcast_id = studio.broadcast()
    start = studio.now + start_in if start_in else None
    late = (start or studio.now) + kept_for if kept_for else None
    from_before(broadcast_id, due_at=_told(start), best_before=_told(late), updated_at=_told(studio.now))
    draft = get_draft(broadcast_id)
    assert draft.best_before == (USUAL if (kept_for, start_in) == (12 * HOUR, None) else late)
    assert (draft.version, draft.changes) == (1, ())


def test_what_was_scheduled_counts_as_approved_by_who_launched_it(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    at = studio.now + HOUR
    actions.schedule(COMMAND_LINE, broadcast_id, at=at, best_before=None, now=studio.now)
    from_before(broadcast_id, best_before=None)
    view = studio.show(broadcast_id)
    assert (view.version, view.approved_version, view.approved_by) == (1, 1, "command line")
    assert actions.launch(COMMAND_LINE, broadcast_id, version=1, now=studio.now) == "scheduled"
    assert studio.show(broadcast_id).best_before is None
