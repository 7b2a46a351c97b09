"""Real processes of ours, as a person would start them; each is ended by its own pid."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def process(*arguments: str, log: Path, **settings: str) -> Iterator[subprocess.Popen]:
    """`python ARGUMENTS` beside this test, with these OTN_ settings; its output goes to a file."""
    environment = {**os.environ, **settings, "PYTHONPATH": str(HOME)}
    with log.open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=log.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
        try:
            started.wait(timeout=15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def until(condition: Callable[[], object], *, seconds: float = 60, what: str = "") -> None:
    """Look again and again until it is so; a test fails by this deadline, never passes by waiting."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
