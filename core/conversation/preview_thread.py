"""A conversation as it is tapped through on the preview: what the bot would say next (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.drafts import BlockDraft
from core.conversation.entry_points import message_in
from core.conversation.payloads import STOP_PAYLOAD
from core.conversation.preview import bubbles_of_blocks
from core.conversation.wording_tests import read_by
from core.errors import N_

STOPPED = N_("The chatbot confirms: no more notifications like this.")
SILENT = N_("This is just an answer: the chatbot doesn't reply to it.")
GONE = N_("This message no longer exists; the chatbot would say nothing.")
Blocks = Sequence[BlockDraft]


@dataclass(frozen=True)
class Step:
    """Something that was tapped: what the customer says by it, and what goes back to us."""

    said: str
    payload: str


def in_wording(variant: str, blocks: Blocks) -> list[BlockDraft]:
    """The blocks as one half of the customers reads them, "a" or "b"."""
    return [replace(block, content=dict(read_by(variant, block.content))) for block in blocks]


def thread_of(
    blocks: Blocks,
    steps: Sequence[Step],
    find_blocks: Callable[[int], Blocks | None],
    say: Callable[[str], str],
    *,
    after: int | None,
    first_name: str | None,
    tapped: bool,
    variant: str = "a",
) -> list[Bubble]:
    """The message, and for each step what follows it. `find_blocks` knows the other messages, `say`
    translates; `after` is the message that follows an answer that leads nowhere else; `variant` is the half
    of the customers whose phone it is, where a request has two wordings."""

    def drawn(blocks: Blocks) -> list[Bubble]:
        return bubbles_of_blocks(in_wording(variant, blocks), first_name=first_name, tapped=tapped)

    bubbles = drawn(blocks)
    for step in steps:
        bubbles.append(Bubble(Shape.TEXT, step.said, mine=True))
        if step.payload.startswith(STOP_PAYLOAD):
            bubbles.append(Bubble(Shape.NOTE, say(STOPPED)))
            continue
        leads_to = message_in(step.payload) or after
        after = None  # it follows the first answer only
        found = find_blocks(leads_to) if leads_to else None
        if found is None:
            bubbles.append(Bubble(Shape.NOTE, say(GONE if leads_to else SILENT)))
        else:
            bubbles += drawn(found)
    return bubbles
