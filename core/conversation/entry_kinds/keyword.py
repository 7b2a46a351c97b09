"""A keyword in what a customer writes. How it is found: core/conversation/keyword_rules.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from core.conversation.drafts import EntryDraft, KeywordMatch
from core.conversation.entry_kinds.kind import (
    ComposedKind,
    CustomerAct,
    Fields,
    FoundEntry,
    KnownEntry,
    joined_list,
    split_list,
    value_in,
)
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.keyword_rules import find_keyword
from core.errors import N_, Problem, problem
from core.text.matching import words
from core.text.normalise import normalise_name
from core.text.utf16_units import length

KEYWORD_LIMIT = 100


class Keyword(ComposedKind):
    name = EntryKind.KEYWORD
    named, plain, listed = N_("Keyword “{value}”"), N_("Keyword"), N_("“{value}”")
    is_written = True
    fields: ClassVar[Fields] = dict.fromkeys(KeywordMatch, "")

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:
        won = find_keyword(known, act.text) if act.text else None
        return FoundEntry(won.message_id, self.name, won.value) if won else None

    def clean(self, entry: EntryDraft) -> EntryDraft:
        return EntryDraft(self.name, entry.match, normalise_name(entry.value))

    def key(self, value: str) -> str:
        return keyword_key(value)

    def check(self, entry: EntryDraft) -> list[Problem]:
        return check_keyword(entry)

    def typed(self, fields: Fields) -> list[EntryDraft]:
        return [
            EntryDraft(self.name, match, word) for match in KeywordMatch for word in split_list(fields[match])
        ]

    def fill(self, entries: Sequence[EntryDraft]) -> dict[str, Any]:
        return {
            match: joined_list([entry.value for entry in entries if entry.match == match])
            for match in KeywordMatch
        }

    def read(self, item: Mapping[Any, Any]) -> EntryDraft:
        return EntryDraft(self.name, str(item.get("match") or KeywordMatch.CONTAINS), value_in(item))


def keyword_key(value: str) -> str:
    """Keywords that differ in case or punctuation are the same; those that differ in marks are not."""
    return " ".join(words(value)) or value.lower()


def check_keyword(entry: EntryDraft) -> list[Problem]:
    """What is wrong with a keyword and how it is looked for."""
    if not entry.value or length(entry.value) > KEYWORD_LIMIT:
        words = N_("A keyword can have 1 to {limit} characters.")
        return [problem("entry_points", words, limit=KEYWORD_LIMIT)]
    if entry.match not in tuple(KeywordMatch):
        return [problem("entry_points", N_("A keyword matches “contains”, “starts_with” or “exact”."))]
    return []
