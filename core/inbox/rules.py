"""What an incoming event means: when it happened, whose window it opens, in which order events apply."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from core.messenger.events import base_kind
from core.text.matching import search_key

# Standard messaging window: 24 hours from the customer's last act (Messenger Platform policy).
WINDOW = timedelta(hours=24)
# The Messenger Platform opened on 12 April 2016: no event is older.
EARLIEST = datetime(2016, 4, 12, tzinfo=UTC)
_EARLIEST_MS = EARLIEST.timestamp() * 1000
TOPIC_PREFIX = "topic:"

# Acts of the customer that open the window. A tap on "Notify Me" is not documented to, so it does not.
_OPENS_WINDOW = frozenset({"message", "postback", "reaction", "referral"})
_BY_THE_CUSTOMER = _OPENS_WINDOW | {"opt_in"}
# They make nobody a customer, but whoever they are about can be reached: a message got there, or was read,
# or the person edited or unsent one.
ALSO_SIGNS_OF_LIFE = frozenset({"echo", "delivery", "read", "edit", "deleted", "opt_in_other"})

# Events applied between two groups of the intake, so that answers never wait long for it.
BATCH_EVENTS = 300
SMALLEST_BATCH = 50
BATCH_SECONDS = 0.05


UNKNOWN_FANPAGE = "no fanpage of ours"  # the note of an event that came before its fanpage was connected


class EventState(StrEnum):
    PENDING = "pending"  # stored, not yet applied
    APPLIED = "applied"
    IGNORED = "ignored"  # nothing to do, or not for a fanpage of ours; the note says which
    FAILED = "failed"  # could not be applied; kept for a replay


def occurred_at(milliseconds: int | None, received_at: datetime) -> datetime:
    """When an event happened; `received_at` when the platform names no time, an absurd one or one to come."""
    if milliseconds is None:
        return received_at
    if not _EARLIEST_MS <= milliseconds < received_at.timestamp() * 1000:
        return received_at
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def time_ordered_key(key: str, milliseconds: int | None) -> str:
    """A key (64 hex digits) that begins with the event's time: keys that come together then lie together in
    the database's index, where they would otherwise each touch a page of their own."""
    return f"{milliseconds or 0:012x}{key[:52]}"


def is_customer_act(kind: str) -> bool:
    """Whether an event of this kind makes its sender a customer of the fanpage, reachable again."""
    return base_kind(kind) in _BY_THE_CUSTOMER


def window_closes_at(kind: str, at: datetime, *, taken_back: bool = False) -> datetime | None:
    """Until when an event lets us write; None when it opens no window. Taking back a reaction opens none."""
    return at + WINDOW if base_kind(kind) in _OPENS_WINDOW and not taken_back else None


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time is not None), default=None)


def find_topic(payload: str, topics: Mapping[int, str]) -> int | None:
    """The topic a payload that is not ours names: `topic:<id>`, or a topic's name however it is spelt."""
    number = payload.removeprefix(TOPIC_PREFIX)
    if payload.startswith(TOPIC_PREFIX) and number.isdecimal() and len(number) < 19:
        return int(number) if int(number) in topics else None
    wanted = search_key(payload)
    return next((id_ for id_, name in topics.items() if wanted and search_key(name) == wanted), None)


def next_batch_size(events: int, took_seconds: float) -> int:
    """How many events the next turn takes on: taps go by the hundred, answers to messages cost more."""
    return max(SMALLEST_BATCH, events // 2) if took_seconds > BATCH_SECONDS else min(BATCH_EVENTS, events * 2)


Item = TypeVar("Item")


def split_into_runs(items: Iterable[tuple[Item, Hashable, bool]]) -> Iterator[list[Item]]:
    """Splits (item, whose, may wait) into runs to apply in turn: items that may wait gather in one run, and
    are let go before anything else of the same person, so that nobody's events change places."""
    run: list[Item] = []
    people: set[Hashable] = set()
    for item, person, may_wait in items:
        if may_wait:
            run.append(item)
            people.add(person)
            continue
        if person in people:
            yield run
            run, people = [], set()
        yield [item]
    if run:
        yield run
