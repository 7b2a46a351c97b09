"""Notices fanpages whose calls are not answered: meanwhile they share no call, lest others wait with them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from core.sending.calls.grouping import Call

SILENT_SECONDS = 2.5  # longer than an answer takes on a busy machine, half of what may be in flight
# So many are tried by themselves at a time. A call for each fanpage is dear: a machine that is too busy to
# hear the answers in time must not get busier by that.
TRIED_ALONE = 10
OTHERS = -1  # the group of those that are silent, too, and have to wait for that


class SilentFanpages:
    """Of the calls of one sending loop. A platform that is slow with everybody is not silent: answers to
    earlier calls keep coming."""

    def __init__(self) -> None:
        self._unanswered: dict[int, tuple[float, Call]] = {}  # with the moment at which each leaves
        self._answered_at: dict[int, float] = {}  # by fanpage, monotonic

    def note_planned(self, calls: Sequence[tuple[float, Call]]) -> None:
        self._unanswered.update({id(call): (at, call) for at, call in calls})

    def note_dropped(self, call: Call) -> None:
        """The call never leaves: all of its messages were moved to others."""
        self._unanswered.pop(id(call), None)

    def note_returned(self, call: Call) -> None:
        self._unanswered.pop(id(call), None)
        self._answered_at.update(dict.fromkeys([claim.fanpage_id for claim in call], time.monotonic()))

    def groups(self) -> dict[int, int]:
        """With whom silent fanpages may share calls, as numbers: some have one of their own, and leave the
        silent ones when it is answered; the others share calls among themselves."""
        silent = sorted(self._silent())
        alone = random.sample(silent, min(TRIED_ALONE, len(silent)))
        return {**dict.fromkeys(silent, OTHERS), **{fanpage_id: fanpage_id for fanpage_id in alone}}

    def _silent(self) -> set[int]:
        """Fanpages with a call that left long ago and nothing that was answered since."""
        late = time.monotonic() - SILENT_SECONDS
        return {
            claim.fanpage_id
            for at, call in self._unanswered.values()
            if at < late
            for claim in call
            if self._answered_at.get(claim.fanpage_id, 0.0) < at
        }
