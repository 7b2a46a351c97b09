"""A text. Fields: `text`, `fallback`. How long it may be: core/messenger/message_limits.py."""

from __future__ import annotations

from typing import Any

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.kind import BlockKind, Content
from core.conversation.blocks.personal_text import (
    check_personal_text,
    clean_personal_text,
    warn_personal_text,
    write_personal_text,
)
from core.conversation.drafts import BlockDraft
from core.errors import Problem
from core.messenger import message_limits, wire


class Text(BlockKind):
    name = "text"
    fits_broadcast = True

    def clean(self, content: Content) -> dict[str, Any]:
        return clean_personal_text(content)

    def check(self, block: BlockDraft) -> list[Problem]:
        return check_personal_text(block.content, message_limits.TEXT_LIMIT)

    def warn(self, content: Content) -> list[Problem]:
        return warn_personal_text(content)

    def render(self, content: Content) -> wire.Message:
        return wire.text(write_personal_text(content))

    def draw(self, message: wire.Message) -> list[Bubble]:
        is_plain = "text" in message and not message.get("quick_replies")
        return [Bubble(Shape.TEXT, str(message["text"] or ""))] if is_plain else []
