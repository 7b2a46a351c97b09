"""A promise as words: the language told, disguises taken off, each phrase with what it does (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.conversation.promises.disguise import joined, plain, stands_for
from core.conversation.promises.kinds import Kind
from core.conversation.promises.vocabulary import (
    LONGEST_PHRASE,
    Vocabulary,
    bare,
    english,
    has_marks,
    is_known,
    key,
    vietnamese,
)
from core.text.invisible import UNSEEN_SIGNS

_AROUND = ".,;:!?…\"'“”‘’()[]{}<>–—-+&/|~*=#→←•·_`^\\"
_QUOTES = "\"'“”‘’#*_`"
_BETWEEN = re.compile(r"[/_\-.,:;!?…()\[\]“”\"|]+")
_BREAKS = frozenset(",;:!?…()")
_JOINS = frozenset("&+=")
_AMOUNT = re.compile(
    r"(?!0k$)(?:[$€£¥]+|[$€£¥]\d[\d.,]*k?"
    r"|\d[\d.,]*(?:k|đ|₫|vnd|vnđ|usd|tr|[$€£¥]|nghìn|ngàn|triệu|đồng|xu|củ|dong|trieu|nghin|ngan)"
    r"|[1-9]\d?(?:[.,]\d+)?%)"
)
_NUMBER = re.compile(r"\d[\d.,:/\-x]*(?:%|h|g|kg|ml|th|pm|am|(?<=1)st|(?<=2)nd|(?<=3)rd)?")
# "sugar-free", "click-and-collect"
_COMPOUND = re.compile(r"\w+-(?:free|(?:and|n|or)-\w+)")
_CAPITAL_I = re.compile(r"(?<=[^\W\d_])I(?=[a-z])")  # "pIus"
_READ_AS_WORDS = frozenset("124")  # "tap 2 get", "4 tapping", "1 son"
_MARKED_SHARE = 0.34  # of the words; a few marks in a text typed without them do not make it a marked one


@dataclass(frozen=True, eq=False)
class Word:
    """One word or sign at its place: as it was typed, and as it is compared. Said twice, it is two."""

    typed: str
    key: str
    is_plain: bool = False  # it was in disguise or short, so that its marks say nothing

    @property
    def bare(self) -> str:
        return bare(self.key)


@dataclass(frozen=True)
class Part:
    """A phrase of the vocabulary, a number, a sign or any other word, and what it does."""

    kind: Kind
    words: tuple[Word, ...]

    @property
    def typed(self) -> str:
        return " ".join(dict.fromkeys(word.typed for word in self.words))

    @property
    def said(self) -> str:
        """The words of the part in the form in which words are compared."""
        return " ".join(word.key for word in self.words)


@dataclass(frozen=True)
class Reading:
    parts: tuple[Part, ...]
    vocabulary: Vocabulary
    is_marked: bool  # whether marks tell words apart in it: "nhân" is not "nhận"

    def at(self, place: int) -> Part | None:
        """A part by its place, None outside."""
        return self.parts[place] if 0 <= place < len(self.parts) else None

    def says_nothing(self, word: Word, *, in_event: bool = False) -> bool:
        """Whether a word fits any message: fewer do after "tell me when", and fewer without marks."""
        known = self.vocabulary
        if in_event and word.bare not in known.generic_event:
            return False
        if _is_bare(word, is_marked=self.is_marked) and (in_event or known.has_marks):
            is_listed = word.bare in known.generic_event
        else:
            is_listed = known.is_generic(word.key)
        return is_listed or (word.bare not in known.known and english().is_generic(word.key))  # "stay tuned"

    def names_event(self, words: Sequence[Word]) -> bool:
        """Whether one of the words says what happens: opens, arrives, xong."""
        form = str if self.is_marked else bare
        return not {form(word.key) for word in words}.isdisjoint(map(form, self.vocabulary.after_when))

    def is_ordinary(self, typed: str) -> bool:
        """Whether a word is one of the language rather than a brand or an abbreviation."""
        said = key(typed)
        return (has_marks(said) and len(said) > len("SVĐ")) or bare(said) in self.vocabulary.known

    @cached_property
    def hollow(self) -> frozenset[Word]:
        """The words of phrases that say nothing, though their words might."""
        return self.words_in(self.vocabulary.hollow)

    @cached_property
    def naming(self) -> frozenset[Word]:
        """The words of phrases that name something, though their words do not."""
        return self.words_in(self.vocabulary.telling) - self.hollow

    def words_in(self, by_marks: dict[bool, frozenset[str]]) -> frozenset[Word]:
        """The words of those phrases that stand in the promise."""
        phrases = by_marks[self.is_marked]
        form = str if self.is_marked else bare
        words = [word for part in self.parts for word in part.words]
        said = [form(word.key) for word in words]
        return frozenset(
            word
            for at in range(len(words))
            for size in range(1, LONGEST_PHRASE + 1)
            if " ".join(said[at : at + size]) in phrases
            for word in words[at : at + size]
        )


def read(text: str) -> Reading:
    """The parts of a promise in order."""
    typed = _typed(text)
    vocabulary = _language(typed)
    words = [word for piece in typed for word in _words(piece, vocabulary)]
    letters = [word for word in words if word.key[:1].isalpha()]
    is_marked = sum(has_marks(word.key) for word in letters) > _MARKED_SHARE * len(letters)
    return Reading(tuple(_parts(words, vocabulary, is_marked=is_marked)), vocabulary, is_marked)


def _language(typed: Sequence[str]) -> Vocabulary:
    """The vocabulary that knows more of the words, small ones and marks twice; "Pokémon news" is English."""
    keys = [key(piece) for piece in typed]
    said = [*keys, *map(plain, keys)]

    def fit(vocabulary: Vocabulary) -> int:
        return sum((word in vocabulary.signs) + (word in vocabulary.known) for word in said)

    marked = 4 * sum(map(has_marks, keys))  # twice, as `said` holds every word twice
    return vietnamese() if marked + fit(vietnamese()) > fit(english()) else english()


def _words(typed: str, vocabulary: Vocabulary) -> list[Word]:
    said = key(typed)
    if _sign(said) is not None:
        return [Word(typed, said)]
    hidden = stands_for(typed, vocabulary)
    return [Word(typed, said)] if hidden is None else [Word(typed, word, True) for word in hidden]


def _parts(words: Sequence[Word], vocabulary: Vocabulary, *, is_marked: bool) -> list[Part]:
    """The longest phrase that is known at each place."""
    parts: list[Part] = []
    at = 0
    while at < len(words):
        kind, size = _longest(words[at : at + LONGEST_PHRASE], vocabulary, is_marked=is_marked)
        parts.append(Part(kind, tuple(words[at : at + size])))
        at += size
    return parts


def _longest(words: Sequence[Word], vocabulary: Vocabulary, *, is_marked: bool) -> tuple[Kind, int]:
    for size in range(len(words), 0, -1):
        kind = _kind(words[:size], vocabulary, is_marked=is_marked)
        if kind is not None:
            return kind, size
    return (Kind.NUMBER if words[0].key in _READ_AS_WORDS else Kind.OTHER), 1


def _kind(words: Sequence[Word], vocabulary: Vocabulary, *, is_marked: bool) -> Kind | None:
    """What a phrase does. Words without marks are compared bare where marks tell nothing."""
    if len(words) == 1 and _sign(words[0].key):
        return _sign(words[0].key)
    exact = vocabulary.kinds.get(" ".join(word.key for word in words))
    comparable = all(_is_bare(word, is_marked=is_marked) for word in words)
    if exact is not None and (is_marked or not comparable or len(words) > 1):
        return exact
    return vocabulary.unmarked.get(" ".join(word.bare for word in words)) if comparable else None


def _is_bare(word: Word, *, is_marked: bool) -> bool:
    return word.is_plain or not (is_marked or has_marks(word.key))


def _sign(said: str) -> Kind | None:
    if said in _JOINS:
        return Kind.AND
    if _AMOUNT.fullmatch(said):
        return Kind.WORTH
    if not any(map(str.isalnum, said)):
        return Kind.BREAK
    return Kind.NUMBER if _NUMBER.fullmatch(said) and said not in _READ_AS_WORDS else None


def _typed(text: str) -> list[str]:
    """Words and signs as they were typed, without invisible characters."""
    seen = joined(unicodedata.normalize("NFKC", UNSEEN_SIGNS.sub("", text)))
    seen = _CAPITAL_I.sub("l", seen)
    spaced = "".join(f" {sign} " if unicodedata.category(sign) == "So" else sign for sign in seen)
    return [piece for chunk in spaced.split() for piece in _pieces(chunk)]


def _pieces(chunk: str) -> list[str]:
    """A word with the signs around it: ["tap", ","]."""
    before = chunk[: len(chunk) - len(chunk.lstrip(_AROUND))]
    inside = chunk[len(before) :].rstrip(_AROUND)
    after = chunk[len(before) + len(inside) :] if inside else ""
    return [*_one(before), *_inside(inside), *_one(after)]


def _one(signs: str) -> list[str]:
    """One of several signs in a row; quotes and # are none."""
    told = signs.strip(_QUOTES)
    return [told[0] if told[0] in _JOINS else ","] if told else []


def _inside(text: str) -> list[str]:
    """The words that signs join: "hàng/quà". Amounts, compounds, "m!ễn" and "vou-cher" are one."""
    said = key(text)
    if not text or _AMOUNT.fullmatch(said) or _NUMBER.fullmatch(said) or _COMPOUND.fullmatch(said):
        return [text] if text else []
    if text.count("!") == 1 and text[-1] != "!" and not _BETWEEN.search(text.replace("!", "")):
        return [text.replace("!", "i")]
    whole = _BETWEEN.sub("", text)
    if not any(sign in _BREAKS or sign == "/" for sign in text) and is_known(whole):
        return [whole]
    pieces: list[str] = []
    at = 0
    for found in _BETWEEN.finditer(text):
        pieces += [text[at : found.start()], "," if _BREAKS.intersection(found[0]) else ""]
        at = found.end()
    return [piece for piece in [*pieces, text[at:]] if piece]
