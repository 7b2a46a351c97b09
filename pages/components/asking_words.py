"""Why the bot left a request out, in words; and how often."""

from __future__ import annotations

from collections.abc import Mapping

from core.consent.asking_rules import Withheld
from core.errors import N_
from pages.components.texts import _, number

_REASONS: dict[str, str] = {
    Withheld.HOLDS: N_("Still had an opt-in"),
    Withheld.COOL_DOWN: N_("Had not answered the last request"),
    Withheld.DAY: N_("Daily limit of requests reached"),
    Withheld.JUST_NOW: N_("Just asked"),
    Withheld.OTN_OFF: N_("One-time notifications were off"),
    Withheld.NO_WORDING: N_("No message asks for it any longer"),
}


def withheld_word(reason: str) -> str:
    """A reason for which the bot left a request out, in words."""
    return _(_REASONS.get(reason, N_("Another reason")))


def withheld_words(counts: Mapping[str, int]) -> str:
    """The reasons with their counts, in the order of the table; "" when nothing was left out."""
    return " · ".join(
        f"{withheld_word(reason)}: {number(counts[reason])}" for reason in _REASONS if counts.get(reason)
    )
