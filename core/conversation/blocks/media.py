"""What pictures, videos and files have in common: one web address that Messenger fetches. Field: `url`."""

from __future__ import annotations

from typing import Any, ClassVar

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.kind import BlockKind, Content, text_in
from core.conversation.blocks.links import check_link, clean_link
from core.conversation.drafts import BlockDraft
from core.errors import Problem
from core.messenger import wire


class MediaKind(BlockKind):
    fits_broadcast = True
    shape: ClassVar[Shape]
    missing: ClassVar[str]  # what to say when there is no address

    def clean(self, content: Content) -> dict[str, Any]:
        return {"url": clean_link(content)}

    def check(self, block: BlockDraft) -> list[Problem]:
        return check_link("url", block.content.get("url"), self.missing)

    def words(self, content: Content) -> str:  # noqa: ARG002
        return ""

    def render(self, content: Content) -> wire.Message:
        return wire.media(self.name, text_in(content, "url"))

    def draw(self, message: wire.Message) -> list[Bubble]:
        url = wire.media_url(message, self.name)
        return [] if url is None else [Bubble(self.shape, url)]
