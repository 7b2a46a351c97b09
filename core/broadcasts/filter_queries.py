"""What the filters of an audience can be set to: entry points, wordings and languages, with their people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, literal, select
from sqlmodel import col

from core.consent import eligibility
from core.consent.audience_filters import IMPORTED, MOST_CHOICES, AudienceFilters
from core.consent.rules import OptInSource, OptInState
from core.customers.tags import list_tags
from core.db.engine import reading
from core.db.tables import Customer, OptIn, Request, Topic
from core.db.timed_cache import remember


@dataclass(frozen=True)
class Choices:
    """Each with the number of opt-ins or customers behind it, the most first."""

    entries: dict[tuple[str, str], int]
    wordings: dict[str, int]
    languages: dict[str, int]
    tags: dict[int, str]  # id: name


def list_choices(topic_id: int) -> Choices:
    """What there is to choose from among the available opt-ins for a topic; as counted last, where counting
    takes long."""
    return remember(("choices", topic_id), lambda: _count_choices(topic_id))


def _count_choices(topic_id: int) -> Choices:
    held = col(OptIn.topic_id) == topic_id, col(OptIn.state) == OptInState.AVAILABLE
    imported = col(OptIn.source) == OptInSource.IMPORT.value
    kind = case((imported, literal(IMPORTED[0])), else_=func.coalesce(col(Request.entry_kind), ""))
    value = case((imported, literal(IMPORTED[1])), else_=func.coalesce(col(Request.entry_value), ""))
    through = (
        select(kind.label("kind"), value.label("value"))
        .select_from(OptIn)
        .outerjoin(Request, col(Request.id) == col(OptIn.request_id))
        .where(*held)
        .subquery()
    )
    spoken = (
        select(func.substr(func.coalesce(col(Customer.locale), ""), 1, 2).label("language"))
        .join(OptIn, col(OptIn.customer_id) == col(Customer.id))
        .where(*held)
        .subquery()
    )
    people, most = func.count().label("people"), MOST_CHOICES
    entries = select(through.c.kind, through.c.value, people).group_by(through.c.kind, through.c.value)
    wordings = select(col(OptIn.promise), people).where(*held).group_by(col(OptIn.promise))
    languages = select(spoken.c.language, people).group_by(spoken.c.language)
    with reading() as db:
        of_fanpage = db.get_one(Topic, topic_id).fanpage_id
        found = [
            db.execute(each.order_by(people.desc()).limit(most)).all()
            for each in (entries, wordings, languages)
        ]
    return Choices(
        {(kind, value): count for kind, value, count in found[0] if (kind, value) != ("", "")},
        {promise: count for promise, count in found[1] if promise},
        dict(tuple(row) for row in found[2]),
        {tag.id: tag.name for tag in list_tags(of_fanpage)},
    )


def count_left_after(topic_id: int, first: AudienceFilters, then: AudienceFilters, *, now: datetime) -> int:
    """How many a second broadcast on the topic would reach once the first has used its opt-ins; as counted
    last, where that takes long."""
    key = ("left after", topic_id, first, then)
    return remember(key, lambda: _count_left_after(topic_id, first, then, now))


def _count_left_after(topic_id: int, first: AudienceFilters, then: AudienceFilters, now: datetime) -> int:
    taken = select(eligibility.chosen_opt_ins(topic_id, now, filters=first).subquery().c.id)
    left = eligibility.chosen_opt_ins(topic_id, now, col(OptIn.id).not_in(taken), filters=then).subquery()
    with reading() as db:
        return int(db.execute(select(func.count()).select_from(left)).scalar_one())
