"""Cards beside one another, which the customer swipes. Field: `cards` (core/conversation/blocks/card.py)."""

from __future__ import annotations

from typing import Any, ClassVar

from core.conversation.blocks.bubble import Bubble
from core.conversation.blocks.button_kinds import (
    buttons_of,
    messages_behind,
    topics_asked_by,
    topics_named_by,
)
from core.conversation.blocks.card import (
    check_card,
    clean_card,
    draw_cards,
    pictures_of_card,
    read_card,
    render_card,
    warn_card,
    words_of_card,
)
from core.conversation.blocks.kind import BlockKind, Content
from core.conversation.blocks.message_file_block import FileBlock
from core.conversation.drafts import BlockDraft
from core.errors import N_, Problem, problem
from core.messenger import message_limits, wire

LEAST = 2  # one alone is a card


class Carousel(BlockKind):
    name = "carousel"
    fits_broadcast = True
    is_assumed_by_token = True
    blank: ClassVar[Content] = {"cards": [{"buttons": []}, {"buttons": []}]}

    def clean(self, content: Content) -> dict[str, Any]:
        return {"cards": [clean_card(card) for card in cards_of(content)]}

    def check(self, block: BlockDraft) -> list[Problem]:
        cards, limit = cards_of(block.content), message_limits.CARDS_LIMIT
        if not LEAST <= len(cards) <= limit:
            words = N_("A carousel has {least} to {limit} cards.")
            return [problem("cards", words, least=LEAST, limit=limit)]
        return [one for place, card in enumerate(cards) for one in check_card(card, f"cards.{place}.")]

    def warn(self, content: Content) -> list[Problem]:
        return [one for card in cards_of(content) for one in warn_card(card)][:1]

    def words(self, content: Content) -> str:
        return "\n".join(words_of_card(card) for card in cards_of(content))

    def message_ids(self, content: Content) -> set[int]:
        return {id_ for card in cards_of(content) for id_ in messages_behind(buttons_of(card))}

    def topic_ids(self, content: Content) -> set[int]:
        return {id_ for card in cards_of(content) for id_ in topics_named_by(buttons_of(card))}

    def asked_topics(self, content: Content) -> set[int]:
        return {id_ for card in cards_of(content) for id_ in topics_asked_by(buttons_of(card))}

    def pictures(self, content: Content) -> set[str]:
        return {name for card in cards_of(content) for name in pictures_of_card(card)}

    def render(self, content: Content) -> wire.Message:
        return wire.cards([render_card(card) for card in cards_of(content)])

    def draw(self, message: wire.Message) -> list[Bubble]:
        return draw_cards(message) if wire.template_of(message, "generic") is not None else []

    def read(self, given: FileBlock) -> BlockDraft:
        return BlockDraft(self.name, {"cards": [read_card(card) for card in given.parts("cards")]})


def cards_of(content: Content) -> list[Content]:
    return list(content.get("cards") or [])
