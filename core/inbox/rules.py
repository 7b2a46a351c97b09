"""Rules about incoming events: when they happened, whose window they open, in which order they apply."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from core.messenger.event_kinds import EventKind as K
from core.messenger.event_kinds import base_kind
from core.messenger.message_limits import MESSAGING_WINDOW
from core.text.matching import search_key

# The Messenger Platform opened on 12 April 2016: no event is older.
EARLIEST = datetime(2016, 4, 12, tzinfo=UTC)
_EARLIEST_MS = EARLIEST.timestamp() * 1000
TOPIC_PREFIX = "topic:"

# Acts of the customer that open the window. A tap on "Notify Me" is not documented to, so it does not.
_OPENS_WINDOW = frozenset({K.MESSAGE, K.POSTBACK, K.REACTION, K.REFERRAL})
_BY_THE_CUSTOMER = _OPENS_WINDOW | {K.OPT_IN}
# Events of these kinds make nobody a customer, but show that the person can be reached: a message arrived
# or was read, or the person edited or unsent one.
ALSO_SIGNS_OF_LIFE = frozenset({K.ECHO, K.DELIVERY, K.READ, K.EDIT, K.DELETED, K.OPT_IN_OTHER})

# So many events are applied between two groups of requests, so that no request waits long for its answer.
BATCH_EVENTS = 300
SMALLEST_BATCH = 50
BATCH_SECONDS = 0.05


UNKNOWN_FANPAGE = "no fanpage of ours"  # the note of an event that came before its fanpage was connected


class EventState(StrEnum):
    """What has become of a stored event."""

    PENDING = "pending"  # stored and not yet applied
    APPLIED = "applied"
    IGNORED = "ignored"  # nothing to do, or not for a fanpage of ours; the note says which
    FAILED = "failed"  # could not be applied; kept for a replay


def occurred_at(milliseconds: int | None, received_at: datetime) -> datetime:
    """When an event happened. It is `received_at` where the platform names no time, or one that is absurd or
    in the future."""
    if milliseconds is None:
        return received_at
    if not _EARLIEST_MS <= milliseconds < received_at.timestamp() * 1000:
        return received_at
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def time_ordered_key(key: str, milliseconds: int | None) -> str:
    """Put the event's time in front of a key of 64 hex digits, and cut it to 64 again. Events that come
    together then lie together in the database's index, instead of each touching a page of its own."""
    return f"{milliseconds or 0:012x}{key[:52]}"


def is_customer_act(kind: str) -> bool:
    """Whether an event of this kind makes its sender a customer of the fanpage, reachable again."""
    return base_kind(kind) in _BY_THE_CUSTOMER


def window_closes_at(kind: str, at: datetime, *, taken_back: bool = False) -> datetime | None:
    """Until when an event lets us write to the customer; None when it opens no window. Taking back a reaction
    opens none."""
    return at + MESSAGING_WINDOW if base_kind(kind) in _OPENS_WINDOW and not taken_back else None


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two times, of which either may be missing."""
    return max((time for time in (one, other) if time is not None), default=None)


def find_topic(payload: str, topics: Mapping[int, str]) -> int | None:
    """The topic that a payload made by another tool names: `topic:<id>`, or a topic's name without regard to
    case and marks. None when it names none of these topics."""
    number = payload.removeprefix(TOPIC_PREFIX)
    if payload.startswith(TOPIC_PREFIX) and number.isdecimal() and len(number) < 19:
        return int(number) if int(number) in topics else None
    wanted = search_key(payload)
    return next((id_ for id_, name in topics.items() if wanted and search_key(name) == wanted), None)


def next_batch_size(events: int, took_seconds: float) -> int:
    """How many events the next batch takes: fewer when the last took long, else more, within fixed bounds."""
    return max(SMALLEST_BATCH, events // 2) if took_seconds > BATCH_SECONDS else min(BATCH_EVENTS, events * 2)


Item = TypeVar("Item")


def split_into_runs(items: Iterable[tuple[Item, Hashable, bool]]) -> Iterator[list[Item]]:
    """Split (item, person, may wait) into runs that are applied one after the other.

    Items that may wait gather in one run. It ends before any other item of a person in it, so that nobody's
    events change their order.
    """
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
