"""Reads the imports of a fanpage: how far each is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from core.consent.rules import ImportState
from core.db.engine import reading
from core.db.tables import OptInImport, Topic
from core.errors import Problem, problem


@dataclass(frozen=True)
class ImportView:
    id: int
    topic: str
    file_name: str
    state: str
    by: str
    rows: int
    done: int
    imported: int
    duplicates: int
    rejected: tuple[tuple[int, Problem], ...]
    rejected_count: int
    problems: tuple[Problem, ...]
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def is_under_way(self) -> bool:
        return self.state in (ImportState.WAITING, ImportState.RUNNING)

    def seconds_left(self, now: datetime) -> float | None:
        """How long the rest takes at the speed so far; None while nobody can know."""
        if self.started_at is None or not self.done or not self.is_under_way:
            return None
        return (now - self.started_at).total_seconds() / self.done * (self.rows - self.done)


def list_imports(fanpage_id: int, *, limit: int = 5) -> list[ImportView]:
    """The latest imports of a fanpage, the newest first."""
    wanted = (
        select(OptInImport, col(Topic.name))
        .join(Topic, col(Topic.id) == col(OptInImport.topic_id))
        .where(col(OptInImport.fanpage_id) == fanpage_id)
        .order_by(col(OptInImport.id).desc())
        .limit(limit)
    )
    with reading() as db:
        return [_view(row, topic) for row, topic in db.execute(wanted)]


def _view(row: OptInImport, topic: str) -> ImportView:
    said = (row.problem or {}).get("said", [])
    return ImportView(
        id=row.id or 0,
        topic=topic,
        file_name=row.file_name,
        state=row.state,
        by=row.operator,
        rows=row.rows,
        done=row.done,
        imported=row.imported,
        duplicates=row.duplicates,
        rejected=tuple((bad["row"], _problem(bad)) for bad in row.rejected),
        rejected_count=row.rejected_count,
        problems=tuple(map(_problem, said)),
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _problem(kept: dict[str, Any]) -> Problem:
    return problem("file", kept["template"], **kept["values"])
