"""Claims in hand: taken for a moment's sending, not yet on their way. Broadcasts take turns."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime

from core.sending import claims
from core.sending.claims import BeingChanged, Claim
from core.sending.queries import Work
from core.sending.rules import LEASE, batch_size

CLAIM_AT_MOST = 500
CLAIM_AT_LEAST = 5


class Hands:
    def __init__(
        self, worker: str, clock: Callable[[], datetime], holds_since: Callable[[float], bool]
    ) -> None:
        self._worker = worker
        self._clock = clock
        self._holds_since = holds_since
        self._held: dict[int, deque[Claim]] = {}  # by broadcast
        self._turn = 0
        self.wait = False  # whether the last look left out a broadcast that is just being changed

    @property
    def are_empty(self) -> bool:
        return not self._held

    def fill(self, work: Work) -> int | None:
        """The broadcast whose turn it is, with claims in our hands; one with nothing due passes its turn."""
        ids, size = sorted(work.broadcasts), batch_size(work.speed.rate)
        self.wait = False
        for step in range(len(ids)):
            broadcast_id = ids[(self._turn + step) % len(ids)]
            hand = self._held.setdefault(broadcast_id, deque())
            if len(hand) < size:  # a handful is always full while enough are waiting
                share = int(work.speed.rate / len(ids)) // size * size
                ahead = min(CLAIM_AT_MOST, max(size, share, CLAIM_AT_LEAST))
                hand.extend(self._claim(broadcast_id, ahead))
            if hand:
                self._turn = (self._turn + step) % len(ids)
                return broadcast_id
        return None

    def _claim(self, broadcast_id: int, count: int) -> list[Claim]:
        try:
            return claims.claim(broadcast_id, count, worker=self._worker, now=self._clock())
        except BeingChanged:
            self.wait = True
            return []

    def give(self, broadcast_id: int, count: int) -> list[Claim]:
        """Up to so many to send now; then it is another broadcast's turn."""
        hand = self._held[broadcast_id]
        self._turn += 1
        return [hand.popleft() for _ in range(min(count, len(hand)))]

    def keep(self, broadcast_ids: Collection[int]) -> None:
        """Hand back what is of other broadcasts, or no longer surely ours."""
        kept = set(broadcast_ids)
        self._let_go(
            [b for b, hand in self._held.items() if b not in kept or (hand and self._is_stale(hand))]
        )

    def let_go(self) -> None:
        self._let_go(list(self._held))

    def _is_stale(self, hand: deque[Claim]) -> bool:
        """Not surely ours for long enough to be sent and settled."""
        is_old = time.monotonic() - hand[0].taken_at >= LEASE.total_seconds() / 2
        return is_old or not self._holds_since(hand[0].taken_at)

    def _let_go(self, broadcast_ids: list[int]) -> None:
        for broadcast_id in broadcast_ids:
            if hand := self._held[broadcast_id]:
                claims.hand_back(list(hand), worker=self._worker, now=self._clock())
            del self._held[broadcast_id]
