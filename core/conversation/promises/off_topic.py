"""A promise about something that its topic's name does not cover: a hint only (pure)."""

from __future__ import annotations

from core.conversation.promises.reading import read
from core.conversation.promises.vague import telling_words
from core.conversation.promises.vocabulary import bare, happens


def is_off_topic(title: str, topic: str) -> bool:
    """Whether both name something and share no word of it."""
    promised, covered = _named(title), _named(topic)
    return bool(promised and covered) and not promised & covered


def _named(text: str) -> set[str]:
    reading = read(text)
    return {_singular(bare(word)) for word in telling_words(reading, reading.parts)} - happens()


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
