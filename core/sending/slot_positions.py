"""Keeps where each fanpage stands in its send slots: as its rate row said, and what was claimed since."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from core.sending import timetable
from core.sending.timetable import SlotPosition
from core.sending.work_snapshot import FanpageWork


class SlotPositions:
    """The positions of one sending loop, in monotonic seconds. One of a fanpage is known when the next free
    slot of its rate row (`stored`, in seconds since 1970) is known as well."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._stored: dict[int, float] = {}
        self.delay = 0.0  # of the departures, as far as it is part of the positions
        self.by_fanpage: dict[int, SlotPosition] = {}

    def __contains__(self, fanpage_id: int) -> bool:
        return fanpage_id in self._stored

    def stored(self, fanpage_id: int) -> float:
        """The next free slot that the fanpage's rate row is known to have."""
        return self._stored[fanpage_id]

    def note(self, fanpage_id: int, position: SlotPosition, *, stored: float) -> None:
        """Remember where a fanpage stands after a claim."""
        self.by_fanpage[fanpage_id], self._stored[fanpage_id] = position, stored

    def forget(self, fanpage_ids: Iterable[int]) -> None:
        """Let the next snapshot say where these stand. What was planned for them leaves all the same, so
        `not_before` of their positions stays."""
        for fanpage_id in fanpage_ids:
            self._stored.pop(fanpage_id, None)

    def known(self) -> list[int]:
        """The fanpages whose position is known."""
        return list(self._stored)

    def put_off(self, delay: float) -> None:
        """Everything planned leaves later by now than it was planned at first, by so many seconds in all."""
        if later := delay - self.delay:
            self.by_fanpage = {
                key: timetable.delayed(position, later) for key, position in self.by_fanpage.items()
            }
            self.delay = delay

    def read(self, works: Mapping[int, FanpageWork]) -> None:
        """Take from the rate rows of a snapshot where those fanpages stand that are not known."""
        ahead = time.monotonic() - self._clock().timestamp()
        for fanpage_id, work in works.items():
            if fanpage_id not in self:
                before = self.by_fanpage.get(fanpage_id, SlotPosition(0.0))
                position = replace(before, slot=work.next_slot + ahead)
                self.note(fanpage_id, position, stored=work.next_slot)
