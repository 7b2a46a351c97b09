"""Plans what to claim: for each fanpage how many messages, of which broadcasts, from a work snapshot and from
where the fanpage stands in its send slots, as its rate row said and by what was claimed since.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from core.sending import timetable
from core.sending.calls.connections import Connections
from core.sending.calls.grouping import Call
from core.sending.claiming import ClaimedBatch, ClaimRequest
from core.sending.limits.allowance import Allowances
from core.sending.sharing.shards import OwnShards
from core.sending.timetable import Demand, SlotPosition
from core.sending.work_snapshot import FanpageWork, Snapshot


class ClaimPlanner:
    """Remembers from turn to turn what the plans of one sending loop depend on."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        connections: Connections,
        shards: OwnShards,
    ) -> None:
        self._clock = clock
        self._connections = connections
        self._shards = shards
        self._positions: dict[int, SlotPosition] = {}  # by fanpage, in monotonic seconds
        # The next free slot that a fanpage's rate row is known to have, in seconds since 1970. Without it the
        # next snapshot says where the fanpage stands.
        self._slots_in_rows: dict[int, float] = {}
        self.delay = 0.0  # of the schedule, as far as it is part of the positions
        self._allowances = Allowances(clock)
        # By fanpage how often it claimed, which says whose broadcast's turn it is.
        self._claims: Counter[int] = Counter()
        self._empty: dict[tuple[str, int], float] = {}  # what had nothing to claim, and when (monotonic)
        self.unanswered: Counter[int] = Counter()  # claimed messages without an answer, by fanpage

    def ready(self, snapshot: Snapshot) -> list[int]:
        """The fanpages of our shards that have something to send and need not wait."""
        at, fanpages = self._clock().timestamp(), snapshot.fanpages.items()
        return [key for key, work in fanpages if work.rate.waits_until <= at and self._shards.may_claim(key)]

    def plan(self, snapshot: Snapshot, fanpage_ids: Collection[int], *, room: int) -> list[ClaimRequest]:
        """What to claim for each of these fanpages that has a send slot in the look-ahead, at most `room`
        messages in all."""
        now, works = time.monotonic(), snapshot.fanpages
        all_left = self.left(snapshot, fanpage_ids)
        left = {key: each for key, each in all_left.items() if self._is_near(key, works[key], now)}
        for key in left:
            if key not in self._slots_in_rows:
                self._read_position(key, works[key].slot_in_row)
        demands = {key: Demand(works[key].rate.per_second, self.unanswered[key]) for key in left}
        counts = timetable.plan(self._positions, demands, now=now, room=room)
        return [
            ClaimRequest(
                fanpage_id=key,
                count=count,
                broadcast_ids=left[key][0],
                has_replies=left[key][1],
                position=self._positions[key],
                demand=demands[key],
                slot_in_row=self._slots_in_rows[key],
                turn=self._claims[key],
            )
            for key, count in counts.items()
        ]

    def left(self, snapshot: Snapshot, fanpage_ids: Collection[int]) -> dict[int, tuple[list[int], bool]]:
        """Those of these fanpages that may have something to send: for each its broadcasts, and whether
        replies wait. One without a connection to Messenger, or whose allowance is used up, is left out, and a
        broadcast for which a claim found nothing since the snapshot was read."""
        self._connections.look_up(fanpage_ids)
        used_up = self._allowances.used_up(fanpage_ids)
        self._empty = {key: at for key, at in self._empty.items() if at >= snapshot.at}
        left: dict[int, tuple[list[int], bool]] = {}
        for key in fanpage_ids:
            if self._connections.of(key) is None or key in used_up:
                continue
            work = snapshot.fanpages[key]
            broadcasts = [each for each in work.broadcasts if ("broadcast", each) not in self._empty]
            has_replies = work.has_replies and ("replies", key) not in self._empty
            if broadcasts or has_replies:
                left[key] = broadcasts, has_replies
        return left

    def forget_positions(self, are_meant: Callable[[int], bool]) -> None:
        """Let the next snapshot say where the fanpages stand that are meant. What was planned for them leaves
        all the same, so `not_before` of their positions stays."""
        self._slots_in_rows = {key: at for key, at in self._slots_in_rows.items() if not are_meant(key)}

    def put_off(self, delay: float) -> None:
        """Everything planned leaves later by now than it was planned at first, by so many seconds in all."""
        if later := delay - self.delay:
            self._positions = {key: timetable.delayed(each, later) for key, each in self._positions.items()}
            self.delay = delay

    def note_position(self, fanpage_id: int, position: SlotPosition, *, slot_in_row: float) -> None:
        """Remember where a fanpage stands, and what its rate row says."""
        self._positions[fanpage_id], self._slots_in_rows[fanpage_id] = position, slot_in_row

    def note_claimed(self, batches: Sequence[ClaimedBatch], *, claimed_at: float) -> None:
        """Remember what was claimed, and what had nothing to claim, at this monotonic time."""
        for each in batches:
            self._note_empty(each, claimed_at)
            if each.position is not None:
                fanpage_id = each.request.fanpage_id
                self.note_position(fanpage_id, each.position, slot_in_row=each.slot_in_row)
                self._claims[fanpage_id] += 1
                self.unanswered[fanpage_id] += len(each.claims)

    def note_returned(self, call: Call) -> None:
        """The messages of this call came back."""
        self.unanswered.subtract(claim.fanpage_id for claim in call)

    def _is_near(self, fanpage_id: int, work: FanpageWork, now: float) -> bool:
        return fanpage_id not in self._slots_in_rows or timetable.is_near(
            self._positions[fanpage_id], work.rate.per_second, now=now
        )

    def _read_position(self, fanpage_id: int, slot_in_row: float) -> None:
        """Take from a rate row where a fanpage stands."""
        ahead = time.monotonic() - self._clock().timestamp()
        before = self._positions.get(fanpage_id, SlotPosition(0.0))
        self.note_position(fanpage_id, replace(before, slot=slot_in_row + ahead), slot_in_row=slot_in_row)

    def _note_empty(self, batch: ClaimedBatch, claimed_at: float) -> None:
        for broadcast_id in batch.without_any:
            self._empty["broadcast", broadcast_id] = claimed_at
        if batch.request.has_replies and len(batch.replies) < batch.request.count:
            self._empty["replies", batch.request.fanpage_id] = claimed_at
