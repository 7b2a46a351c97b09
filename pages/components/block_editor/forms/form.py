"""What the composer has to know of a kind of block: what it is called, and how its fields are edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pages.components.block_editor.draft import Block


@dataclass(frozen=True)
class EditorContext:
    """What blocks may refer to, by name, and whether this reader may only look at them."""

    topics: Mapping[int, str]
    messages: Mapping[int, str]
    locked: bool


@dataclass(frozen=True)
class BlockForm:
    """`edit` draws the fields of a block and writes what was typed into the block."""

    word: str
    icon: str
    edit: Callable[[Block, EditorContext], None]
    heading: str = ""  # over the fields, where it is not the word
    broadcast_word: str = ""  # among the kinds of a broadcast, where it is not the word
