"""The funnel of a topic: of those asked, how many have seen it, tapped, were notified, read and followed a
link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from core.db.engine import reading
from core.db.tables import FunnelCount, FunnelDay, Topic
from core.funnel.counting import FIGURES
from core.funnel.rules import Half, Split, WordingTest


@dataclass(frozen=True)
class Figures:
    """Of so many requests, how many came so far. Each is at most the one before it."""

    asked: int = 0
    seen: int = 0
    tapped: int = 0
    notified: int = 0
    read: int = 0
    clicked: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(*[getattr(self, each.name) + getattr(other, each.name) for each in fields(Figures)])


@dataclass(frozen=True)
class Part:
    """The figures of requests that are alike; `key` says in what: a wording, (kind, value), a day."""

    key: tuple[str, ...]
    figures: Figures


@dataclass(frozen=True)
class Funnel:
    """A topic's funnel, and when it was counted; None: not yet."""

    counted_at: datetime | None
    total: Figures
    parts: tuple[Part, ...]  # the largest first; days in their order


_COLUMNS = {
    Split.NOTHING: (),
    Split.WORDING: ("title",),
    Split.ENTRY_POINT: ("entry_kind", "entry_value"),
    Split.DAY: ("day",),
}


def topic_funnel(topic_id: int, *, split: Split = Split.NOTHING, since: str | None = None) -> Funnel:
    """The funnel of what was asked since that day (as 2026-11-30), in parts that are alike."""
    alike = [getattr(FunnelDay, name) for name in _COLUMNS[split]]
    sums = [func.sum(getattr(FunnelDay, name)) for name in FIGURES]
    statement = select(*alike, *sums).where(col(FunnelDay.topic_id) == topic_id).group_by(*alike)
    if since:
        statement = statement.where(col(FunnelDay.day) >= since)
    counted = (
        select(col(FunnelCount.counted_at))
        .join(Topic, col(Topic.fanpage_id) == col(FunnelCount.fanpage_id))
        .where(col(Topic.id) == topic_id)
    )
    with reading() as db:
        found = db.execute(statement).all()
        counted_at = db.execute(counted).scalar_one_or_none()
    parts = [_part(row, len(alike)) for row in found if row[-len(FIGURES)]]
    in_order = sorted(parts, key=_by_day if split == Split.DAY else _by_size)
    return Funnel(counted_at, sum((part.figures for part in parts), Figures()), tuple(in_order))


def top_entry_points(fanpage_id: int, *, since: str, limit: int = 5) -> list[Part]:
    """Through which entry points most customers agreed since that day: (kind, value) and its figures."""
    alike = [col(FunnelDay.entry_kind), col(FunnelDay.entry_value)]
    sums = [func.sum(getattr(FunnelDay, name)) for name in FIGURES]
    statement = (
        select(*alike, *sums)
        .where(col(FunnelDay.fanpage_id) == fanpage_id, col(FunnelDay.day) >= since)
        .group_by(*alike)
        .order_by(func.sum(col(FunnelDay.tapped)).desc(), func.sum(col(FunnelDay.asked)).desc())
        .limit(limit)
    )
    with reading() as db:
        return [_part(row, len(alike)) for row in db.execute(statement)]


def wording_tests(topic_id: int) -> list[WordingTest]:
    """The tests of two wordings of a topic, the one with most people first."""
    columns = [getattr(FunnelDay, name) for name in ("test", "variant", "title")]
    sums = [func.sum(col(FunnelDay.asked)), func.sum(col(FunnelDay.tapped)), func.min(col(FunnelDay.day))]
    statement = (
        select(*columns, *sums)
        .where(col(FunnelDay.topic_id) == topic_id, col(FunnelDay.test) != "")
        .group_by(*columns)
    )
    halves: dict[str, dict[str, Half]] = {}
    with reading() as db:
        for test, variant, title, asked, tapped, since in db.execute(statement):
            halves.setdefault(test, {})[variant] = Half(title, asked, tapped, since)
    found = [WordingTest(of["a"], of["b"]) for of in halves.values() if of.keys() == {"a", "b"}]
    return sorted(found, key=lambda test: -(test.a.asked + test.b.asked))


def _part(row: Sequence[object], columns: int) -> Part:
    return Part(tuple(str(value) for value in row[:columns]), Figures(*_whole(row[columns:])))


def _whole(values: Iterable[object]) -> list[int]:
    return [int(str(value or 0)) for value in values]


def _by_size(part: Part) -> tuple[int, tuple[str, ...]]:
    return -part.figures.asked, part.key


def _by_day(part: Part) -> tuple[int, tuple[str, ...]]:
    return 0, part.key
