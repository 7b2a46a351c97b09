"""A video, fetched by Messenger from a public web address. Field: `url`."""

from __future__ import annotations

from core.conversation.blocks.bubble import Shape
from core.conversation.blocks.media import MediaKind
from core.errors import N_


class Video(MediaKind):
    name = "video"
    shape = Shape.VIDEO
    missing = N_("Enter the web address of the video.")
