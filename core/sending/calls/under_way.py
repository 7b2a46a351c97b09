"""The calls of a sending loop from their plan until they come back: planned, on the wire, returned."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor

import structlog

from core.db.engine import DATABASE_TROUBLE
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.sending import timetable
from core.sending.calls.grouping import Call, PlannedMessage, Returned, grouped, with_replies_first
from core.sending.calls.runner import YOUNG_SECONDS, CallRunner
from core.sending.calls.schedule import CallSchedule
from core.sending.calls.silent_fanpages import SilentFanpages
from core.sending.claiming import ClaimedBatch
from core.sending.replies.claims import ReplyClaim
from core.sending.senders.sender import Claim
from core.sending.work_snapshot import WorkSnapshots

log = structlog.get_logger(__name__)


class CallsUnderWay:
    """Plans calls, lets each leave at its moment in one of `call_threads`, and keeps what came back until
    the loop takes it. `on_reply` is called when a reply came back: the customer's next one waits for that."""

    def __init__(
        self,
        runner: CallRunner,
        snapshots: WorkSnapshots,
        call_threads: Executor,
        mixed_calls: MixedCallSwitch,
        on_reply: Callable[[], None],
    ) -> None:
        self._runner = runner
        self._snapshots = snapshots
        self._call_threads = call_threads
        self._mixed_calls = mixed_calls
        self._on_reply = on_reply
        self._silence = SilentFanpages()
        self._returned: deque[tuple[Call, list[Returned]]] = deque()  # filled by the call threads
        self._count = 0  # planned or on the wire, or not taken yet
        self.schedule = CallSchedule[Call](self._set_out)

    def __len__(self) -> int:
        return self._count

    def plan(self, batches: Sequence[ClaimedBatch], *, known_delay: float) -> list[int]:
        """Group what was claimed into calls and plan when they leave, replies before the broadcast messages
        that wait. `known_delay`: see CallSchedule.add.

        What cannot be planned comes back as it is: a fanpage's messages, and those that gave way to them.
        Returns the ids of these fanpages.
        """
        planned: list[PlannedMessage] = []
        try:
            planned = _planned(batches)
            if any(isinstance(each.claim, ReplyClaim) for each in planned):
                planned = self._replies_first(planned)
            self.add(grouped(planned, groups=self._groups(batches)), known_delay=known_delay)
        except Exception:
            log.exception("calls_not_planned", fanpage_ids=[each.request.fanpage_id for each in batches])
            own = {id(claim) for each in batches for claim in each.claims}
            self._keep_here([each.claim for each in planned if id(each.claim) not in own])
            if len(batches) == 1:
                self._keep_here(batches[0].claims)
                return [batches[0].request.fanpage_id]
            middle = len(batches) // 2
            halves = batches[:middle], batches[middle:]
            return [each for half in halves for each in self.plan(half, known_delay=known_delay)]
        return []

    def add(self, calls: Sequence[tuple[float, Call]], *, known_delay: float) -> None:
        """Plan calls, each with the monotonic time at which it leaves."""
        self._silence.note_planned(calls)
        self.schedule.add(calls, known_delay=known_delay)
        self._count += len(calls)

    def recall(self) -> None:
        """Let the calls that have not left come back as they are."""
        self._returned.extend((call, list(call)) for call in self.schedule.recall())

    def take_returned(self) -> Iterator[tuple[Call, list[Returned]]]:
        """Each call that came back since the last time, with what became of its messages."""
        while self._returned:
            call, returned = self._returned.popleft()
            self._count -= 1
            self._silence.note_returned(call)
            yield call, returned

    def _keep_here(self, claims: Sequence[Claim | ReplyClaim]) -> None:
        """Let these come back as they are, although they are in no call."""
        calls: tuple[Call, Call] = (
            [each for each in claims if isinstance(each, Claim)],
            [each for each in claims if isinstance(each, ReplyClaim)],
        )
        for call in calls:
            if call:
                self._returned.append((call, list(call)))
                self._count += 1

    def _replies_first(self, planned: list[PlannedMessage]) -> list[PlannedMessage]:
        """The same messages, in which replies have taken the send slots of broadcast messages that wait."""
        found = list[PlannedMessage]()
        for call in self.schedule.change(
            lambda waiting: found.extend(with_replies_first(planned, waiting, now=time.monotonic()))
        ):
            self._count -= 1
            self._silence.note_dropped(call)
        return found

    def _groups(self, batches: Sequence[ClaimedBatch]) -> dict[int, int]:
        """Which fanpages share calls: none where the platform or a setting is against it."""
        if self._mixed_calls.allowed():
            return self._silence.groups()
        return {each.request.fanpage_id: each.request.fanpage_id for each in batches}

    def _set_out(self, call: Call) -> None:
        """Give a call to the pool; runs in the thread of the schedule. An old work snapshot is read again,
        so that a pause takes effect also while the loop waits for the database. A read that takes long delays
        the calls behind it."""
        try:
            self._snapshots.fresh(YOUNG_SECONDS)
        except DATABASE_TROUBLE as problem:
            log.warning("database_unavailable", error=type(problem).__name__)
        except Exception:  # the runner lets nothing leave on an old snapshot; the claims are handed back
            log.exception("snapshot_failed")
        self._call_threads.submit(self._carry, call)

    def _carry(self, call: Call) -> None:
        """Make a call and queue its outcomes for the loop; runs in a thread of the pool."""
        returned: list[Returned] = []
        try:
            returned = self._runner.carry(call)
        except Exception:  # what was claimed is taken over when its lease has run out
            log.exception("call_failed")
        self._returned.append((call, returned))
        if isinstance(call[0], ReplyClaim):
            self._on_reply()


def _planned(batches: Sequence[ClaimedBatch]) -> list[PlannedMessage]:
    return [
        PlannedMessage(timetable.tick(at, each.request.demand.rate), claim)
        for each in batches
        for at, claim in zip(each.times, each.claims, strict=True)
    ]
