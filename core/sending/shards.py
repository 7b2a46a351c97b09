"""Fanpages in a fixed number of shards: what worker processes share among themselves."""

SHARDS = 32


def shard_of(fanpage_id: int) -> int:
    """The shard of a fanpage, from 0 to 31; the work snapshot reckons it in SQL by the same rule."""
    return fanpage_id % SHARDS
