"""A text with buttons. Fields: `text`, `fallback`, `buttons` (button_kinds.py says what a button may do)."""

from __future__ import annotations

from typing import Any, ClassVar

from core.conversation.blocks.bubble import Bubble, Shape, taps_of
from core.conversation.blocks.button_kinds import (
    check_buttons,
    clean_button,
    render_button,
    topics_asked_by,
    topics_named_by,
)
from core.conversation.blocks.choices import Choice, ChoiceKind
from core.conversation.blocks.kind import Content, text_in
from core.conversation.blocks.personal_text import write_personal_text
from core.errors import Problem
from core.messenger import message_limits, wire


class Buttons(ChoiceKind):
    name = "buttons"
    fits_broadcast = True
    listed = "buttons"
    text_limit = message_limits.BUTTON_TEXT_LIMIT
    blank: ClassVar[Content] = {"buttons": [{}]}

    def clean_choice(self, choice: Choice) -> dict[str, Any]:
        return clean_button(choice)

    def check_choices(self, choices: list[Choice]) -> list[Problem]:
        return check_buttons(choices)

    def topic_ids(self, content: Content) -> set[int]:
        return topics_named_by(self.choices_of(content))

    def asked_topics(self, content: Content) -> set[int]:
        return topics_asked_by(self.choices_of(content))

    def render(self, content: Content) -> wire.Message:
        buttons = [render_button(button) for button in self.choices_of(content)]
        return wire.buttons(write_personal_text(content), buttons)

    def draw(self, message: wire.Message) -> list[Bubble]:
        payload = wire.template_of(message, "button")
        if payload is None:
            return []
        return [Bubble(Shape.CARD, text_in(payload, "text"), taps_of(payload.get("buttons") or []))]
