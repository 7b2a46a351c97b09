"""How often the customers of a fanpage are asked and written to: the usual limits, and what may be set.

A new fanpage has the usual ones: core/db/tables/fanpages.py names the same, which a test compares."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta

from core.errors import N_, Problem, problem

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class ContactLimits:
    """The limits of one fanpage, named as the columns of its row. 0 means that there is no such limit."""

    ask_cool_down_days: int = 7  # so long nobody is asked again who did not answer a request for the topic
    asks_a_day: int = 2  # requests to one customer within 24 hours, whatever their topics
    asks_holders: bool = False  # whether who holds an opt-in for the topic is asked for another one
    broadcasts_a_week: int = 2  # broadcasts to one customer within seven days, whatever their topics
    silent_hours: int = 12  # so long the bot is silent after a colleague has answered


USUAL = ContactLimits()
NAMES = tuple(field.name for field in fields(ContactLimits))
MOST = {"ask_cool_down_days": 365, "asks_a_day": 50, "broadcasts_a_week": 50, "silent_hours": 24 * 30}


def limits_of(row: object) -> ContactLimits:
    """The limits that a fanpage's row holds."""
    return ContactLimits(**{name: getattr(row, name) for name in NAMES})


def check_limits(limits: ContactLimits) -> list[Problem]:
    """What is wrong with limits that somebody wants to set."""
    words = N_("Choose a number from 0 to {most}; 0 means no limit.")
    return [
        problem(name, words, most=most)
        for name, most in MOST.items()
        if not 0 <= getattr(limits, name) <= most
    ]
