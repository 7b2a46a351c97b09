"""What the invented shop of the demo says to customers whose Messenger speaks English."""

from __future__ import annotations

from collections.abc import Mapping

from core.conversation.blocks.buttons import Buttons
from core.conversation.blocks.otnr import Otnr
from core.conversation.blocks.text import Text
from core.conversation.drafts import BlockDraft
from core.demo import story

LANGUAGE = "en"
_HELLO = (
    "Hello {{first_name}}, this is Mai Hoa! Fresh flowers every morning, vegan cosmetics delivered the same "
    "day. What are you looking for?"
)
# By the name of the message: what it says, its promise, its thanks, and its button on the welcome.
_SAID = {
    story.NEW_PRODUCTS.message: (
        "Every month Mai Hoa brings out a new line of vegan cosmetics. Next comes the matte lipstick Mai Đỏ: "
        "6 colours, lead-free. Shall we write to you when its launch offer begins?",
        "Tell me when there is an offer on new products",
        "Thank you, {{first_name|dear customer}}! We will write to you once, about exactly this.",
        "New products",
    ),
    story.PEONIES.message: (
        "Dutch peonies come in small numbers and are gone quickly. Shall we write to you as soon as they are "
        "here?",
        "Tell me when the peonies are in the shop",
        "We have noted your name, {{first_name|dear customer}}. You hear from us as soon as they arrive!",
        "Peonies",
    ),
    story.TET.message: (
        "Peach from Nhật Tân, yellow apricot and orchids: we open our order book two months before Tết, and "
        "the days of delivery are taken early.",
        "Remind me when orders for Tết flowers open",
        "We will write to {{first_name|you}} first when the order book for Tết opens.",
        "Tết flowers",
    ),
}


def asking_blocks(message: str, topic_id: int) -> dict[str, list[BlockDraft]]:
    """The translation of a story's message, by language."""
    says, promise, thanks, _button = _SAID[message]
    asks = BlockDraft(Otnr.name, {"title": promise, "after": thanks}, topic_id)
    return {LANGUAGE: [BlockDraft(Text.name, {"text": says, "fallback": ""}), asks]}


def welcome_blocks(message_ids: Mapping[str, int]) -> dict[str, list[BlockDraft]]:
    """The translation of the welcome, by language."""
    buttons = [{"title": said[-1], "message_id": message_ids[message]} for message, said in _SAID.items()]
    return {LANGUAGE: [BlockDraft(Buttons.name, {"text": _HELLO, "fallback": "there", "buttons": buttons})]}
