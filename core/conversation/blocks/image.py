"""A picture, fetched by Messenger from a public web address. Field: `url`."""

from __future__ import annotations

from typing import Any

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.kind import BlockKind, Content
from core.conversation.blocks.titles import check_link, clean_link
from core.conversation.blocks.wording import said
from core.conversation.drafts import BlockDraft
from core.errors import N_, Problem
from core.messenger import wire


class Image(BlockKind):
    name = "image"
    fits_broadcast = True

    def clean(self, content: Content) -> dict[str, Any]:
        return {"url": clean_link(content)}

    def check(self, block: BlockDraft) -> list[Problem]:
        return check_link("url", block.content.get("url"), N_("Give the web address of the picture."))

    def render(self, content: Content) -> wire.Message:
        return wire.image(said(content, "url"))

    def draw(self, message: wire.Message) -> list[Bubble]:
        attachment = message.get("attachment") or {}
        if attachment.get("type") != "image":
            return []
        return [Bubble(Shape.PICTURE, str((attachment.get("payload") or {}).get("url") or ""))]
