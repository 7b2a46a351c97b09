"""What rides together in one call, and what leaves first: replies, at the send slots of broadcast messages
that were claimed ahead and give way. Broadcasts claim most of a second ahead, and a customer who waits for an
answer should not wait behind that.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.messenger.message_limits import BATCH_LIMIT
from core.sending.replies.claims import ReplyClaim
from core.sending.replies.settling import ReplyOutcome
from core.sending.senders.sender import Claim, Sender
from core.sending.settling import Outcome


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One claimed message and when it leaves, in monotonic seconds."""

    at: float
    claim: Claim | ReplyClaim


PUT_OFF_SECONDS = 10.0  # a broadcast message that was claimed so long ago gives way no more: its lease runs

Call = list[Claim] | list[ReplyClaim]
# What comes back; a claim has never left.
Returned = Outcome | ReplyOutcome | Claim | ReplyClaim
_Places = dict[int, deque[tuple[float, Call, Claim]]]


def grouped(
    leaving: Iterable[PlannedMessage], *, groups: Mapping[int, int] | None = None
) -> list[tuple[float, Call]]:
    """Return calls, each with the moment at which it leaves. What leaves at the same tick by the same sender
    shares calls, at most 50 in one, those of one fanpage side by side. Fanpages in `groups` share calls only
    with others of the same number.

    A message in doubt shares calls with its own fanpage only: mostly it was taken before and is refused now,
    and what a call of several fanpages refuses is sent once more by itself, beside the fanpage's rate. A
    message that nothing guards against arriving twice could not be tried again in doubt, so it rides alone.
    """
    calls: list[tuple[float, Call]] = []
    together: dict[tuple[float, Sender, int | None], list[Claim]] = defaultdict(list)
    for each in leaving:
        if isinstance(each.claim, ReplyClaim):
            calls.append((each.at, [each.claim]))
        elif each.claim.sender.is_guarded:
            fanpage_id = each.claim.fanpage_id
            group = fanpage_id if each.claim.in_doubt else (groups or {}).get(fanpage_id)
            together[each.at, each.claim.sender, group].append(each.claim)
        else:
            calls.append((each.at, [each.claim]))
    for (at, *_), claims in together.items():
        claims.sort(key=lambda claim: claim.fanpage_id)
        calls += [(at, part) for part in _parts(claims)]
    return calls


def _parts(claims: Sequence[Claim]) -> list[list[Claim]]:
    return [list(claims[start : start + BATCH_LIMIT]) for start in range(0, len(claims), BATCH_LIMIT)]


def with_replies_first(
    planned: Sequence[PlannedMessage], waiting: Sequence[tuple[float, Call]], *, now: float
) -> list[PlannedMessage]:
    """The planned messages, but each reply leaves when the next broadcast message of its fanpage in `waiting`
    would have left. That message is taken out of its call, and leaves when the reply would have.

    One for one: how many messages of a fanpage leave at which moment stays as the timetable has it.
    """
    replies = [each for each in planned if isinstance(each.claim, ReplyClaim)]
    places = _places({each.claim.fanpage_id for each in replies}, waiting, now)
    found = [each for each in planned if not isinstance(each.claim, ReplyClaim)]
    giving_way: list[tuple[Call, Claim]] = []
    for each in sorted(replies, key=lambda reply: reply.at):
        free = places[each.claim.fanpage_id]
        if free and free[0][0] < each.at:
            at, call, claim = free.popleft()
            giving_way.append((call, claim))
            found += [PlannedMessage(at, each.claim), PlannedMessage(each.at, claim)]
        else:
            found.append(each)
    for call, claim in giving_way:  # last: nothing has gone from its call if something failed before
        call.pop(next(place for place, other in enumerate(call) if other is claim))
    return found


def _places(fanpage_ids: set[int], waiting: Sequence[tuple[float, Call]], now: float) -> _Places:
    """By fanpage the broadcast messages that may give way, the earliest first."""
    places: _Places = defaultdict(deque)
    for at, call in sorted(waiting, key=lambda each: each[0]) if fanpage_ids else ():
        for claim in call:
            if isinstance(claim, ReplyClaim) or now - claim.claimed_steady >= PUT_OFF_SECONDS:
                continue
            if claim.fanpage_id in fanpage_ids:
                places[claim.fanpage_id].append((at, call, claim))
    return places
