"""The name of who sends: the customer knows it, and it does not say what will be told (pure)."""

from __future__ import annotations

import re

from core.conversation.promises.kinds import Kind
from core.conversation.promises.reading import Reading, Word

# A letter for each word: "stay in touch with (F) the (l) Oak (C) & (l) Ivy (C) family (B)". A name with
# its kind of business is known without "with": "Harper's Corner", "Tiệm Nhà Gấu", which begins with it.
_AFTER_FROM = "F+[lB]*[CG][lCGB]*"
_ENGLISH = re.compile(f"{_AFTER_FROM}|C[lC]*B[lB]*")
_VIETNAMESE = re.compile(f"{_AFTER_FROM}|B+[CG]{{1,3}}|[CG]{{1,3}}B$")
_LINKS = frozenset({"&", "and", "of", "the", "our", "của", "và"})


def sender_words(reading: Reading) -> frozenset[Word]:
    """The words of the names by which a promise tells who sends, with what leads to them."""
    before = reading.words_in(reading.vocabulary.before_sender)
    businesses = reading.words_in(reading.vocabulary.businesses)

    def letter(word: Word, kind: Kind) -> str:
        if word in before or word in businesses:
            return "F" if word in before else "B"
        if word.typed.lower() in _LINKS:
            return "l"
        is_capital = word.typed[:1].isupper() and (len(word.typed) == 1 or not word.typed.isupper())
        if not is_capital or kind not in (Kind.OTHER, Kind.ME) or word in reading.naming:
            return "x"
        return "G" if reading.says_nothing(word) else "C"

    words = [(word, part.kind) for part in reading.parts for word in part.words]
    pattern = _VIETNAMESE if reading.vocabulary.has_marks else _ENGLISH
    names = pattern.finditer("".join(letter(*word) for word in words))
    return frozenset(word for name in names for word, _ in words[name.start() : name.end()])
