"""Consent as a state machine: what an opt-in is worth, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import N_, Problem, problem
from core.text.normalise import is_blank
from core.text.utf16_units import length

# One year from the tap (Messenger Platform guide, one-time notification); a day less, so that clocks that
# disagree and a send that takes a while never meet the platform's own limit.
LIFETIME = timedelta(days=365)
SAFETY_MARGIN = timedelta(days=1)
TOPIC_NAME_LIMIT = 80


class OptInState(StrEnum):
    AVAILABLE = "available"  # may be used once
    RESERVED = "reserved"  # by one delivery
    SPENT = "spent"  # the platform took it
    EXPIRED = "expired"  # its year is over
    WITHDRAWN = "withdrawn"  # the customer asked to be forgotten or opted out
    REFUSED = "refused"  # the platform refused it on a first attempt; staff may make it available again


NEXT_STATES: dict[OptInState, frozenset[OptInState]] = {
    OptInState.AVAILABLE: frozenset({OptInState.RESERVED, OptInState.EXPIRED, OptInState.WITHDRAWN}),
    OptInState.RESERVED: frozenset(
        {OptInState.SPENT, OptInState.AVAILABLE, OptInState.WITHDRAWN, OptInState.REFUSED}
    ),
    OptInState.REFUSED: frozenset({OptInState.AVAILABLE, OptInState.WITHDRAWN}),
    OptInState.SPENT: frozenset(),
    OptInState.EXPIRED: frozenset(),
    OptInState.WITHDRAWN: frozenset(),
}


class OptInSource(StrEnum):
    WEBHOOK = "webhook"
    IMPORT = "import"


class ImportState(StrEnum):
    """How far an import is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the file could not be read at all
    UNDONE = "undone"


class WithdrawalSource(StrEnum):
    """How a person's no reached us."""

    KEYWORD = "keyword"  # they wrote one of the fanpage's stop words
    BUTTON = "button"
    STAFF = "staff"
    COMMAND_LINE = "command_line"


def expires_at(consented_at: datetime) -> datetime:
    """The last moment we would use an opt-in given at `consented_at`."""
    return consented_at + LIFETIME - SAFETY_MARGIN


def check_topic_name(name: str) -> list[Problem]:
    if is_blank(name):
        return [problem("name", N_("Give the topic a name."))]
    if length(name) > TOPIC_NAME_LIMIT:
        return [
            problem(
                "name", N_("The name of a topic can have at most {limit} characters."), limit=TOPIC_NAME_LIMIT
            )
        ]
    return []
