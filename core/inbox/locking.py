"""Locks the rows that a batch of events may change, before any of them is applied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from core.broadcasts.rules import BroadcastState
from core.db import row_locks
from core.deliveries import evidence
from core.inbox.fanpage_event import FanpageEvent
from core.messenger import event_contents
from core.messenger.event_kinds import EventKind, base_kind
from core.messenger.message_limits import MESSAGING_WINDOW
from core.text.normalise import storable


def lock_rows(db: Session, events: Sequence[FanpageEvent], now: datetime) -> None:
    """Lock every row that these events may change, in the order of core/db/row_locks.py. Workers settle
    deliveries to the same people meanwhile."""
    for fanpage_id in sorted({event.fanpage_id for event in events if event.kind == EventKind.POLICY}):
        row_locks.lock_fanpage_and_its_broadcasts(db, fanpage_id, state=BroadcastState.SENDING)
    row_locks.lock_people(db, {(event.fanpage_id, event.psid) for event in events if event.psid})
    echoed = [
        event_contents.read_echo(event.raw).metadata
        for event in events
        if base_kind(event.kind) == EventKind.ECHO
    ]
    ids = [evidence.delivery_of(storable(metadata or "")) for metadata in echoed]
    receipts = [event for event in events if base_kind(event.kind) in (EventKind.DELIVERY, EventKind.READ)]
    responses = [event for event in events if event.may_be_response]
    told = {(event.fanpage_id, event.psid) for event in [*receipts, *responses] if event.psid}
    since = min((event.at for event in responses), default=now) - MESSAGING_WINDOW
    row_locks.lock_deliveries_heard_of(db, [each for each in ids if each], told, since)
