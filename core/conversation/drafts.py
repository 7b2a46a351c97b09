"""A message as staff write it: its name, its blocks, and what makes the bot send it (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class KeywordMatch(StrEnum):
    """Which part of what a customer writes has to be the keyword."""

    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    EXACT = "exact"


@dataclass(frozen=True)
class BlockDraft:
    """A block: its kind (the name of one of core/conversation/blocks) and the fields of that kind."""

    kind: str
    content: dict[str, Any] = field(default_factory=dict)
    topic_id: int | None = None  # what a block that asks for an opt-in asks about


@dataclass(frozen=True)
class EntryDraft:
    kind: str
    match: str | None = None  # of a kind that has a keyword
    value: str = ""


@dataclass(frozen=True)
class MessageDraft:
    name: str
    blocks: list[BlockDraft]
    entry_points: list[EntryDraft]
    translations: dict[str, list[BlockDraft]] = field(default_factory=dict)  # what it says by language: "en"
