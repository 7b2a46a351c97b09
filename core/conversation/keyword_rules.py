"""Whether what a customer wrote fires a keyword, and which keyword wins (pure).

Words are compared whole; case and punctuation do not matter. Marks do: a text that is typed with marks has to
have those of the keyword ("Mình tên Sơn" does not fire "son", nor "hóa đơn" "hoa"). A text without any marks
fires the keyword either way, since many people type Vietnamese without them. See docs/decisions/0013.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, Protocol

from core.conversation.drafts import KeywordMatch
from core.text.matching import has_marks, search_key, spelling, words
from core.text.normalise import normalise_name


class Keyword(Protocol):
    """What has a keyword: `match` is one of `KeywordMatch`."""

    @property
    def message_id(self) -> int: ...
    @property
    def match(self) -> str | None: ...
    @property
    def value(self) -> str: ...


@dataclass(frozen=True)
class Clash:
    """Several keywords, of different messages, that one text fires."""

    text: str
    winner: Keyword
    others: tuple[Keyword, ...]


class _Read(NamedTuple):
    spelt: tuple[tuple[str, str], ...]  # words by their letters and marks
    bare: tuple[str, ...]  # the same words without marks
    has_marks: bool
    sign: str  # the whole text, for keywords that are only punctuation


def fires(keyword: Keyword, text: str) -> bool:
    """Whether the text fires the keyword."""
    return _rank_of(keyword, _read(text)) is not None


def find_keyword(known: Sequence[Keyword], text: str) -> Keyword | None:
    """The keyword that wins: the one that is the whole text before a part of it, then the longest, then the
    one spelt with the same marks, then one at the start, then the oldest, which is the first of `known`."""
    ranked = _fired(known, text)
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


def find_clashes(known: Sequence[Keyword]) -> list[Clash]:
    """Keywords that get in each other's way: where a customer who writes one of them, with or without its
    marks, also fires that of another message."""
    by_word: dict[str, list[tuple[int, Keyword]]] = defaultdict(list)  # by their first words
    for place, keyword in enumerate(known):
        by_word[next(iter(_read(keyword.value).bare), "")].append((place, keyword))
    found: dict[frozenset[int], Clash] = {}
    for text in dict.fromkeys(text for keyword in known for text in _samples(keyword)):
        near = [pair for word in set(_read(text).bare) for pair in by_word[word]]
        ranked = _fired([keyword for _place, keyword in sorted(near, key=itemgetter(0))], text)
        if len({keyword.message_id for _rank, keyword in ranked}) > 1:
            winner = max(ranked, key=lambda pair: pair[0])[1]
            others = tuple(each for _rank, each in ranked if each.message_id != winner.message_id)
            found.setdefault(frozenset(map(id, (winner, *others))), Clash(text, winner, others))
    return list(found.values())


def _samples(keyword: Keyword) -> Iterable[str]:
    return (keyword.value, search_key(keyword.value)) if has_marks(keyword.value) else (keyword.value,)


Rank = tuple[bool, int, bool, bool]


def _fired(known: Iterable[Keyword], text: str) -> list[tuple[Rank, Keyword]]:
    said = _read(text)
    ranked = ((_rank_of(keyword, said), keyword) for keyword in known)
    return [(rank, keyword) for rank, keyword in ranked if rank is not None]


def _rank_of(keyword: Keyword, said: _Read) -> Rank | None:
    """How well the text fires the keyword, to be compared; None when it does not."""
    wanted, match = _read(keyword.value), keyword.match
    if not wanted.bare:
        return (True, 0, True, False) if wanted.sign and wanted.sign == said.sign else None
    heard, listened_for = (said.spelt, wanted.spelt) if said.has_marks else (said.bare, wanted.bare)
    if not _is_found(heard, listened_for, match):
        return None
    is_spelt = said.has_marks or not wanted.has_marks
    is_whole = len(said.bare) == len(wanted.bare)
    return is_whole, sum(map(len, wanted.bare)), is_spelt, match == KeywordMatch.STARTS_WITH


def _is_found(said: Sequence[object], wanted: Sequence[object], match: str | None) -> bool:
    if match == KeywordMatch.EXACT:
        return said == wanted
    last = 0 if match == KeywordMatch.STARTS_WITH else len(said) - len(wanted)
    return any(said[place : place + len(wanted)] == wanted for place in range(last + 1))


@lru_cache(maxsize=8192)  # a fanpage's keywords are asked for with every message that arrives
def _read(text: str) -> _Read:
    spoken = words(text)
    bare = tuple(search_key(text).split())
    sign = "" if spoken else normalise_name(text).lower()
    return _Read(tuple(map(spelling, spoken)), bare, any(map(has_marks, spoken)), sign)
