"""What has come back for one fanpage, kept until the database has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import structlog

from core.database import DATABASE_TROUBLE
from core.errors import OperatorError
from core.messenger.client import Accepted
from core.sending import claims, replies, settling
from core.sending.claims import Claim
from core.sending.clerk import Clerk
from core.sending.outcomes import Outcome
from core.sending.replies import ReplyClaim, ReplyOutcome

log = structlog.get_logger(__name__)

SETTLE_EVERY_SECONDS = 0.25
MANY = 40  # acceptances of one fanpage that are worth a transaction of their own
Landed = Outcome | ReplyOutcome | Claim | ReplyClaim  # a claim: it never left
T = TypeVar("T")


class Landing:
    def __init__(self, fanpage_id: int, worker: str, clock: Callable[[], datetime], clerk: Clerk) -> None:
        self._fanpage_id = fanpage_id
        self._worker = worker
        self._clock = clock
        self._clerk = clerk
        self.settled_at = 0.0  # monotonic; by us: acceptances change nothing for those to come
        self._landed: list[Landed] = []
        self._passed_on_at = 0.0

    def take_in(self, landed: Sequence[Landed]) -> None:
        self._landed.extend(landed)

    def settle_due(self) -> bool:
        """Refusals may say something about those that follow; a few acceptances wait for those of others.
        Whether anything was done about ours."""
        if self._clerk.wants_alone(self._fanpage_id):
            self.settle()
            return True
        is_time = self._landed and time.monotonic() - self._passed_on_at > SETTLE_EVERY_SECONDS
        if is_time:
            self._pass_on()
        self._clerk.settle_due()
        return bool(is_time)

    def _pass_on(self) -> None:
        plain = [each for each in _only(Outcome, self._landed) if isinstance(each.answer, Accepted)]
        if len(plain) == len(self._landed) < MANY:
            self._clerk.take_in(self._fanpage_id, plain)
            self._landed.clear()
            self._passed_on_at = time.monotonic()
        else:
            self.settle()

    def settle(self) -> None:
        """All of ours, now; hand back what never left."""
        self._landed.extend(self._clerk.take_out(self._fanpage_id))
        if not self._landed:
            return
        now = self._clock()
        self._settle_all(settling.settle, _only(Outcome, self._landed), now)
        self._landed = [each for each in self._landed if not isinstance(each, Outcome)]
        self._settle_all(replies.settle_replies, _only(ReplyOutcome, self._landed), now)
        claims.hand_back(_only(Claim, self._landed), worker=self._worker, now=now)
        replies.hand_back_replies(_only(ReplyClaim, self._landed))
        self._landed.clear()
        self.settled_at = self._passed_on_at = time.monotonic()

    def _settle_all(self, settle: Callable[..., None], outcomes: Sequence[T], now: datetime) -> None:
        """One that the database will not take must not keep the others from being settled."""
        try:
            settle(self._fanpage_id, outcomes, now=now)
            return
        except (*DATABASE_TROUBLE, OperatorError):
            raise
        except Exception:
            log.exception("settle_failed", fanpage_id=self._fanpage_id, outcomes=len(outcomes))
        for outcome in outcomes:
            try:
                settle(self._fanpage_id, [outcome], now=now)
            except (*DATABASE_TROUBLE, OperatorError):
                raise
            except Exception:  # its claim is taken over
                log.exception("outcome_not_settled", fanpage_id=self._fanpage_id)

    @property
    def knows_of_acceptances(self) -> bool:
        outcomes = _only(Outcome, self._landed), _only(ReplyOutcome, self._landed)
        known = any(isinstance(each.answer, Accepted) for kind in outcomes for each in kind)
        return known or self._clerk.has_some_of(self._fanpage_id)


def _only(kind: type[T], landed: Sequence[Landed]) -> list[T]:
    return [each for each in landed if isinstance(each, kind)]
