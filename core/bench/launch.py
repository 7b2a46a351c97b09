"""`bench launch`: how long building an audience takes, until the first message may be sent and until the last
opt-in is reserved."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from core.bench.databases import fresh_database
from core.bench.measure import measure_work
from core.db import migrations
from core.deliveries.rules import DeliveryState

ENDED = 900  # seconds after which a size is given up


def run(*, sizes: list[int], postgresql_url: str | None) -> dict[str, Any]:
    """Measure each size on a new SQLite file, and on a new database of the PostgreSQL server if
    one is named."""
    return {"results": list(_results(sizes, postgresql_url or ""))}


def _results(sizes: list[int], postgresql_url: str) -> Iterator[dict[str, Any]]:
    for database in ("SQLite", *(["PostgreSQL"] if postgresql_url else [])):
        for people in sizes:
            command = [sys.executable, "-m", "core.bench.launch", str(people)]
            done = subprocess.run(
                command,
                input=postgresql_url if database == "PostgreSQL" else "",
                capture_output=True,
                text=True,
                timeout=ENDED,
                check=False,
            )
            row = {"database": database, "people": people}
            if done.returncode != 0:
                yield {**row, "failed": (done.stderr.strip().splitlines() or ["failed"])[-1][:200]}
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            yield {
                **row,
                "seconds_to_first": round(found["to_first"], 2),
                "seconds": round(found["seconds"], 2),
                "cpu_seconds": round(found["cpu_seconds"], 2),
                "peak_mb": round(found["peak_mb"]),
            }


def main() -> None:
    """Measure one size in this process. The server's address comes by standard input, so that no list of
    processes shows it."""
    with fresh_database(sys.stdin.read().strip() or None):
        migrations.upgrade()
        sys.stdout.write(json.dumps(_measured(int(sys.argv[1]))) + "\n")


def _measured(people: int) -> dict[str, float]:
    from core.accounts.rules import COMMAND_LINE
    from core.bench.audience_fixtures import create_audience
    from core.broadcasts import actions, audience_builder, scheduled_jobs
    from core.broadcasts.queries import get_broadcast
    from core.clock import utc_now

    _, topic_id = create_audience(people)
    content = {"kind": "text", "text": "Hàng mới đã về!"}
    broadcast_id = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=utc_now())
    actions.launch(COMMAND_LINE, broadcast_id, now=utc_now())
    started: list[float] = []

    def launch() -> None:
        began = time.perf_counter()
        scheduled_jobs.start_due(now=utc_now())
        started.append(time.perf_counter() - began)
        audience_builder.build_audiences(utc_now)

    found = measure_work(launch, people) | {"to_first": started[0]}
    built = get_broadcast(broadcast_id).counts[DeliveryState.QUEUED]
    if built != people:
        raise SystemExit(f"{built} of {people} deliveries were built")
    return found


if __name__ == "__main__":
    main()
