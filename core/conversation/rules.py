"""What a message may say and what may start it: checks and warnings, all pure.

Other features import the words and rules of conversations from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from core.consent.stop_words import find_stop_word
from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import find_kind, kind_of
from core.conversation.drafts import BlockDraft as BlockDraft
from core.conversation.drafts import EntryDraft as EntryDraft
from core.conversation.drafts import EntryKind as EntryKind
from core.conversation.drafts import KeywordMatch as KeywordMatch
from core.conversation.drafts import MessageDraft as MessageDraft
from core.conversation.entry_points import clean_value
from core.conversation.entry_points import entry_key as entry_key
from core.conversation.payloads import MESSAGE_PAYLOAD as MESSAGE_PAYLOAD
from core.conversation.placeholders import personalise as personalise
from core.conversation.promises import warn_promise as warn_promise
from core.errors import N_, Problem, problem
from core.text.length import length
from core.text.normalise import is_blank

NAME_LIMIT = 120
BLOCKS_LIMIT = 10  # ours: a customer who gets more at once stops reading
KEYWORD_LIMIT = 100
KEYWORDS_LIMIT = 50
REF_PATTERN = re.compile(r"[A-Za-z0-9+/=.:_-]{1,200}")  # what survives in a link as it is


class ReplyState(StrEnum):
    """A message sent by PSID inside the window: a bot's answer, or a request."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the platform may have taken it; never sent again on its own
    SKIPPED = "skipped"  # the window closed first


def check_message(
    name: str, blocks: Sequence[BlockDraft], entry_points: Sequence[EntryDraft]
) -> list[Problem]:
    """What forbids saving a message. The field of a block's problem names the block: "blocks.0.text"."""
    found = check_name(name)
    if not blocks:
        found.append(problem("blocks", N_("Add at least one block: what should the customer read?")))
    if len(blocks) > BLOCKS_LIMIT:
        found.append(problem("blocks", N_("A message has at most {limit} blocks."), limit=BLOCKS_LIMIT))
    for place, block in enumerate(blocks):
        for one in check_block(block.kind, block.content, topic_id=block.topic_id):
            found.append(Problem(f"blocks.{place}.{one.field}", one.template, one.values))
    return found + check_entry_points(entry_points)


def warn_message(blocks: Sequence[BlockDraft], topics: Mapping[int, str] | None = None) -> list[Problem]:
    """What deserves a second look before saving, with fields like those of `check_message`.

    `topics` are the names by id, for what a promise says and its topic's name does not cover.
    """
    found = []
    for place, block in enumerate(blocks):
        for one in _warn_block(block, topics or {}, is_last=place == len(blocks) - 1):
            found.append(Problem(f"blocks.{place}.{one.field}", one.template, one.values))
    return found


def check_block(kind: str, content: dict[str, Any], *, topic_id: int | None = None) -> list[Problem]:
    """What forbids saving one block; `topic_id` is what a block that asks for an opt-in asks about."""
    known = find_kind(kind)
    if known is None:
        return [problem("kind", N_("There is no block called “{kind}”."), kind=kind)]
    return known.check(BlockDraft(kind, content, topic_id))


def clean_block(block: BlockDraft) -> BlockDraft:
    """The block as it is kept: only the fields of its kind, texts normalised, a topic only where it asks."""
    known = find_kind(block.kind)
    if known is None:
        return block
    topic_id = block.topic_id if isinstance(known, AskingKind) else None
    return BlockDraft(known.name, known.clean(block.content), topic_id)


def render(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The `message` of a checked block for the Send API, with the first-name placeholders still in it."""
    return kind_of(kind).render(content)


def check_entry_points(entry_points: Sequence[EntryDraft]) -> list[Problem]:
    """What is wrong with the entry points of one message, apart from what other messages have."""
    found: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    if len(entry_points) > KEYWORDS_LIMIT:
        found.append(
            problem("entry_points", N_("A message has at most {limit} entry points."), limit=KEYWORDS_LIMIT)
        )
    for entry in entry_points:
        found += _check_entry_point(entry)
        key = (entry.kind, entry_key(entry.kind, entry.value))
        if key in seen:
            found.append(problem("entry_points", N_("“{value}” is there twice."), value=entry.value))
        seen.add(key)
    return found


def check_taken(entry_points: Sequence[EntryDraft], owners: Mapping[tuple[str, str], str]) -> list[Problem]:
    """Each entry point leads to one message; `owners` names those that have one, by kind and `entry_key`."""
    wanted = [(entry, owners.get((entry.kind, entry_key(entry.kind, entry.value)))) for entry in entry_points]
    return [_taken(entry, owner) for entry, owner in wanted if owner is not None]


def check_against_stop_words(entry_points: Sequence[EntryDraft], known: Sequence[str]) -> list[Problem]:
    """Whoever writes a stop word wants no notifications: it cannot start a message as well."""
    words = N_("“{value}” is a stop word of the fanpage: whoever writes it wants no notifications.")
    keywords = [entry.value for entry in entry_points if entry.kind == EntryKind.KEYWORD]
    return [
        problem("entry_points", words, value=value.strip())
        for value in keywords
        if find_stop_word(value, known)
    ]


def _taken(entry: EntryDraft, owner: str) -> Problem:
    if entry.kind == EntryKind.GET_STARTED:
        words = N_("The Get Started button already starts “{name}”; remove it there first.")
        return problem("entry_points", words, name=owner)
    words = N_("“{value}” already starts “{name}”; remove it there first.")
    return problem("entry_points", words, value=clean_value(entry.kind, entry.value), name=owner)


def check_name(name: str) -> list[Problem]:
    if is_blank(name):
        return [problem("name", N_("Give the message a name; customers never see it."))]
    if length(name) > NAME_LIMIT:
        return [problem("name", N_("A message's name has at most {limit} characters."), limit=NAME_LIMIT)]
    return []


def _check_entry_point(entry: EntryDraft) -> list[Problem]:
    value = clean_value(entry.kind, entry.value)
    match entry.kind:
        case EntryKind.GET_STARTED:
            return []
        case EntryKind.KEYWORD if not value or length(value) > KEYWORD_LIMIT:
            words = N_("A keyword has between 1 and {limit} characters.")
            return [problem("entry_points", words, limit=KEYWORD_LIMIT)]
        case EntryKind.KEYWORD if entry.match not in tuple(KeywordMatch):
            return [problem("entry_points", N_("A keyword matches “exact” or “contains”."))]
        case EntryKind.KEYWORD:
            return []
        case EntryKind.REF if not REF_PATTERN.fullmatch(value):
            words = N_("A link's name may hold letters without marks, digits and - _ . : only: “{value}”.")
            return [problem("entry_points", words, value=value[:60])]
        case EntryKind.REF:
            return []
    return [problem("entry_points", N_("There is no entry point called “{kind}”."), kind=entry.kind)]


def _warn_block(block: BlockDraft, topics: Mapping[int, str], *, is_last: bool) -> list[Problem]:
    known = find_kind(block.kind)
    if known is None:
        return []
    followed = [] if is_last else known.warn_when_followed()
    topic = topics.get(block.topic_id) if block.topic_id is not None else None
    hints = known.warn_topic(block.content, topic) if isinstance(known, AskingKind) and topic else []
    return followed or known.warn(block.content) + hints
