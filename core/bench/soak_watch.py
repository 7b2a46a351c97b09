"""Looks at processes while a soak runs: memory, threads and open files over time (Linux)."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LINES = {
    "mb": re.compile(r"^VmRSS:\s+(\d+)", re.MULTILINE),
    "threads": re.compile(r"^Threads:\s+(\d+)", re.MULTILINE),
}
SETTLED = 0.3  # so much of the time a process is given to fill its caches
HOUR = 3600.0
ERRORS = {"error", "critical"}


@dataclass
class Watched:
    """One process, and what was seen of it: seconds, and each figure then."""

    name: str
    pid: int
    seen: list[tuple[float, dict[str, float]]] = field(default_factory=list)

    def look(self, at: float) -> None:
        """Note its figures. One that has ended is left alone."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
            files = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        except OSError:
            return
        found = {name: pattern.search(status) for name, pattern in _LINES.items()}
        figures = {name: float(match[1]) for name, match in found.items() if match}
        if "mb" in figures:
            figures["mb"] = round(figures["mb"] / 1024, 1)
            self.seen.append((at, {**figures, "files": float(files)}))

    def figures(self) -> dict[str, Any]:
        """Where each figure began and ended, and by how much it grew in an hour once the process had
        settled."""
        row: dict[str, Any] = {"process": self.name}
        for name in ("mb", "threads", "files"):
            points = [(at, each[name]) for at, each in self.seen]
            row[f"{name}_first"], row[f"{name}_last"] = points[0][1], points[-1][1]
            settled = [
                point
                for point in points
                if point[0] >= points[0][0] + SETTLED * (points[-1][0] - points[0][0])
            ]
            row[f"{name}_growth_per_hour"] = round(_slope(settled) * HOUR, 1)
        return row


def _slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line that lies nearest."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def children_of(pid: int, names: Mapping[str, str]) -> list[Watched]:
    """The processes that a process has started; what stands in their command line gives the name."""
    found = []
    for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        line = Path(f"/proc/{each}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        found += [Watched(name, int(each)) for part, name in names.items() if part in line]
    return found


def count_errors(folder: Path) -> dict[str, int]:
    """How often which event was logged as an error, by all processes whose logs lie there."""
    counted: Counter[str] = Counter()
    for file in folder.glob("*.log"):
        for line in file.read_text("utf-8", errors="replace").splitlines():
            counted.update(_error_in(line, file.stem))
    return dict(counted)


def _error_in(line: str, process: str) -> list[str]:
    if not line.startswith("{"):
        return [f"{process}: traceback"] if line.startswith("Traceback") else []
    try:
        said = json.loads(line)
    except ValueError:
        return []
    return [f"{process}: {said.get('event')}"[:120]] if said.get("level") in ERRORS else []


class Pacer:
    """Lets something be done every so many seconds."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._next_at = time.monotonic()

    def is_due(self) -> bool:
        """Whether it is to be done now; then not again before its time."""
        if time.monotonic() < self._next_at:
            return False
        self._next_at += self._every
        return True
