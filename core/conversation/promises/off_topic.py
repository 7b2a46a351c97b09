"""A promise about something that its topic's name does not cover: a hint only (pure)."""

from __future__ import annotations

from core.conversation.promises.reading import Reading, read
from core.conversation.promises.vague import telling_words
from core.conversation.promises.vocabulary import bare, happens


def is_off_topic(title: str, topic: str) -> bool:
    """Whether both name something and share no word of it. A translation shares none with a topic's name in
    another language: of that nothing can be said."""
    promise, name = read(title), read(topic)
    if _is_translated(promise, name):
        return False
    promised, covered = _named(promise), _named(name)
    return bool(promised and covered) and not promised & covered


def _is_translated(promise: Reading, name: Reading) -> bool:
    """Whether they are in two languages. What holds no known word is in any."""
    return promise.vocabulary is not name.vocabulary and _has_known(promise) and _has_known(name)


def _has_known(reading: Reading) -> bool:
    words = (word for part in reading.parts for word in part.words)
    return any(word.bare in reading.vocabulary.known for word in words)


def _named(reading: Reading) -> set[str]:
    return {_singular(bare(word)) for word in telling_words(reading, reading.parts)} - happens()


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
