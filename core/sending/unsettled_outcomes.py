"""Keeps the outcomes that came back from the wire until the database has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import structlog

from core.db.engine import DATABASE_TROUBLE, is_locked
from core.errors import Held
from core.messenger.send_responses import Accepted
from core.sending import claims, settling
from core.sending.calls.grouping import Returned
from core.sending.claims import LEASE
from core.sending.replies import claims as reply_claims
from core.sending.replies import settling as reply_settling
from core.sending.replies.claims import ReplyClaim
from core.sending.replies.settling import ReplyOutcome
from core.sending.senders.sender import Claim
from core.sending.settling import Outcome

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0  # plain acceptances change nothing for those to come
MANY = 1000  # a settle of so many takes long enough
LOCKED_SECONDS = 1.0  # before a fanpage is tried again some row of which somebody keeps locked
T = TypeVar("T", Outcome, ReplyOutcome, Claim, ReplyClaim)


class UnsettledOutcomes:
    """Settles the outcomes of all fanpages in one transaction, and hands back what never left in another. If
    that fails it is done fanpage by fanpage, and then one by one, so that none keeps the others waiting."""

    def __init__(self, worker: str, clock: Callable[[], datetime]) -> None:
        self._worker = worker
        self._clock = clock
        self._waiting: list[Returned] = []
        self._since = 0.0  # monotonic; when the first of them came in
        self._locked: dict[int, float] = {}  # fanpages, and when (monotonic) they are tried again

    def take_in(self, landed: Sequence[Returned]) -> None:
        """Keep these outcomes until they are settled; claims among them are handed back."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.extend(landed)

    def __len__(self) -> int:
        return len(self._waiting)

    def settle_due(self) -> None:
        """Settle everything, if it is time: a second after the first, or at once when there are a
        thousand or one is no plain acceptance, for that may say something about those to come. Raises what is
        DATABASE_TROUBLE; what is unsettled is kept."""
        is_time = time.monotonic() - self._since >= EVERY_SECONDS or len(self._waiting) >= MANY
        if self._waiting and (is_time or not all(_is_plain(each) for each in self._waiting)):
            self.settle()

    def settle(self) -> None:
        """Settle everything now. What a locked row keeps back stays for the next time. Raises what is
        DATABASE_TROUBLE; what is unsettled is kept."""
        if not self._waiting:
            return
        self._settle(Outcome, lambda some: settling.settle(some, now=self._clock()))
        self._settle(ReplyOutcome, lambda some: reply_settling.settle(some, now=self._clock()))
        self._settle(Claim, lambda some: claims.hand_back(some, worker=self._worker, now=self._clock()))
        self._settle(ReplyClaim, reply_claims.hand_back)
        self._since = time.monotonic()

    def _settle(self, kind: type[T], settle: Callable[[Sequence[T]], Sequence[T] | None]) -> None:
        """The outcomes of this kind: together, and those of fanpages with a locked row by themselves.
        `settle` may return some that are to wait for the next time."""
        mine = [each for each in self._waiting if isinstance(each, kind)]
        locked = [each for each in mine if each.fanpage_id in self._locked] if self._locked else []
        free = [each for each in mine if each.fanpage_id not in self._locked] if locked else mine
        if free:
            self._settle_part(settle, free)
        for fanpage_id, of_one in _by_fanpage(locked).items():
            if self._locked[fanpage_id] <= time.monotonic():
                del self._locked[fanpage_id]
                self._settle_part(settle, of_one)

    def _settle_part(self, settle: Callable[[Sequence[T]], Sequence[T] | None], part: Sequence[T]) -> None:
        """Settle these together; if that fails, fanpage by fanpage, and then one by one up to the first with
        a locked row. An outcome that fails even alone is dropped: its claim is taken over when the lease has
        run out. A claim that never left is tried until then, for who takes it over cannot know that. Raises
        what is DATABASE_TROUBLE, except a locked row, and Held."""
        fanpage_id, *others = {each.fanpage_id for each in part}
        try:
            left = settle(part) or ()
        except (*DATABASE_TROUBLE, Held) as problem:
            if not is_locked(problem):
                raise
            log.warning("settling_delayed", outcomes=len(part))
            if not others:
                self._locked[fanpage_id] = time.monotonic() + LOCKED_SECONDS
                return
        except Exception:
            log.exception("settle_failed", outcomes=len(part))
            if len(part) == 1:
                if not _is_held(part[0]):
                    self._remove(part)
                return
        else:
            waiting = {id(each) for each in left}
            self._remove([each for each in part if id(each) not in waiting])
            return
        for smaller in _by_fanpage(part).values() if others else ([each] for each in part):
            if smaller[0].fanpage_id not in self._locked:
                self._settle_part(settle, smaller)

    def _remove(self, done: Collection[Returned]) -> None:
        if not done:
            return
        gone = {id(each) for each in done}
        self._waiting = [each for each in self._waiting if id(each) not in gone]


def _by_fanpage(outcomes: Iterable[T]) -> dict[int, list[T]]:
    """The same outcomes by fanpage; fanpages in the order of their ids."""
    found: dict[int, list[T]] = {}
    for each in sorted(outcomes, key=lambda outcome: outcome.fanpage_id):
        found.setdefault(each.fanpage_id, []).append(each)
    return found


def _is_held(landed: Returned) -> bool:
    """Whether it is a claim that has not left, and its lease has not run out."""
    lease = LEASE.total_seconds()
    return isinstance(landed, Claim | ReplyClaim) and time.monotonic() - landed.claimed_steady < lease


def _is_plain(landed: Returned) -> bool:
    return isinstance(landed, Outcome) and isinstance(landed.answer, Accepted)
