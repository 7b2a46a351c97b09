"""What there are templates of, and how they are named (pure)."""

from __future__ import annotations

from enum import StrEnum

from core.errors import N_, Invalid, problem
from core.text.normalise import normalise_name
from core.text.utf16_units import length

NAME_LIMIT = 120


class TemplateKind(StrEnum):
    BROADCAST = "broadcast"
    MESSAGE = "message"


def clean_name(name: str) -> str:
    """The name as it is kept; raises Invalid when it is blank or too long."""
    named = normalise_name(name)
    if not named:
        raise Invalid([problem("name", N_("Give the template a name."))])
    if length(named) > NAME_LIMIT:
        raise Invalid(
            [problem("name", N_("The name can have at most {limit} characters."), limit=NAME_LIMIT)]
        )
    return named
