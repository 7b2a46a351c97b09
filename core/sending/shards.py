"""Shards of fanpages: the parts that worker processes share the sending in."""

from __future__ import annotations

from typing import Protocol


class Shards(Protocol):
    """The sending loop, as seen by whoever tells it for which fanpages it may send."""

    def take(self, shard: int, until: float) -> None:
        """Let this process claim what the shard's fanpages have to send, from now to this monotonic time.
        Taking a shard again extends the time."""

    def release(self, shard: int) -> None:
        """Claim nothing more for the shard; what was claimed is still sent and settled."""

    def has_work(self, shard: int) -> bool:
        """Whether the latest work snapshot had something to send for the shard."""
