"""A sending loop that only notes for which shards it may send; `python -m` holds slices in a process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from core.sending.sharing.slices import SharedAssignment


class ShardsHeld:
    def __init__(self) -> None:
        self.held: set[int] = set()
        self.taken: Counter[int] = Counter()
        self.busy: set[int] = set()  # shards that have something to send
        self.on_first_take: Callable[[], object] = lambda: None

    def take(self, shard: int, until: float) -> None:
        if not self.taken:
            self.on_first_take()
        self.held.add(shard)
        self.taken[shard] += 1

    def give_up(self, shard: int) -> None:
        self.held.discard(shard)

    def has_work(self, shard: int) -> bool:
        return shard in self.busy


if __name__ == "__main__":
    loop = ShardsHeld()
    loop.busy = set(range(32))
    SharedAssignment(loop, lambda: True).start()
    threading.Event().wait()
