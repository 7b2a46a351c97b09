"""The words of one language and what they do, from english.toml and vietnamese.toml beside this file."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

from core.conversation.promises.kinds import Kind

LONGEST_PHRASE = 5  # words
_LOOK_ALIKE = str.maketrans(
    "аеорсхуікмтвнѕјԁɡαονρτικευıøłƒ€", "aeopcxyikmtbhsjdgaovptikeuiolfe"
)  # Cyrillic, Greek and other letters that look like Latin ones
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_ENDINGS = (
    ("s", ""),
    ("es", ""),
    ("d", ""),
    ("ed", ""),
    ("ing", ""),
    ("ing", "e"),
    ("ly", ""),
    ("er", ""),
    ("est", ""),
)
_SHORTEST_STEM = 3
# What a misspelt word may have been; a product is not changed into an event: "lunch" is no "launch".
_MISSPELT = (Kind.TAP, Kind.WORTH, Kind.GIVE, Kind.GET, Kind.NOW, Kind.SMALL, Kind.TELL, Kind.ME)
_SEVERAL_WORDS = re.compile(" ")
_SHORTEST_TYPO = 6  # letters of a word that is known with a typo: "cupon", "buton", "lastest"
_SHORTEST_RUN = 7  # letters of a phrase that is also known without its spaces: "nhanqua"

Phrase = tuple[str, ...]


class Vocabulary:
    """The phrases of a language, found by the keys of their words, or without marks."""

    def __init__(self, language: str) -> None:
        listed = tomllib.loads(resources.files(__package__).joinpath(f"{language}.toml").read_text("utf-8"))
        self.kinds: dict[str, Kind] = {}
        for name, phrases in listed["kinds"].items():
            for phrase in _phrases(phrases):
                self.kinds.setdefault(" ".join(phrase), Kind[name.upper()])
        names = listed["names"]
        # by whether the text has marks
        self.telling = _by_marks(names["telling"])
        self.hollow = _by_marks(names["hollow"])
        self.before_sender = _by_marks(names["before_sender"])
        self.anything = _by_marks(names["anything"])
        self.businesses = _by_marks(names["businesses"])
        # "tiem" may be tiêm as well as tiệm
        self.businesses[False] &= self.businesses[True]
        # "thi công", "happy hour": what names something does nothing else
        several = filter(_SEVERAL_WORDS.search, self.telling[True])
        self.kinds = dict.fromkeys(several, Kind.OTHER) | self.kinds
        preferred = {word: Kind[name.upper()] for word, name in listed.get("unmarked", {}).items()}
        self.unmarked = _without_marks(self.kinds) | preferred
        self.generic = frozenset(map(key, names["generic"].split()))
        self.generic_event = frozenset(names["generic_event"].split())
        self.signs = frozenset(names["signs"].split())
        self.short: dict[str, str] = listed["short"]
        self.after_when = frozenset(map(key, names["after_when"].split()))
        self.has_marks = language == "vietnamese"
        self.of_giving = frozenset(bare(" ".join(phrase)) for phrase in _phrases(names["of_giving"]))
        self.before_price = frozenset(map(bare, names["before_price"].split()))
        self.happens = frozenset(map(bare, names["happens"].split()))
        in_phrases = frozenset(bare(word) for phrase in self.kinds for word in phrase.split())
        self.known = in_phrases | frozenset(map(bare, self.generic))
        self.misspelt = frozenset(
            bare(word) for phrase, kind in self.kinds.items() if kind in _MISSPELT for word in phrase.split()
        )
        long = {word for word in self.misspelt | self.generic if len(word) >= _SHORTEST_TYPO}
        self.typos = {wrong: word for word in sorted(long) for wrong in _typos(word)}
        self.run_together = {
            phrase.replace(" ", ""): phrase
            for phrase in self.unmarked
            if " " in phrase and len(phrase) > _SHORTEST_RUN
        }

    def is_generic(self, word: str) -> bool:
        """Whether a word fits any message, with its English endings: "asked", "counts", "rushing"."""
        return word in self.generic or any(
            word.removesuffix(ending) + instead in self.generic
            for ending, instead in _ENDINGS
            if word.endswith(ending) and len(word) > _SHORTEST_STEM + len(ending)
        )


@lru_cache(maxsize=1)
def english() -> Vocabulary:
    return Vocabulary("english")


@lru_cache(maxsize=1)
def vietnamese() -> Vocabulary:
    return Vocabulary("vietnamese")


def is_known(word: str) -> bool:
    """Whether it is a word of the vocabularies, disguised or not."""
    return bare(key(word)) in english().known | vietnamese().known


def happens() -> frozenset[str]:
    """Words, without marks, that say that something happens and not of what."""
    return english().happens | vietnamese().happens


@lru_cache(maxsize=8192)
def key(word: str) -> str:
    """The form in which words are compared: lower case, Latin letters for look-alikes, the tone mark at the
    end.

    So "hoà" is "hòa".
    """
    lower = unicodedata.normalize("NFKC", word).lower().translate(_LOOK_ALIKE)
    letters = unicodedata.normalize("NFD", lower.replace("'", "").replace("’", ""))
    tone = "".join(sign for sign in letters if sign in _TONES)
    return unicodedata.normalize("NFC", "".join(sign for sign in letters if sign not in _TONES)) + tone


@lru_cache(maxsize=8192)
def bare(word: str) -> str:
    """A word without marks, đ as d."""
    letters = unicodedata.normalize("NFKD", word.lower())
    return "".join(sign for sign in letters if not unicodedata.combining(sign)).replace("đ", "d")


def has_marks(word: str) -> bool:
    """Whether a word is certainly Vietnamese."""
    return "đ" in word or any(unicodedata.combining(sign) for sign in unicodedata.normalize("NFD", word))


def _phrases(listed: str) -> tuple[Phrase, ...]:
    return tuple(tuple(map(key, phrase.split())) for phrase in listed.split(",") if phrase.strip())


def _by_marks(listed: str) -> dict[bool, frozenset[str]]:
    """Phrases as they are, and without marks."""
    phrases = frozenset(" ".join(phrase) for phrase in _phrases(listed))
    return {True: phrases, False: frozenset(map(bare, phrases))}


def _typos(word: str) -> Iterator[str]:
    """A word with a letter missing, twice or after its neighbour; the first and the last are always right."""
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at] + word[at:]
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _without_marks(kinds: dict[str, Kind]) -> dict[str, Kind]:
    """The first of several that are alike without marks counts."""
    found: dict[str, Kind] = {}
    for phrase, kind in kinds.items():
        found.setdefault(bare(phrase), kind)
    return found
