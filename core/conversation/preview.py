"""What the phone of the preview shows: blocks while they are written, and messages that were sent (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.conversation.blocks.broadcast_answers import with_replies
from core.conversation.blocks.bubble import Bubble, Shape, replies_of
from core.conversation.blocks.kind import AskingKind
from core.conversation.blocks.registry import KINDS, kind_of
from core.conversation.drafts import BlockDraft
from core.conversation.placeholders import personalise
from core.messenger import wire
from core.text.normalise import is_blank


def bubbles_of(
    kind: str, content: Mapping[str, Any], *, first_name: str | None = "Lan", tapped: bool = False
) -> list[Bubble]:
    """The bubbles that a customer sees of one block, also while it is being written; what follows a tap comes
    last."""
    return bubbles_of_blocks([BlockDraft(kind, dict(content))], first_name=first_name, tapped=tapped)


def bubbles_of_blocks(blocks: Sequence[BlockDraft], *, first_name: str | None, tapped: bool) -> list[Bubble]:
    """A message as its customer sees it: the customer taps when every block has arrived."""
    messages = [with_replies(kind_of(block.kind).render(block.content), block.content) for block in blocks]
    thanks = [wire.text(after) for block in blocks if tapped and not is_blank(after := _after(block))]
    drawn = [_drawn(personalise(message, first_name)) for message in (*messages, *thanks)]
    return [replace(bubble, tapped=tapped) for bubbles in drawn for bubble in bubbles]


def bubbles_of_wire(
    message: Mapping[str, Any], *, mine: bool = False, tapped: bool = False, at: str = "", key: str = ""
) -> list[Bubble]:
    """A `message` object of the Send API, or of a customer; `at` is the time to print above it, `key` what
    the wire calls it."""
    first, *others = _drawn(dict(message))
    return [replace(one, mine=mine, tapped=tapped, key=key) for one in (replace(first, at=at), *others)]


def _after(block: BlockDraft) -> str:
    """What the bot answers to a tap on the block."""
    kind = kind_of(block.kind)
    return kind.promise(block.content).after if isinstance(kind, AskingKind) else ""


def _drawn(message: wire.Message) -> list[Bubble]:
    """By the kind of block that such a message is; one of no known kind is shown as its text."""
    drawn = (bubbles for kind in KINDS.values() if (bubbles := kind.draw(message)))
    *others, last = next(drawn, [Bubble(Shape.TEXT, str(message.get("text") or ""))])
    return [*others, replace(last, replies=replies_of(message.get("quick_replies") or []))]
