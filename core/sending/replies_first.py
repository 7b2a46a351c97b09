"""Lets replies leave at the send slots of broadcast messages that were claimed ahead, which give way.

Broadcasts claim most of a second ahead, and a customer who waits for an answer should not wait behind that.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

from core.sending.call_grouping import Call, PlannedMessage
from core.sending.reply_claims import ReplyClaim
from core.sending.senders.sender import Claim

PUT_OFF_SECONDS = 10.0  # a broadcast message that was claimed so long ago gives way no more: its lease runs
_Places = dict[int, deque[tuple[float, Call, Claim]]]


def exchange(
    planned: Sequence[PlannedMessage], waiting: Sequence[tuple[float, Call]], *, now: float
) -> list[PlannedMessage]:
    """The planned messages, but each reply leaves when the next broadcast message of its fanpage in `waiting`
    would have left. That message is taken out of its call, and leaves when the reply would have.

    One for one: how many messages of a fanpage leave at which moment stays as the timetable has it.
    """
    replies = [each for each in planned if isinstance(each.claim, ReplyClaim)]
    places = _places({each.claim.fanpage_id for each in replies}, waiting, now)
    found = [each for each in planned if not isinstance(each.claim, ReplyClaim)]
    for each in sorted(replies, key=lambda reply: reply.at):
        free = places[each.claim.fanpage_id]
        if free and free[0][0] < each.at:
            at, call, claim = free.popleft()
            call.pop(next(place for place, other in enumerate(call) if other is claim))
            found += [PlannedMessage(at, each.claim), PlannedMessage(each.at, claim)]
        else:
            found.append(each)
    return found


def _places(fanpage_ids: set[int], waiting: Sequence[tuple[float, Call]], now: float) -> _Places:
    """By fanpage the broadcast messages that may give way, the earliest first."""
    places: _Places = defaultdict(deque)
    for at, call in sorted(waiting, key=lambda each: each[0]) if fanpage_ids else ():
        for claim in call:
            if isinstance(claim, ReplyClaim) or now - claim.taken_at >= PUT_OFF_SECONDS:
                continue
            if claim.fanpage_id in fanpage_ids:
                places[claim.fanpage_id].append((at, call, claim))
    return places
