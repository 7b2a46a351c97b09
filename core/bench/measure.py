"""Measures work in this process: seconds, processor seconds, and peak memory.

It imports nothing of ours, so that public clients are measured by the same code.
"""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
RESET_PEAK = "5"  # proc(5), clear_refs


def measure_work(work: Callable[[], object], messages: int) -> dict[str, float]:
    """Do the work and return its figures."""
    with suppress(OSError):  # not on Linux: the peak then counts what came before, too
        Path("/proc/self/clear_refs").write_text(RESET_PEAK, encoding="ascii")
    cpu, began = time.process_time(), time.perf_counter()
    work()
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "messages": messages,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    """The peak memory. Not by ru_maxrss on Linux, because a child process begins with that of its parent."""
    try:
        found = _PEAK.search(Path("/proc/self/status").read_text(encoding="ascii"))
    except OSError:
        found = None
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
