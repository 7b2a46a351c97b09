"""The kinds of blocks there are. A new kind is a file of this folder and a line here."""

from __future__ import annotations

from core.conversation.blocks.buttons import Buttons
from core.conversation.blocks.card import Card
from core.conversation.blocks.carousel import Carousel
from core.conversation.blocks.file import File
from core.conversation.blocks.image import Image
from core.conversation.blocks.kind import AskingKind, BlockKind
from core.conversation.blocks.otnr import Otnr
from core.conversation.blocks.quick_replies import QuickReplies
from core.conversation.blocks.text import Text
from core.conversation.blocks.video import Video

# By name, in the order in which the composer offers them.
KINDS: dict[str, BlockKind] = {
    kind.name: kind
    for kind in (
        Text(),
        Image(),
        Card(),
        Carousel(),
        Buttons(),
        Video(),
        File(),
        QuickReplies(),
        Otnr(),
    )
}


def find_kind(name: object) -> BlockKind | None:
    """The kind of that name; None when there is none, as in a file that somebody wrote by hand."""
    return KINDS.get(str(name))


def kind_of(name: str) -> BlockKind:
    """The kind of a block that was checked before. KeyError when there is none of that name."""
    return KINDS[name]


def asks_for_opt_in(name: str) -> bool:
    return isinstance(kind_of(name), AskingKind)


def kinds_that_ask() -> list[str]:
    """The names of the kinds that ask for an opt-in, for a statement that looks for their blocks."""
    return [name for name in KINDS if asks_for_opt_in(name)]


def kinds_for_broadcasts() -> list[str]:
    """The names of the kinds that a broadcast may be."""
    return [name for name, kind in KINDS.items() if kind.fits_broadcast]
