"""Which message an event calls for (pure): Get Started, a ref link, a button, or a keyword."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.conversation.drafts import EntryKind, KeywordMatch
from core.conversation.payloads import GET_STARTED_PAYLOAD, MESSAGE_PAYLOAD
from core.text.identifiers import unwrapped
from core.text.matching import is_same_word, search_key, words
from core.text.normalise import normalise_name


@dataclass(frozen=True)
class KnownEntry:
    """An entry point of a fanpage and the message it sends."""

    message_id: int
    kind: str
    match: str | None
    value: str


@dataclass(frozen=True)
class FoundEntry:
    """The message to send, and the kind and value of the entry point that leads to it."""

    message_id: int
    kind: str
    value: str


@lru_cache(maxsize=8192)
def entry_key(kind: str, value: str) -> str:
    """Two entry points of a kind are the same one when their keys are equal.

    Keywords that differ in case or punctuation are the same; those that differ in marks are not.
    """
    if kind == EntryKind.GET_STARTED:
        return ""
    clean = clean_value(kind, value)
    if kind == EntryKind.REF:
        return clean.lower()
    return " ".join(words(clean)) or clean.lower()


def clean_value(kind: str, value: str) -> str:
    """A keyword or the name of a link as it is kept: what was typed or pasted, without what surrounds it."""
    return unwrapped(value) if kind == EntryKind.REF else normalise_name(value)


def find_entry(
    known: Sequence[KnownEntry],
    *,
    text: str | None = None,
    payload: str | None = None,
    ref: str | None = None,
    has_message: bool = True,
) -> FoundEntry | None:
    """The entry point that an event of a customer leads to; None when the bot has nothing to say.

    The ref of a link comes first, then the payload of a tap, then the words that were written.

    `has_message` says whether the message that the payload names is one of the fanpage's.
    """
    return (
        (_by_ref(known, ref) if ref else None)
        or (_by_payload(known, payload, text or "", has_message) if payload else None)
        or (_by_keyword(known, text) if text else None)
    )


def message_in(payload: str | None) -> int | None:
    """The message that a button's payload leads to."""
    digits = (payload or "").removeprefix(MESSAGE_PAYLOAD)
    leads = payload is not None and payload.startswith(MESSAGE_PAYLOAD)
    return int(digits) if leads and digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def _by_ref(known: Sequence[KnownEntry], ref: str) -> FoundEntry | None:
    refs = [entry for entry in known if entry.kind == EntryKind.REF]
    same = [entry for entry in refs if entry.value == ref]
    alike = [
        entry for entry in refs if entry_key(EntryKind.REF, entry.value) == entry_key(EntryKind.REF, ref)
    ]
    return _first_of((same or alike)[:1])


def _by_payload(
    known: Sequence[KnownEntry], payload: str, title: str, has_message: bool
) -> FoundEntry | None:
    if payload == GET_STARTED_PAYLOAD:
        return _first_of([entry for entry in known if entry.kind == EntryKind.GET_STARTED][:1])
    message_id = message_in(payload)
    if message_id is None or not has_message:
        return None
    return FoundEntry(message_id, EntryKind.BUTTON, title)


def _by_keyword(known: Sequence[KnownEntry], text: str) -> FoundEntry | None:
    keywords = [entry for entry in known if entry.kind == EntryKind.KEYWORD]
    said = entry_key(EntryKind.KEYWORD, text)
    with_marks = [entry for entry in keywords if entry_key(EntryKind.KEYWORD, entry.value) == said]
    if with_marks:
        return _first_of(with_marks[:1])
    folded = search_key(text)
    without = [entry for entry in keywords if folded and search_key(entry.value) == folded]
    return _first_of(without[:1]) or _first_of(_contained(keywords, text, folded)[:1])


def _contained(keywords: Sequence[KnownEntry], text: str, folded: str) -> list[KnownEntry]:
    """Keywords found inside the text as whole words, the longest first, closer spelling before looser."""
    spoken = words(text)
    ranked = []
    for entry in keywords:
        bare = search_key(entry.value)
        if entry.match != KeywordMatch.CONTAINS or not bare or f" {bare} " not in f" {folded} ":
            continue
        wanted = words(entry.value)
        places = [p for p in range(len(spoken)) if _matches(spoken[p : p + len(wanted)], wanted)]
        if places:
            spelled = any(spoken[p : p + len(wanted)] == wanted for p in places)
            ranked.append((len(bare), spelled, entry))
    return [entry for *_, entry in sorted(ranked, key=lambda item: item[:2], reverse=True)]


def _matches(said: Sequence[str], wanted: Sequence[str]) -> bool:
    return len(said) == len(wanted) and all(map(is_same_word, said, wanted))


def _first_of(found: Sequence[KnownEntry]) -> FoundEntry | None:
    return FoundEntry(found[0].message_id, found[0].kind, found[0].value) if found else None
