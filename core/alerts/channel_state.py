"""How each channel of alerts has fared: the latest success, the latest failure, tests that are asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import col

from core.alerts.channels import Channel
from core.db.dialects import insert_into
from core.db.engine import reading, transaction
from core.db.tables import AlertChannel


@dataclass(frozen=True)
class ChannelView:
    """A channel, as it has fared."""

    channel: Channel
    sent_at: datetime | None = None
    failed_at: datetime | None = None  # of the latest attempt, if it failed
    problem: str | None = None  # why
    test_asked_at: datetime | None = None


def list_channels(known: Collection[Channel]) -> list[ChannelView]:
    """How each of these channels has fared."""
    with reading() as db:
        rows = {row.channel: row for row in db.scalars(select(AlertChannel))}
    found = []
    for channel in known:
        row = rows.get(channel, AlertChannel(channel=channel))
        times = row.sent_at, row.failed_at, row.problem, row.test_asked_at
        found.append(ChannelView(channel, *times))
    return found


def note(channel: Channel, *, now: datetime, problem: str | None = None) -> None:
    """Keep that an alert has left by a channel, or why it has not."""
    values: dict[str, object] = {"failed_at": now if problem else None, "problem": problem}
    if not problem:
        values["sent_at"] = now
    insert = insert_into(AlertChannel).values(channel=str(channel), **values)
    with transaction() as db:
        db.execute(insert.on_conflict_do_update(index_elements=["channel"], set_=values))


def take_tests(known: Sequence[Channel]) -> list[Channel]:
    """The channels for which somebody asked for a test alert. Asking counts as answered from now on."""
    asked = col(AlertChannel.test_asked_at).is_not(None), col(AlertChannel.channel).in_(known)
    with reading() as db:
        if db.execute(select(col(AlertChannel.channel)).where(*asked).limit(1)).first() is None:
            return []
    with transaction() as db:
        taken = update(AlertChannel).where(*asked).values(test_asked_at=None)
        return [Channel(each) for each in db.scalars(taken.returning(col(AlertChannel.channel)))]
