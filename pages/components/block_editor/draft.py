"""The message in the fields of a page, as plain values: what was typed, before it is cleaned and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.conversation.blocks.broadcast_answers import FIELDS as UNDER
from core.conversation.blocks.broadcast_answers import clean_answers
from core.conversation.blocks.registry import kind_of
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.entry_points import fields_of, typed_entries
from core.conversation.rules import clean_block
from pages.components.block_editor import undo

Draft = dict[str, Any]
Block = dict[str, Any]  # a block's fields as they are typed, its kind and topic_id, and a uid for its widgets
# Beside the fields of a carousel: the place of the card that is being written, and of the one to open next.
OPEN_CARD, CARD_TO_OPEN = "open_card", "card_to_open"


def blocks_of(draft: Draft) -> list[BlockDraft]:
    """The blocks as they are saved; what belongs to the composer only is left out."""
    blocks = [clean_block(BlockDraft(block["kind"], block, block["topic_id"])) for block in draft["blocks"]]
    under = clean_answers(draft.get("under") or {})  # of a broadcast, which is one block
    return [replace(block, content={**block.content, **under}) for block in blocks] if under else blocks


def entries_of(draft: Draft) -> list[EntryDraft]:
    return typed_entries(draft)


def add_block(
    draft: Draft, kind: str, content: Mapping[str, Any] | None = None, *, place: int | None = None
) -> None:
    """Adds an empty block, or one that already says something: at that place, or as the last."""
    blocks = draft["blocks"]
    blocks.insert(len(blocks) if place is None else place, _block(kind, dict(content or {}), None))


def copy_block(draft: Draft, place: int) -> None:
    """Puts the same block below it once more."""
    draft["blocks"].insert(place + 1, _with_uid(draft["blocks"][place]))


def open_under(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a broadcast has beside its block, to be written: its quick replies, and what follows an answer."""
    held: dict[str, Any] = {"replies": [], "after_message_id": 0}
    return _with_uid({**held, **{field: content[field] for field in UNDER if content.get(field)}})


def move_block(draft: Draft, place: int, step: int) -> None:
    blocks = draft["blocks"]
    blocks.insert(place + step, blocks.pop(place))


def remove_block(draft: Draft, place: int) -> None:
    undo.take_out(draft["blocks"], place)


def add_choice(choices: list[dict[str, Any]], fields: Mapping[str, Any] | None = None) -> None:
    """Appends an empty button, quick reply or card to those of a block."""
    choices.append(_with_uid(fields or {}))


def copy_choice(choices: list[dict[str, Any]], place: int) -> None:
    """Puts the same card after it once more."""
    choices.insert(place + 1, _with_uid(choices[place]))


def move_choice(choices: list[dict[str, Any]], place: int, step: int) -> None:
    choices.insert(place + step, choices.pop(place))


def remove_choice(choices: list[dict[str, Any]], place: int) -> None:
    undo.take_out(choices, place)


def new_draft() -> Draft:
    """A draft that says nothing yet."""
    draft: Draft = {"name": "", "blocks": [], "tried": False}
    load_entries(draft, ())
    return draft


def load_blocks(draft: Draft, blocks: Iterable[BlockDraft]) -> None:
    """Puts these blocks in place of what is shown, in fields that remember nothing."""
    draft["blocks"] = [_block(block.kind, dict(block.content), block.topic_id) for block in blocks]


def load_entries(draft: Draft, entries: Iterable[EntryDraft]) -> None:
    """Puts what starts the message in place of what is shown, in fields that remember nothing."""
    draft.update({**fields_of(list(entries)), "uid": next_uid()})


def _block(kind: str, content: dict[str, Any], topic_id: int | None) -> Block:
    blank = {field: value for field, value in kind_of(kind).blank.items() if not content.get(field)}
    return _with_uid({**content, **blank, "kind": kind, "topic_id": topic_id})


def _with_uid(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with an id for the keys of its widgets, for itself and for whatever is listed in it."""
    lists = {name: list(map(_with_uid, value)) for name, value in fields.items() if isinstance(value, list)}
    return {**fields, **lists, "uid": next_uid()}


def next_uid() -> int:
    """Never used before in this session, so that no widget inherits another one's text."""
    st.session_state["composer_uid"] = st.session_state.get("composer_uid", 0) + 1
    return int(st.session_state["composer_uid"])
