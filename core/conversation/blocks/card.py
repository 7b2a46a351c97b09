"""A card: a picture, a title, a line under it, and up to three buttons.

Fields: `title`, `subtitle`, `fallback`, `image_url`, `url` (opened by a tap on the card), `buttons` (each as
core/conversation/blocks/button_kinds.py says). The platform wants at least one thing beside the title.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from core.conversation.blocks import bubble
from core.conversation.blocks.bubble import Bubble, Shape, taps_of
from core.conversation.blocks.button_kinds import (
    buttons_of,
    check_buttons,
    clean_button,
    messages_behind,
    render_button,
    topics_asked_by,
    topics_named_by,
)
from core.conversation.blocks.button_titles import clean_title
from core.conversation.blocks.kind import BlockKind, Content, text_in
from core.conversation.blocks.links import check_link, check_picture, clean_link
from core.conversation.blocks.message_file_block import FileBlock
from core.conversation.blocks.personal_text import check_text
from core.conversation.drafts import BlockDraft
from core.conversation.placeholders import has_placeholder, unnamed, with_fallback
from core.errors import N_, Problem, problem
from core.messenger import message_limits, wire
from core.pictures.rules import name_in
from core.text.normalise import is_blank, normalise_name

_WORDS = (("title", message_limits.CARD_TITLE_LIMIT), ("subtitle", message_limits.CARD_SUBTITLE_LIMIT))


class Card(BlockKind):
    name = "card"
    fits_broadcast = True
    is_assumed_by_token = True
    blank: ClassVar[Content] = {"buttons": []}

    def clean(self, content: Content) -> dict[str, Any]:
        return clean_card(content)

    def check(self, block: BlockDraft) -> list[Problem]:
        return check_card(block.content)

    def warn(self, content: Content) -> list[Problem]:
        return warn_card(content)

    def words(self, content: Content) -> str:
        return words_of_card(content)

    def message_ids(self, content: Content) -> set[int]:
        return messages_behind(buttons_of(content))

    def topic_ids(self, content: Content) -> set[int]:
        return topics_named_by(buttons_of(content))

    def asked_topics(self, content: Content) -> set[int]:
        return topics_asked_by(buttons_of(content))

    def pictures(self, content: Content) -> set[str]:
        return pictures_of_card(content)

    def render(self, content: Content) -> wire.Message:
        return wire.cards([render_card(content)])

    def draw(self, message: wire.Message) -> list[Bubble]:
        return draw_cards(message) if len(_elements(message)) == 1 else []

    def read(self, given: FileBlock) -> BlockDraft:
        return BlockDraft(self.name, read_card(given))


def clean_card(content: Content) -> dict[str, Any]:
    return {
        "title": clean_title(content),
        "subtitle": normalise_name(text_in(content, "subtitle")),
        "fallback": normalise_name(text_in(content, "fallback")),
        "image_url": clean_link(content, "image_url"),
        "url": clean_link(content),
        "buttons": [clean_button(button) for button in buttons_of(content)],
    }


def check_card(content: Content, path: str = "") -> list[Problem]:
    """What is wrong with a card; `path` stands before the fields, as in "cards.0."."""
    fallback = text_in(content, "fallback")
    found = []
    for field, limit in _WORDS:
        found += check_text(field, text_in(content, field), fallback, limit)
    if is_blank(unnamed(text_in(content, "title"), fallback)):
        found.append(problem("title", N_("A card needs a title.")))
    elif not any(content.get(field) for field in ("subtitle", "image_url", "url", "buttons")):
        words = N_("Besides the title, Messenger needs one more thing: a subtitle, an image or a button.")
        found.append(problem("subtitle", words))
    if content.get("image_url"):
        found += check_picture("image_url", content["image_url"], "")
    if content.get("url"):
        found += check_link("url", content["url"], "")
    found += check_buttons(buttons_of(content), least=0)
    return [Problem(f"{path}{one.field}", one.template, one.values) for one in found]


def warn_card(content: Content) -> list[Problem]:
    words = words_of_card(content)
    if has_placeholder(words) and not content.get("fallback") and "|" not in words:
        return [problem("fallback", N_("Not every customer's name is known: enter what to say instead."))]
    return []


def pictures_of_card(content: Content) -> set[str]:
    name = name_in(content.get("image_url"))
    return {name} if name else set()


def words_of_card(content: Content) -> str:
    return "\n".join(word for field, _ in _WORDS if (word := text_in(content, field)))


def render_card(content: Content) -> wire.Card:
    title, subtitle = (
        with_fallback(text_in(content, field), text_in(content, "fallback")) for field, _ in _WORDS
    )
    buttons = [render_button(button) for button in buttons_of(content)]
    return wire.Card(title, subtitle, text_in(content, "image_url"), text_in(content, "url"), buttons)


def draw_cards(message: wire.Message) -> list[Bubble]:
    return [Bubble(Shape.CAROUSEL, cards=tuple(_drawn(element) for element in _elements(message)))]


def read_card(given: FileBlock) -> dict[str, Any]:
    return {**given.texts(but="buttons"), "buttons": given.choices("buttons")}


def _elements(message: wire.Message) -> Sequence[dict[str, Any]]:
    return (wire.template_of(message, "generic") or {}).get("elements") or []


def _drawn(element: dict[str, Any]) -> bubble.Card:
    action = element.get("default_action") or {}
    return bubble.Card(
        title=text_in(element, "title"),
        subtitle=text_in(element, "subtitle"),
        picture=text_in(element, "image_url"),
        url=text_in(action, "url"),
        taps=taps_of(element.get("buttons") or []),
    )
