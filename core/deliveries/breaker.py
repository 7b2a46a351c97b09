"""The breaker on likeness: so many refusals alike are not about the people. Pure.

No code, known or not, may walk through an audience. Outcomes are counted per fanpage and per broadcast, so
that neither a broadcast that fares well hides another, nor many small ones each stay below the limit; answers
by PSID are counted apart from both. Counting begins anew when a person lets it go on: docs/decisions/0027.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.deliveries.rules import UNREACHABLE_REASONS

RUN = 20  # so many in a row
WINDOW, MOST = 50, 40  # or so many of the last fifty
SMALL_RUN = 5  # or the first so many, where fewer than fifty are served


@dataclass(frozen=True)
class Refusal:
    """A delivery or an answer that has ended by a refusal."""

    number: int  # of the outcome, from 1; 0 before it is counted
    reason: str
    broadcast_id: int  # 0 of an answer by PSID, as delivery_id
    delivery_id: int
    customer_id: int


@dataclass(frozen=True)
class Recent:
    """Outcomes since counting began: how many, the refusals among the last of them, and how many there were
    before those that were just added."""

    outcomes: int = 0
    refusals: tuple[Refusal, ...] = ()
    before: int = 0


def noted(recent: Recent, ended: Sequence[Refusal | None]) -> Recent:
    """The recent outcomes with these added, in the order in which they were answered; None was accepted."""
    first = recent.outcomes
    kept = [each for each in recent.refusals if each.number > first - WINDOW]
    new = [replace(one, number=first + place) for place, one in enumerate(ended, start=1) if one]
    return Recent(first + len(ended), (*kept, *new), before=first)


def tripped_by(recent: Recent, *, left: int | None = None) -> str | None:
    """The reason for which too many were refused alike, or None. Looks at every outcome that was just added.

    `left` is how many a broadcast has still to serve: only a small one is judged by its first few.
    """
    is_small = left is not None and recent.outcomes + left < WINDOW
    for place, newest in enumerate(recent.refusals, start=1):
        if newest.number > recent.before:
            so_far = recent.refusals[max(0, place - WINDOW) : place]
            if _is_run(so_far) or _is_most(so_far) or (is_small and _is_all(so_far)):
                return newest.reason
    return None


def may_be_small(recent: Recent) -> bool:
    """Whether it has to be known how many are left, as the first few might trip it in a small broadcast."""
    return recent.outcomes < WINDOW and len(recent.refusals) >= SMALL_RUN


def refused_alike(recent: Recent, reason: str) -> list[Refusal]:
    """The recent refusals for this reason, or one like it: when the breaker trips, they said
    nothing about people."""
    return [each for each in recent.refusals if _likeness(each.reason) == _likeness(reason)]


def since_accepted(recent: Recent) -> list[Refusal]:
    """The refusals that no acceptance has followed: when the fanpage turns out to be stopped, they prove
    nothing about anybody."""
    numbers = {each.number for each in recent.refusals}
    last = recent.outcomes
    while last in numbers:
        last -= 1
    return [each for each in recent.refusals if each.number > last]


def _is_run(so_far: Sequence[Refusal]) -> bool:
    last = so_far[-RUN:]
    return len(last) == RUN and last[-1].number - last[0].number == RUN - 1 and _are_alike(last)


def _is_most(so_far: Sequence[Refusal]) -> bool:
    newest = so_far[-1]
    alike = [each for each in so_far if _likeness(each.reason) == _likeness(newest.reason)]
    return sum(each.number > newest.number - WINDOW for each in alike) >= MOST


def _is_all(so_far: Sequence[Refusal]) -> bool:
    """Every outcome so far, and the same."""
    return len(so_far) == so_far[-1].number >= SMALL_RUN and _are_alike(so_far)


def _are_alike(refusals: Sequence[Refusal]) -> bool:
    return len({_likeness(each.reason) for each in refusals}) == 1


def _likeness(reason: str) -> str:
    """Blocked, gone and unavailable are one: each says that the person cannot be reached."""
    return UNREACHABLE_REASONS[0] if reason in UNREACHABLE_REASONS else reason
