"""A picture: from a public web address, or uploaded ("upload:" and its name). Field: `url`."""

from __future__ import annotations

from core.conversation.blocks.bubble import Shape
from core.conversation.blocks.kind import Content
from core.conversation.blocks.links import check_picture
from core.conversation.blocks.media import MediaKind
from core.conversation.drafts import BlockDraft
from core.errors import N_, Problem
from core.pictures.rules import name_in


class Image(MediaKind):
    name = "image"
    shape = Shape.PICTURE
    missing = N_("Enter the web address of the image.")

    def check(self, block: BlockDraft) -> list[Problem]:
        return check_picture("url", block.content.get("url"), self.missing)

    def pictures(self, content: Content) -> set[str]:
        name = name_in(content.get("url"))
        return {name} if name else set()
