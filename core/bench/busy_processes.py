"""Other programs that a benchmark shares the machine with."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_beside(count: int) -> Iterator[None]:
    """So many processes that use a processor each for nothing."""
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
    """As long as the benchmark lives, should it be killed."""
    parent = os.getppid()
    while os.getppid() == parent:
        pass
