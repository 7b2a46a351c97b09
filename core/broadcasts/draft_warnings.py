"""What a careful colleague would say about a broadcast's words, given what its customers agreed to (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.conversation.blocks.registry import find_kind
from core.conversation.drafts import BlockDraft
from core.conversation.rules import warn_message
from core.errors import N_, Problem, problem
from core.text.matching import search_key
from core.text.normalise import is_blank

ENOUGH_LETTERS = 20  # shorter than that, capitals are a name or a code
WAKING_HOURS = (7, 22)
_PRIZES = ("trúng thưởng", "trúng giải", "lì xì", "thẻ cào", "nhận tiền", "tiền mặt", "you won", "cash prize")
_COMMON = frozenset(
    search_key(
        "about after again ai all and anh any are ban bao bi biet but cac can chi chien cho chung co"
        " con cua da de den di duoc em for from get gi has have hay hello here hon how ich just kem"
        " khach khi khong la lai len let like loi luc mai may me more mot nay new ngay nghe nhan nhe"
        " nhieu nhu nhung now nua o our out please ra rang roi sau se ta tell that the then there they"
        " thi this thoi thong tin toi tren trong truoc tu va van vao ve vi viec voi vua was we when"
        " will with xin you your"
    ).split()
)


def warn_content(content: dict[str, Any], promises: Sequence[str]) -> list[Problem]:
    """Warnings about a broadcast's text; none prevents sending."""
    kind = find_kind(content.get("kind"))
    text = kind.words(content) if kind else ""
    return [
        *warn_message([BlockDraft(str(content.get("kind")), content)]),
        *_off_topic(text, promises),
        *_prizes(words_of(content)),
        *_shouting(text),
    ]


def words_of(content: Mapping[str, Any]) -> str:
    """All that a customer reads of a broadcast: its text, the captions of its buttons and quick replies."""
    kind = find_kind(content.get("kind"))
    parts = [content, *(content.get("cards") or [])]
    choices = [choice for part in parts for choice in part.get("buttons") or []]
    captions = [str(choice.get("title") or "") for choice in [*choices, *(content.get("replies") or [])]]
    return "\n".join(word for word in [kind.words(content) if kind else "", *captions] if not is_blank(word))


def _off_topic(text: str, promises: Sequence[str]) -> list[Problem]:
    """Not one telling word of any promise: the customer may well ask why they get this."""
    promised = {word for promise in promises for word in _telling(promise)}
    if is_blank(text) or not promised or promised & _telling(text):
        return []
    words = N_(
        "This shares no words with what these customers agreed to. Mention what you promised, so "
        "that nobody wonders why they got it."
    )
    return [problem("text", words)]


def _prizes(text: str) -> list[Problem]:
    said = f" {search_key(text)} "
    found = next((prize for prize in _PRIZES if f" {search_key(prize)} " in said), None)
    if found is None:
        return []
    words = N_(
        "“{words}” reads like a prize or money. If customers feel misled, Facebook blocks one-time "
        "notifications for the fanpage; make sure that it was promised and is true."
    )
    return [problem("text", words, words=found)]


def _shouting(text: str) -> list[Problem]:
    letters = [sign for sign in text if sign.isalpha()]
    capitals = sum(sign.isupper() for sign in letters)
    if "!!!" not in text and (len(letters) < ENOUGH_LETTERS or capitals * 2 < len(letters)):
        return []
    words = N_("Capitals and rows of exclamation marks look like spam; tone it down.")
    return [problem("text", words)]


def _telling(text: str) -> set[str]:
    return {word for word in search_key(text).split() if len(word) > 1 and word not in _COMMON}


def warn_hour(local_start: datetime) -> list[Problem]:
    """Warn of a start at night: a phone that buzzes then makes people block the fanpage."""
    if WAKING_HOURS[0] <= local_start.hour < WAKING_HOURS[1]:
        return []
    words = N_("It starts at {time}, when most people are asleep. Messages at night get fanpages blocked.")
    return [problem("due_at", words, time=f"{local_start:%H:%M}")]
