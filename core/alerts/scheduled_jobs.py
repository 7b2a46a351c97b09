"""Tells people outside the panel what has happened; the worker does it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from core.alerts import channels
from core.alerts.channel_state import note, take_tests
from core.alerts.channels import Channel, NotTaken
from core.alerts.conditions import (
    ENDED,
    Condition,
    find_conditions,
    judged_elsewhere,
    test_condition,
    words_of,
)
from core.broadcasts.ended_broadcasts import list_untold, mark_told
from core.db import bulk, holding
from core.db.engine import reading, transaction
from core.db.tables import Alert

log = structlog.get_logger(__name__)

_KEYS = select(col(Alert.matter), col(Alert.channel))
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)  # each wait is twice the one before
LEASE = timedelta(minutes=5)  # longer than a slow mail server takes


def send_alerts(*, now: datetime) -> int:
    """Tell, by each channel, what nobody was told of yet; what is not taken is tried again. Returns how many
    conditions were told. Without a channel nobody is told, and no end of a broadcast is kept for later."""
    held = holding.current_hold()
    if held and held.takes_in_nothing:
        return 0
    began = time.monotonic()
    known = channels.channels()
    if not known:
        _forget_ends(now)
        return 0
    conditions = {each.key: each for each in find_conditions(now=now)}
    _keep(conditions, known, now)
    for channel in take_tests(known):
        _send(channel, [test_condition()], now)
    told = 0
    for channel in known:  # the one before may have taken minutes
        until = now + timedelta(seconds=time.monotonic() - began) + LEASE
        told += _send_due(channel, conditions, now, until)
    return told


def _forget_ends(now: datetime) -> None:
    if untold := list_untold(now=now):
        mark_told([end.id for end in untold], now=now)


def _keep(conditions: Mapping[str, Condition], known: Sequence[Channel], now: datetime) -> None:
    """Bring the rows in line with what holds now."""
    begun = {(key, channel) for key, each in conditions.items() if each.begins for channel in known}
    with reading() as db:
        kept = {(matter, Channel(channel)) for matter, channel in db.execute(_KEYS)}
    lasting = conditions.keys() | judged_elsewhere(matter for matter, _channel in kept)
    fresh = sorted(begun - kept)
    over = sorted(row for row in kept if row[0] not in lasting or row[1] not in known)
    if not fresh and not over:
        return
    times = {"since": now, "next_try_at": now, "attempts": 0}
    with transaction() as db:
        for matter, channel in over:
            db.execute(delete(Alert).where(col(Alert.matter) == matter, col(Alert.channel) == channel))
        for matter, channel in fresh:
            db.execute(bulk.insert_new(Alert).values(matter=matter, channel=str(channel), **times))


def _send_due(channel: Channel, conditions: Mapping[str, Condition], now: datetime, until: datetime) -> int:
    """One text for all that is due, so that a day on which everything breaks fills no mailbox."""
    due = _claim(channel, conditions, now, until)
    if not due:
        return 0
    if not _send(channel, [conditions[key] for key in due], now):
        _try_again(channel, due, now)
        return 0
    with transaction() as db:
        told = update(Alert).where(col(Alert.channel) == channel, col(Alert.matter).in_(due))
        db.execute(told.values(told_at=now))
        ended = _ends_told_everywhere(db, due)
    if ended:
        mark_told(ended, now=now)
    return len(due)


def _claim(channel: Channel, conditions: Collection[str], now: datetime, until: datetime) -> list[str]:
    """The conditions to be told now. Another worker leaves them alone until then."""
    waiting = col(Alert.channel) == channel, col(Alert.told_at).is_(None), col(Alert.next_try_at) <= now
    with reading() as db:
        if db.execute(select(col(Alert.id)).where(*waiting).limit(1)).first() is None:
            return []
    with transaction() as db:
        rows = db.execute(select(Alert).where(*waiting).order_by(col(Alert.id)).with_for_update()).scalars()
        due = [row for row in rows if row.matter in conditions]
        for row in due:
            row.next_try_at = until
            row.attempts += 1
        return [row.matter for row in due]


def _try_again(channel: Channel, conditions: Sequence[str], now: datetime) -> None:
    refused = select(Alert).where(col(Alert.channel) == channel, col(Alert.matter).in_(conditions))
    with transaction() as db:
        for row in db.execute(refused.order_by(col(Alert.id)).with_for_update()).scalars():
            row.next_try_at = now + min(LAST_RETRY, FIRST_RETRY * 2 ** min(row.attempts - 1, 10))


def _ends_told_everywhere(db: Session, conditions: Sequence[str]) -> list[int]:
    ends = [each for each in conditions if each.startswith(f"{ENDED}:")]
    left = select(col(Alert.matter)).where(col(Alert.matter).in_(ends), col(Alert.told_at).is_(None))
    return [int(each.rpartition(":")[2]) for each in set(ends) - set(db.execute(left).scalars())]


def _send(channel: Channel, conditions: Sequence[Condition], now: datetime) -> bool:
    try:
        channels.send(channel, *words_of(conditions))
    except NotTaken as refused:
        log.warning("alert_not_taken", channel=channel, why=str(refused))
        note(channel, now=now, problem=str(refused))
        return False
    log.info("alert_sent", channel=channel, conditions=[each.key for each in conditions])
    note(channel, now=now)
    return True
