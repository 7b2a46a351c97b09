"""Plans what to claim: for each fanpage how many messages, of which broadcasts, from a work snapshot and from
where the fanpage stands in its send slots, as its rate row said and by what was claimed since.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.db.work_queue import shard_of
from core.sending import timetable
from core.sending.calls.connections import Connections
from core.sending.calls.grouping import Call
from core.sending.claiming import ClaimedBatch, ClaimRequest
from core.sending.limits.allowance import Allowances
from core.sending.sharing.shards import OwnShards
from core.sending.timetable import Demand, SlotPosition
from core.sending.work_snapshot import NOTHING, FanpageWork, Snapshot


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
        self._snapshot = NOTHING  # that `_works` is of
        self._works: dict[int, FanpageWork] = {}
        self.unanswered: Counter[int] = Counter()  # claimed messages without an answer, by fanpage

    def plan(self, snapshot: Snapshot, *, room: int) -> list[ClaimRequest]:
        """What to claim for each fanpage that has something to send and a send slot in the look-ahead, at
        most `room` messages in all."""
        now = time.monotonic()
        near = {key: work for key, work in self._works_of(snapshot).items() if self._is_near(key, work, now)}
        left = self._left_of(near, snapshot)
        for key in left:
            if key not in self._slots_in_rows:
                self._read_position(key, near[key].slot_in_row)
        demands = {key: Demand(near[key].rate.per_second, self.unanswered[key]) for key in left}
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

    def forget_positions(self, *, of_shards: Collection[int] | None = None) -> None:
        """Let the next snapshot say where these fanpages stand, or all. What was planned for them leaves all
        the same, so `not_before` of their positions stays."""
        self._slots_in_rows = {
            key: slot_in_row
            for key, slot_in_row in self._slots_in_rows.items()
            if of_shards is not None and shard_of(key) not in of_shards
        }

    def put_off(self, delay: float) -> None:
        """Everything planned leaves later by now than it was planned at first, by so many seconds in all."""
        if later := delay - self.delay:
            self._positions = {key: timetable.delayed(each, later) for key, each in self._positions.items()}
            self.delay = delay

    def note_position(self, fanpage_id: int, position: SlotPosition, *, slot_in_row: float) -> None:
        """Remember where a fanpage stands, and what its rate row says."""
        self._positions[fanpage_id], self._slots_in_rows[fanpage_id] = position, slot_in_row

    def has_any(self, snapshot: Snapshot) -> bool:
        """Whether the snapshot shows anything that may be claimed, now or at a later slot."""
        return bool(self._left_of(self._works_of(snapshot), snapshot))

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

    def _works_of(self, snapshot: Snapshot) -> dict[int, FanpageWork]:
        """By fanpage the work of a snapshot, without fanpages that have to wait, have no connection to
        Messenger or have used up their allowance. Computed once for each snapshot."""
        if snapshot is not self._snapshot:
            at = self._clock().timestamp()
            free = {key: work for key, work in snapshot.fanpages.items() if work.rate.waits_until <= at}
            self._connections.look_up(free)
            used_up = self._allowances.used_up(free)
            self._works = {
                key: work
                for key, work in free.items()
                if self._connections.of(key) is not None and key not in used_up
            }
            self._empty = {key: at for key, at in self._empty.items() if at >= snapshot.at}
            self._snapshot = snapshot
        return self._works

    def _left_of(
        self, works: Mapping[int, FanpageWork], snapshot: Snapshot
    ) -> dict[int, tuple[list[int], bool]]:
        """The fanpages of our shards that may have something to send: for each its broadcasts, and whether
        replies wait. A broadcast for which a claim found nothing since the snapshot was read is left out."""
        left: dict[int, tuple[list[int], bool]] = {}
        for key, work in works.items():
            if not self._shards.may_claim(key):
                continue
            broadcasts = [each for each in work.broadcasts if self._has_some(("broadcast", each), snapshot)]
            has_replies = work.has_replies and self._has_some(("replies", key), snapshot)
            if broadcasts or has_replies:
                left[key] = broadcasts, has_replies
        return left

    def _has_some(self, key: tuple[str, int], snapshot: Snapshot) -> bool:
        """Whether no claim has come back empty since the snapshot was read."""
        return self._empty.get(key, 0.0) < snapshot.at
