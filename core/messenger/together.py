"""Sends messages of several fanpages in one call and judges each by itself. See docs/decisions/0039.

Only messages that spend a one-time token are sent this way: whatever becomes of a call, the platform takes a
token only once. A message by PSID has no such guard and never shares a call.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from core.messenger.across import AcrossFanpages
from core.messenger.batch import TokenSend
from core.messenger.client import Accepted, Answer, Messenger
from core.messenger.errors import Failure, NextStep
from core.messenger.line import ASKED_ABOUT, judged
from core.messenger.wire import BATCH_LIMIT

# Calls that follow one another begin within this time: a claim's lease also has to outlast the last of them.
CALLS_BEGIN_WITHIN_SECONDS = 10.0
_NO_TIME_LEFT = Failure(NextStep.NOT_SENT, "not_connected", detail="no time was left for a call of its own")

Answers = dict[int, Answer]  # by the item's place
Places = dict[Messenger, list[int]]  # where each fanpage's items stand


@dataclass(frozen=True, slots=True, repr=False)
class Addressed:
    """One message and the line of the fanpage that sends it. No repr: the token is a secret."""

    messenger: Messenger
    send: TokenSend


def send_together(items: Sequence[Addressed], across: AcrossFanpages) -> list[Answer]:
    """Send these items, at most 50, and return one answer for each, in order, charged to whom it belongs.

    What goes wrong with a send is an answer, never an exception; ValueError for more than 50 items. May ask
    the platform whether a fanpage's line works, so no transaction may be open.
    """
    if len(items) > BATCH_LIMIT:
        raise ValueError(f"a batch takes at most {BATCH_LIMIT} messages")
    until = time.monotonic() + CALLS_BEGIN_WITHIN_SECONDS
    places = _places(items)
    may_share = len(places) > 1 and len({each.root for each in places}) == 1
    mixed = may_share and across.begin()
    found = _mixed(items, places, across, until) if mixed else _apart(items, places, until)
    return [found[place] for place in range(len(items))]


def _mixed(items: Sequence[Addressed], places: Places, across: AcrossFanpages, until: float) -> Answers:
    """One call for all; what it refuses in a way that proves nothing is sent again fanpage by fanpage."""
    outer = items[0].messenger
    said = outer.send_mixed([(each.messenger, each.send) for each in items])
    if isinstance(said, Failure):
        found = _apart(items, places, until)
        if _any_accepted(found, places[outer]):  # else its own token explains the refusal
            across.refused(said)
        return found
    first = dict(enumerate(said))
    again = {each: unproven for each in places if (unproven := _unproven(first, places[each]))}
    second = _apart(items, again, until)
    _learn(across, outer, places, first, second)
    return _judged_apart(places, first, again) | second


def _apart(items: Sequence[Addressed], places: Places, until: float) -> Answers:
    """One call for each fanpage. What no time is left for is answered as never sent."""
    found: Answers = {}
    for messenger, mine in places.items():
        in_time = time.monotonic() < until
        sends = [items[place].send for place in mine]
        answers = judged(messenger, messenger.send_batch(sends)) if in_time else [_NO_TIME_LEFT] * len(mine)
        found |= zip(mine, answers, strict=True)
    return found


def _unproven(first: Answers, mine: Sequence[int]) -> list[int]:
    """A fanpage's items whose refusals the mixed call itself may explain, because the platform may have
    overlooked their tokens. None if any item of the fanpage was accepted: then the platform has not."""
    if _any_accepted(first, mine):
        return []
    return [place for place in mine if _may_be_the_calls_fault(first[place])]


def _may_be_the_calls_fault(answer: Answer) -> bool:
    """Whether an answer may be due to the mixed call. Then nothing was sent, and it may be sent again."""
    return isinstance(answer, Failure) and answer.step in ASKED_ABOUT


def _judged_apart(places: Places, first: Answers, again: Places) -> Answers:
    """The answers that stand after the mixed call, judged fanpage by fanpage, without what is sent again."""
    found: Answers = {}
    for messenger, mine in places.items():
        kept = [place for place in mine if place not in again.get(messenger, ())]
        found |= zip(kept, judged(messenger, [first[place] for place in kept]), strict=True)
    return found


def _learn(across: AcrossFanpages, outer: Messenger, places: Places, first: Answers, second: Answers) -> None:
    """Tell `across` what this call has shown: an acceptance by an item's own token shows that mixed calls
    work; a refusal that became an acceptance when sent apart, that they may not."""
    if any(_any_accepted(first, mine) for messenger, mine in places.items() if messenger is not outer):
        across.succeeded()
        return
    for place, answer in second.items():
        refusal = first[place]
        if isinstance(answer, Accepted) and isinstance(refusal, Failure):
            across.refused(refusal)
            return


def _any_accepted(answers: Answers, places: Sequence[int]) -> bool:
    return any(isinstance(answers[place], Accepted) for place in places)


def _places(items: Sequence[Addressed]) -> Places:
    found: Places = {}
    for place, item in enumerate(items):
        found.setdefault(item.messenger, []).append(place)
    return found
