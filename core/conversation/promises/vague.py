"""A promise that does not say what will be told (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.conversation.promises.clauses import Clause
from core.conversation.promises.kinds import Kind
from core.conversation.promises.reading import Part, Reading
from core.conversation.promises.sender import sender_words

# What these do never says what a message will be about. A thing of worth does, except that it is free.
_SAY_NOTHING = frozenset(
    {Kind.TAP, Kind.TELL, Kind.WHEN, Kind.YOU, Kind.ME, Kind.NOW, Kind.AND, Kind.TO, Kind.FOR, Kind.A_ONE}
    | {Kind.UNIT, Kind.YOUR, Kind.SMALL, Kind.HAVE, Kind.NUMBER, Kind.BREAK}
)
_IN_EVENT = re.compile("[NW].*W")
_FREE = frozenset({"free", "miễn phí", "mien phi"})


def is_vague(reading: Reading, clauses: Sequence[Clause]) -> bool:
    """Whether nothing is left once the words that fit any message are gone."""
    return not any(_tells(reading, clause) for clause in clauses)


def _tells(reading: Reading, clause: Clause) -> bool:
    """Whether a clause says what will be told."""
    before, after = clause.parts[: clause.news], clause.parts[clause.news :]
    words = [word for part in after for word in part.words]
    # "tell me if anything cool happens": what is cool about it names nothing
    says_anything = reading.words_in(reading.vocabulary.anything).intersection(words)
    has_event = bool(_IN_EVENT.search(clause.kinds)) and not says_anything
    return (
        bool(telling_words(reading, before))
        or bool(telling_words(reading, after, in_event=clause.is_event and has_event))
        or (has_event and reading.names_event(words))  # "tell me when it opens"
    )


def telling_words(reading: Reading, parts: Iterable[Part], *, in_event: bool = False) -> list[str]:
    """The words that name something, as they are compared."""
    parts, sender = list(parts), sender_words(reading)
    named = [word.key for part in parts for word in part.words if word in reading.naming - sender]
    return named or [
        word.key
        for part in parts
        if part.kind not in _SAY_NOTHING and part.typed.lower() not in _FREE
        for word in part.words
        if word not in reading.hollow | sender
        and (_is_named(part) or not reading.says_nothing(word, in_event=in_event))
    ]


def _is_named(part: Part) -> bool:
    """A phrase for an event tells, though its words may not ("quay số"), and so does a thing of worth."""
    return part.kind == Kind.WORTH or (part.kind in (Kind.EVENT, Kind.FACT) and len(part.words) > 1)
