"""A file to download, such as a price list, fetched by Messenger from a public web address. Field: `url`."""

from __future__ import annotations

from core.conversation.blocks.bubble import Shape
from core.conversation.blocks.media import MediaKind
from core.errors import N_


class File(MediaKind):
    name = "file"
    shape = Shape.FILE
    missing = N_("Enter the web address of the file.")
