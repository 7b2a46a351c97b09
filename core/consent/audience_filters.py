"""Whom of a topic a broadcast chooses: the filters that staff set beside the topic (pure).

What each of them means for a customer and an opt-in is in filter_reasons.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.errors import N_, Problem, problem

MOST_DAYS = 365
MOST_CHOICES = 200
IMPORTED = ("import", "")  # stands among the entry points for opt-ins of an imported file


@dataclass(frozen=True)
class AudienceFilters:
    """Empty fields choose everybody. Several values of one field: one of them is enough."""

    agreed_from: datetime | None = None
    agreed_before: datetime | None = None
    entries: tuple[tuple[str, str], ...] = ()  # kind and value of the entry point they agreed through
    wordings: tuple[str, ...] = ()  # promises
    wrote_days: int = 0  # wrote or tapped within so many days
    quiet_days: int = 0  # got no broadcast within so many days
    tags: tuple[int, ...] = ()  # ids; one that was deleted since fits nobody
    languages: tuple[str, ...] = ()  # "vi" for vi_VN; "" for customers whose language is not known

    def __bool__(self) -> bool:
        return self != EVERYBODY

    def as_json(self) -> dict[str, Any]:
        """The filters as the database keeps them: only what is set."""
        usual = asdict(EVERYBODY)
        return {
            name: value.isoformat() if isinstance(value, datetime) else _plain(value)
            for name, value in asdict(self).items()
            if value != usual[name]
        }


EVERYBODY = AudienceFilters()


def filters_of(kept: Mapping[str, Any] | None) -> AudienceFilters:
    """The filters that the database keeps so."""
    kept = kept or {}
    return AudienceFilters(
        agreed_from=_time(kept.get("agreed_from")),
        agreed_before=_time(kept.get("agreed_before")),
        entries=tuple((str(kind), str(value)) for kind, value in kept.get("entries", ())),
        wordings=tuple(kept.get("wordings", ())),
        wrote_days=int(kept.get("wrote_days", 0)),
        quiet_days=int(kept.get("quiet_days", 0)),
        tags=tuple(int(each) for each in kept.get("tags", ())),
        languages=tuple(kept.get("languages", ())),
    )


def check_filters(filters: AudienceFilters) -> list[Problem]:
    """What is wrong with filters that somebody wants to set."""
    found = []
    if not (0 <= filters.wrote_days <= MOST_DAYS and 0 <= filters.quiet_days <= MOST_DAYS):
        found.append(problem("filters", N_("Choose 0 to {most} days; 0 means no filter."), most=MOST_DAYS))
    if filters.agreed_from and filters.agreed_before and filters.agreed_before <= filters.agreed_from:
        found.append(problem("filters", N_("The last day of “agreed” is before the first one.")))
    if max(map(len, (filters.entries, filters.wordings, filters.tags, filters.languages))) > MOST_CHOICES:
        found.append(problem("filters", N_("Choose at most {most} at a time."), most=MOST_CHOICES))
    return found


def _time(kept: str | None) -> datetime | None:
    return datetime.fromisoformat(kept) if kept else None


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
