"""Words in disguise or in a hurry: "qu4 t4ng", "fr33", "t.ặ.n.g", "dc", "wen", "teh" (pure).

A word is read as what it may stand for only where the vocabulary knows the result; "S25" stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.conversation.promises.vocabulary import Vocabulary, bare, key

_DIGITS = str.maketrans("0345789@$", "oeastbgas")
_NO_LETTERS = frozenset("26")
_STRETCHED = re.compile(r"([^\W\d])\1{2,}")
_SET_APART = re.compile(r"(?<!\w)[^\W\d](?:([.\-_*· ])[^\W\d])(?:\1[^\W\d])+(?!\w)")
_SHORTEST_TYPO = 3


def joined(text: str) -> str:
    """Letters that were set apart by signs as the word they make: "q.u.à", "q u à"."""
    return _SET_APART.sub(lambda found: re.sub(r"[.\-_*· ]", "", found[0]), text)


def plain(text: str) -> str:
    """Digits and signs as the letters that they look like."""
    return text.translate(_DIGITS).replace("1", "i")


def stands_for(typed: str, vocabulary: Vocabulary) -> list[str] | None:
    """The words that a word is short for, misspells or hides; None if it is what it looks like."""
    said = key(typed)
    short = vocabulary.short.get(typed.lower()) or vocabulary.short.get(bare(said))
    if short:
        return [key(word) for word in short.split()]
    if bare(said) in vocabulary.known:
        return None
    for candidate in _undisguised(said):
        if bare(candidate) in vocabulary.known:
            return [candidate]
        if bare(candidate) in vocabulary.short:
            return [key(word) for word in vocabulary.short[bare(candidate)].split()]
    meant = next((one for one in _typed_right(said) if one in vocabulary.misspelt), None)
    if meant is not None:
        return [meant]
    if said in vocabulary.typos:
        return [vocabulary.typos[said]]
    together = vocabulary.run_together.get(bare(said))
    return together.split() if together else None


def _undisguised(said: str) -> Iterator[str]:
    """The likeliest first."""
    if _STRETCHED.search(said):
        yield _STRETCHED.sub(r"\1", said)
        yield _STRETCHED.sub(r"\1\1", said)
    if any(sign.isdigit() or sign in "@$" for sign in said):
        yield from _letters(said)


def _letters(said: str) -> Iterator[str]:
    if _NO_LETTERS.isdisjoint(said) and (any(map(str.isalpha, said)) or "@" in said):
        letters = said.translate(_DIGITS)
        yield from (letters.replace("1", one) for one in ("i", "l", ""))


def _typed_right(said: str) -> Iterator[str]:
    """With two letters in each other's place or a doubled one single. The first letter is always right."""
    if said.isascii() and said.isalpha() and len(said) >= _SHORTEST_TYPO:
        yield from (said[:i] + said[i + 1] + said[i] + said[i + 2 :] for i in range(1, len(said) - 1))
        yield from (said[:i] + said[i + 1 :] for i in range(1, len(said)) if said[i] == said[i - 1])
