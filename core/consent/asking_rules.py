"""The re-ask governor: whether a customer may be asked about a topic now, and why not (pure).

Every sending of a request by the bot is decided here, whatever caused it: docs/decisions/0050.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.consent.contact_limits import DAY, ContactLimits
from core.errors import N_

ASKED_JUST_NOW = timedelta(seconds=60)  # a keyword written twice brings one request


class Withheld(StrEnum):
    """Why a request was not made."""

    JUST_NOW = "just_now"  # the same was asked a moment ago
    HOLDS = "holds"  # the customer holds an opt-in for the topic that is not spent
    COOL_DOWN = "cool_down"  # a request for the topic has not been answered
    DAY = "day"  # enough requests for one day
    OTN_OFF = "otn_off"  # staff have one-time notifications switched off for the fanpage
    NO_WORDING = "no_wording"  # no message asks about the topic any more


@dataclass(frozen=True)
class PastRequest:
    """A request that has reached the customer, or is about to."""

    topic_id: int
    title: str
    asked_at: datetime
    tapped_at: datetime | None


@dataclass(frozen=True)
class Wish:
    """A request that the bot is about to make."""

    topic_id: int
    title: str


def why_withheld(
    wish: Wish, past: Sequence[PastRequest], limits: ContactLimits, now: datetime, *, holds: bool
) -> Withheld | None:
    """Why the customer is not asked now; None when they are. `past` are the requests to this customer that
    `remembered_since` tells, about any topic; `holds` says whether they hold an opt-in for this one."""
    if any(_is_same(wish, each) and each.asked_at > now - ASKED_JUST_NOW for each in past):
        return Withheld.JUST_NOW
    if holds and not limits.asks_holders:
        return Withheld.HOLDS
    if _waits_for_answer([each for each in past if each.topic_id == wish.topic_id], limits, now):
        return Withheld.COOL_DOWN
    today = [each for each in past if each.asked_at > now - DAY]
    return Withheld.DAY if limits.asks_a_day and len(today) >= limits.asks_a_day else None


def remembered_since(limits: ContactLimits, now: datetime) -> datetime:
    """From when on past requests count for a decision."""
    return now - max(DAY, timedelta(days=limits.ask_cool_down_days))


def _is_same(wish: Wish, past: PastRequest) -> bool:
    return past.tapped_at is None and (past.topic_id, past.title) == (wish.topic_id, wish.title)


def _waits_for_answer(past: Sequence[PastRequest], limits: ContactLimits, now: datetime) -> bool:
    """Whether the latest request for the topic is younger than the cool-down and was not answered: a tap on
    an older request, made after it, is an answer as well."""
    if not past or not limits.ask_cool_down_days:
        return False
    latest = max(each.asked_at for each in past)
    answered = any(each.tapped_at is not None and each.tapped_at >= latest for each in past)
    return not answered and latest > now - timedelta(days=limits.ask_cool_down_days)


# What a customer reads who asked for it themselves, in place of the request; nothing after JUST_NOW.
SENTENCES: dict[Withheld, str] = {
    Withheld.HOLDS: N_(
        "You are already signed up for this: “{promise}”. When the time comes, we will write to you once."
    ),
    Withheld.COOL_DOWN: N_(
        "We have already sent you this invitation: “{promise}”. Scroll up to it and tap its button."
    ),
    Withheld.DAY: N_(
        "You have had enough invitations for one day. Write to us again tomorrow to sign up for: “{promise}”."
    ),
    Withheld.OTN_OFF: N_("You can't sign up for this right now: “{promise}”. Please ask us again later."),
    Withheld.NO_WORDING: N_("Thank you for your interest. There is nothing to sign up for here right now."),
}
