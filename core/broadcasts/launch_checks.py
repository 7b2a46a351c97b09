"""What keeps a fanpage from launching, resuming or retrying a broadcast, in the panel and on the command
line. What keeps the clock from starting what was launched: `may_start` in due.py."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from core.broadcasts.launch_rules import LaunchRules, is_number_of
from core.consent import eligibility
from core.consent.audience_filters import filters_of
from core.db import holding
from core.db.tables import Broadcast, Fanpage
from core.errors import N_, Invalid, WrongState, problem
from core.fanpages.rules import why_red


def refuse_unable(db: Session, fanpage_id: int) -> None:
    """Raise WrongState when nothing of the fanpage could go out now."""
    refuse_red(db, fanpage_id)
    refuse_stopped(db, fanpage_id)


def refuse_red(db: Session, fanpage_id: int) -> None:
    """Raise WrongState when the set-up of the fanpage shows red, by its latest check, or OTN is off."""
    fanpage = db.get_one(Fanpage, fanpage_id)
    if reason := why_red(fanpage.problems, otn_is_off=fanpage.otn_off_at is not None):
        raise WrongState(reason)


def refuse_stopped(db: Session, fanpage_id: int) -> None:
    """Raise WrongState while staff have stopped every send, or Messenger has stopped the fanpage. What is
    scheduled for later may wait for the end of either."""
    holding.refuse_if_stopped(db)
    if db.get_one(Fanpage, fanpage_id).stopped_code:
        raise WrongState(
            N_(
                "Messenger is not accepting messages from this fanpage; fix it under Set-up to "
                "continue sending."
            )
        )


def refuse_other_number(
    db: Session, broadcast: Broadcast, rules: LaunchRules, typed: int | None, start: datetime
) -> None:
    """Raise Invalid when the fanpage asks for the number of people and another one, or none, was typed."""
    if not rules.count_typed_above:
        return
    customers = eligibility.reasons_of_customers(broadcast.topic_id, start, filters_of(broadcast.filters))
    reached = select(func.count()).select_from(customers).where(customers.c.reason == eligibility.ELIGIBLE)
    people = int(db.execute(reached).scalar_one())
    if rules.needs_number(people) and not is_number_of(people, typed):
        words = N_(
            "It would reach {people} people. On this fanpage you have to type that number to launch it."
        )
        raise Invalid([problem("people", words, people=people)])
