"""What a message says and what starts it, as a draft or a version keeps it: one JSON object (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from core.conversation.blocks.registry import find_kind
from core.conversation.drafts import BlockDraft, EntryDraft


def to_stored(blocks: Sequence[BlockDraft], entry_points: Sequence[EntryDraft]) -> dict[str, Any]:
    return {
        "blocks": [asdict(block) for block in blocks],
        "entry_points": [asdict(entry) for entry in entry_points],
    }


def blocks_in(stored: Mapping[str, Any]) -> list[BlockDraft]:
    """Kinds of block that there are no more are left out."""
    found = [BlockDraft(**_known(BlockDraft, one)) for one in stored["blocks"]]
    return [block for block in found if find_kind(block.kind)]


def entries_in(stored: Mapping[str, Any]) -> list[EntryDraft]:
    return [EntryDraft(**_known(EntryDraft, one)) for one in stored["entry_points"]]


def _known(kind: type[Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that there are today: what a version of long ago kept beside them is not read."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in stored.items() if name in names}
