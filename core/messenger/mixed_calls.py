"""Sends messages of several fanpages in one call, and attributes each refusal. See docs/decisions/0039.

Only messages that spend a one-time token are sent this way: whatever becomes of a call, the platform takes a
token only once. A message by PSID has no such guard and never shares a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.messenger.batch import TokenSend
from core.messenger.client import Messenger
from core.messenger.connection_check import ASKED_ABOUT, attribute_refusals
from core.messenger.errors import Failure
from core.messenger.message_limits import BATCH_LIMIT
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.messenger.send_responses import Accepted, Answer

Answers = Mapping[int, Answer | None]  # by the item's place; None: it was certainly not sent
Places = dict[Messenger, list[int]]  # where each fanpage's items stand
MayLeave = Callable[[int], bool]


@dataclass(frozen=True, slots=True, repr=False)
class AddressedSend:
    """One message and the client of the fanpage that sends it. No repr: the token is a secret."""

    messenger: Messenger
    send: TokenSend


def send_together(
    items: Sequence[AddressedSend],
    mixed_calls: MixedCallSwitch,
    *,
    may_leave: MayLeave = lambda _place: True,
) -> list[Answer | None]:
    """Send at most 50 messages. Returns one answer for each, in their order, with refusals attributed. It
    never raises for a send.

    It may make further HTTP calls, so no transaction may be open. Right before a further call `may_leave` is
    asked about each of its items, since somebody may have paused its broadcast meanwhile. The answer to an
    item that may not leave is None.
    """
    if len(items) > BATCH_LIMIT:
        raise ValueError(f"a batch takes at most {BATCH_LIMIT} messages")
    places = _places(items)
    may_share = len(places) > 1 and len({each.root for each in places}) == 1
    mixed = may_share and mixed_calls.may_try()
    found = _mixed(items, places, mixed_calls, may_leave) if mixed else _apart(items, places, may_leave)
    return [found[place] for place in range(len(items))]


def _mixed(
    items: Sequence[AddressedSend], places: Places, mixed_calls: MixedCallSwitch, may_leave: MayLeave
) -> Answers:
    outer = items[0].messenger
    said = outer.send_mixed([(each.messenger, each.send) for each in items])
    if isinstance(said, Failure):
        found = _apart(items, places, may_leave)
        if _any_accepted(found, places[outer]):  # otherwise the token of the call explains the refusal
            mixed_calls.note_refused(said)
        return found
    first = dict(enumerate(said))
    again = {each: unproven for each in places if (unproven := _unproven(first, places[each]))}
    second = _apart(items, again, may_leave)
    _learn(mixed_calls, outer, places, first, second)
    return {**_judged_apart(places, first, again), **second}


def _apart(items: Sequence[AddressedSend], places: Places, may_leave: MayLeave) -> Answers:
    """Send with a call for each fanpage."""
    found: dict[int, Answer | None] = dict.fromkeys(place for mine in places.values() for place in mine)
    for messenger, mine in places.items():
        going = [place for place in mine if may_leave(place)]
        if going:
            answers = messenger.send_batch([items[place].send for place in going])
            found |= zip(going, attribute_refusals(messenger, answers), strict=True)
    return found


def _unproven(first: Mapping[int, Answer], mine: Sequence[int]) -> list[int]:
    """A fanpage's items that were refused in a way that the mixed call itself may explain: the platform may
    have overlooked the item's token. An acceptance of the same fanpage shows that it did not."""
    if _any_accepted(first, mine):
        return []
    return [place for place in mine if _may_be_the_calls_fault(first[place])]


def _may_be_the_calls_fault(answer: Answer) -> bool:
    """Whether an answer may be due to the mixed call. Then nothing was sent, and it may be sent again."""
    return isinstance(answer, Failure) and answer.step in ASKED_ABOUT


def _judged_apart(places: Places, first: Mapping[int, Answer], again: Places) -> Answers:
    """Attribute the refusals of what is not sent again, fanpage by fanpage."""
    found: dict[int, Answer] = {}
    for messenger, mine in places.items():
        kept = [place for place in mine if place not in again.get(messenger, ())]
        found |= zip(kept, attribute_refusals(messenger, [first[place] for place in kept]), strict=True)
    return found


def _learn(
    mixed_calls: MixedCallSwitch, outer: Messenger, places: Places, first: Answers, second: Answers
) -> None:
    """Tell `mixed_calls` what this call has shown: an acceptance by an item's own token shows that mixed
    calls work; a refusal that became an acceptance when sent apart, that they may not."""
    if any(_any_accepted(first, mine) for messenger, mine in places.items() if messenger is not outer):
        mixed_calls.note_accepted()
        return
    for place, answer in second.items():
        refusal = first[place]
        if isinstance(answer, Accepted) and isinstance(refusal, Failure):
            mixed_calls.note_refused(refusal)
            return


def _any_accepted(answers: Answers, places: Sequence[int]) -> bool:
    return any(isinstance(answers[place], Accepted) for place in places)


def _places(items: Sequence[AddressedSend]) -> Places:
    found: Places = {}
    for place, item in enumerate(items):
        found.setdefault(item.messenger, []).append(place)
    return found
