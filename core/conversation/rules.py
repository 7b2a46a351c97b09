"""What a message may say and what may start it: checks and warnings, all pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from core.consent.stop_words import find_stop_word
from core.conversation.blocks.broadcast_answers import with_replies
from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import find_kind, kind_of
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.entry_kinds.registry import written_kinds
from core.conversation.entry_points import check_entry_points
from core.errors import N_, Problem, problem
from core.text.normalise import is_blank
from core.text.utf16_units import length

NAME_LIMIT = 120
BLOCKS_LIMIT = 10  # ours: a customer who gets more at once stops reading


class ReplyState(StrEnum):
    """A message sent by PSID inside the window: a bot's answer, or a request."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the platform may have taken it; never sent again on its own
    SKIPPED = "skipped"  # the window closed first, or a colleague answered


def check_message(
    name: str, blocks: Sequence[BlockDraft], entry_points: Sequence[EntryDraft]
) -> list[Problem]:
    """What forbids saving a message. The field of a block's problem names the block: "blocks.0.text"."""
    found = check_name(name)
    if not blocks:
        found.append(problem("blocks", N_("Add at least one block: what should the customer read?")))
    if len(blocks) > BLOCKS_LIMIT:
        found.append(problem("blocks", N_("A message can have at most {limit} blocks."), limit=BLOCKS_LIMIT))
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
    return with_replies(kind_of(kind).render(content), content)


def check_against_stop_words(entry_points: Sequence[EntryDraft], known: Sequence[str]) -> list[Problem]:
    """Whoever writes a stop word wants no notifications: it cannot start a message as well."""
    words = N_("“{value}” is a stop word of the fanpage: customers write it to stop notifications.")
    keywords = [entry.value for entry in entry_points if entry.kind in written_kinds()]
    return [
        problem("entry_points", words, value=value.strip())
        for value in keywords
        if find_stop_word(value, known)
    ]


def check_name(name: str) -> list[Problem]:
    if is_blank(name):
        return [problem("name", N_("Give the message a name; customers never see it."))]
    if length(name) > NAME_LIMIT:
        return [
            problem(
                "name", N_("The name of a message can have at most {limit} characters."), limit=NAME_LIMIT
            )
        ]
    return []


def _warn_block(block: BlockDraft, topics: Mapping[int, str], *, is_last: bool) -> list[Problem]:
    known = find_kind(block.kind)
    if known is None:
        return []
    followed = [] if is_last else known.warn_when_followed()
    topic = topics.get(block.topic_id) if block.topic_id is not None else None
    hints = known.warn_topic(block.content, topic) if isinstance(known, AskingKind) and topic else []
    return followed or known.warn(block.content) + hints
