"""Processes that keep processors busy while a benchmark runs."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_beside(count: int) -> Iterator[None]:
    """Run so many processes, each of which keeps a processor busy, while the block lasts."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_use_a_processor, daemon=True) for _ in range(count)]
    for each in started:
        each.start()
    try:
        yield
    finally:
        for each in started:
            each.terminate()
            each.join()


def _use_a_processor() -> None:
    """Keep a processor busy for as long as the benchmark lives, also when it is killed."""
    parent = os.getppid()
    while os.getppid() == parent:
        pass
