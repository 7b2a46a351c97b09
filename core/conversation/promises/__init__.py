"""What a careful colleague would say about the promise of an OTNR, and what forbids it (pure).

The rules behind it are those of Meta's guide to one-time notification
(developers.facebook.com/docs/messenger-platform/send-messages/one-time-notification, "Usage"): do not
confuse, deceive, mislead, spam or surprise anyone; a clear and obvious relationship between the request and
the message; do not incentivise the tap, by money or its like; fanpages with much negative feedback lose
access. Capitals, marks and emoji are not named there: they bring the negative feedback.

`kinds` and the two vocabularies say what words do, `reading` takes disguises off, `clauses` parts offers from
what will be told, `sender` finds the name of who sends; `reward`, `vague`, `shouting` and `off_topic` are
one rule each.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.conversation.promises import clauses
from core.conversation.promises.off_topic import is_off_topic
from core.conversation.promises.reading import read
from core.conversation.promises.reward import offered_words, offers
from core.conversation.promises.shouting import is_shouting
from core.conversation.promises.vague import is_vague
from core.errors import N_, Problem, problem
from core.messenger import message_limits
from core.text.normalise import is_blank
from core.text.utf16_units import length


class PromiseRule(StrEnum):
    REWARD = "reward"
    VAGUE = "vague"
    SHOUTING = "shouting"
    OFF_TOPIC = "off_topic"


@dataclass(frozen=True)
class PromiseWarning:
    rule: PromiseRule
    reason: Problem


def check_promise(title: str) -> list[Problem]:
    """What forbids a title: it is blank, or longer than the platform takes."""
    if is_blank(title):
        return [problem("title", N_("Say what the customer will be notified about: this is the promise."))]
    if length(title) > message_limits.REQUEST_TITLE_LIMIT:
        return [
            problem(
                "title",
                N_("The promise has {count} characters; Messenger allows {limit}."),
                count=length(title),
                limit=message_limits.REQUEST_TITLE_LIMIT,
            )
        ]
    return []


def find_warnings(title: str, topic: str = "") -> list[PromiseWarning]:
    """The warnings for a promise, at most one of each rule; `topic` is its topic's name, if it has one."""
    if is_blank(title):
        return []
    reading = read(title)
    parts = clauses.split(reading)
    offering = offers(reading, parts)
    found = []
    if offering:
        found.append(_warning(PromiseRule.REWARD, _REWARD, words=offered_words(offering)))
    elif is_vague(reading, parts):  # a reward says enough of what is wrong
        found.append(_warning(PromiseRule.VAGUE, _VAGUE))
    if is_shouting(title, reading):
        found.append(_warning(PromiseRule.SHOUTING, _SHOUTING))
    return found + [PromiseWarning(PromiseRule.OFF_TOPIC, hint) for hint in warn_topic(title, topic)]


def warn_promise(title: str) -> list[Problem]:
    """The reasons alone, for the field of the title."""
    return [warning.reason for warning in find_warnings(title)]


def warn_topic(title: str, topic: str) -> list[Problem]:
    """A hint when the promise is about something that its topic's name does not cover."""
    return [problem("title", _OFF_TOPIC, topic=topic)] if is_off_topic(title, topic) else []


def _warning(rule: PromiseRule, reason: str, **values: object) -> PromiseWarning:
    return PromiseWarning(rule, problem("title", reason, **values))


_REWARD = N_(
    "“{words}” sounds like a reward for tapping. Meta's rule: don't incentivise the opt-in with "
    "money or anything similar. Only say what you will tell them about."
)
_VAGUE = N_(
    "This promise does not say what the message will be about. Meta's rule: it must be obvious how "
    "the message relates to the request, and nobody may be surprised. Say exactly what you will "
    "tell them about."
)
_SHOUTING = N_(
    "Capitals and rows of exclamation marks or emoji read like spam. Meta's rule: no spam; "
    "fanpages with a lot of negative feedback lose one-time notifications. Tone it down."
)
_OFF_TOPIC = N_(
    "This promise shares no words with its topic “{topic}”. Meta's rule: it must be obvious how "
    "the message relates to the request. Check that what you send for this topic is what you "
    "promise here."
)
