"""Shards of fanpages: what a worker process has, or has not, the right to send for."""

from __future__ import annotations

from typing import Protocol

SHARDS = 32


def shard_of(fanpage_id: int) -> int:
    return fanpage_id % SHARDS


class Shards(Protocol):
    """The sending loop, as seen by whoever tells it for which fanpages it may send."""

    def take(self, shard: int, until: float) -> None:
        """From now to this monotonic time this process may claim what the shard's fanpages have to send.
        Taking a shard again extends the time."""

    def release(self, shard: int) -> None:
        """Nothing more is claimed for the shard from here on; what was claimed is sent and settled."""

    def has_work(self, shard: int) -> bool:
        """Whether the last work snapshot had something to send for the shard."""
