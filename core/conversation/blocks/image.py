"""A picture: from a public web address, or uploaded ("upload:" and its name). Field: `url`."""

from __future__ import annotations

from core.conversation.blocks.bubble import Shape
from core.conversation.blocks.media import MediaKind
from core.errors import N_


class Image(MediaKind):
    name = "image"
    shape = Shape.PICTURE
    missing = N_("Give the web address of the picture.")
