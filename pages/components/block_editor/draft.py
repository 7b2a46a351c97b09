"""The message being written, kept in the session as plain values until it is saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.conversation.blocks.registry import kind_of
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.entry_points import fields_of, typed_entries
from core.conversation.queries import MessageView
from core.conversation.rules import clean_block
from core.text.normalise import normalise_name

Draft = dict[str, Any]
Block = dict[str, Any]  # a block's fields as they are typed, its kind and topic_id, and a uid for its widgets
_HELD = "composer"


def open_draft(key: str, view: MessageView | None) -> Draft:
    """The draft under that key: the unsaved one when there is one, else a new look at what is kept."""
    held: Draft | None = st.session_state.get(_HELD)
    if held is None or held["key"] != key or (_is_outdated(held, view) and not is_changed(held)):
        held = st.session_state[_HELD] = _loaded(key, view)
    return held


def discard_draft() -> None:
    st.session_state.pop(_HELD, None)


def blocks_of(draft: Draft) -> list[BlockDraft]:
    """As they are saved; what belongs to the composer only is left out."""
    return [clean_block(BlockDraft(block["kind"], block, block["topic_id"])) for block in draft["blocks"]]


def entries_of(draft: Draft) -> list[EntryDraft]:
    return typed_entries(draft)


def try_saving(draft: Draft) -> None:
    """From now on every field says what is wrong with it."""
    draft["tried"] = True


def is_changed(draft: Draft) -> bool:
    return bool(_snapshot(draft) != draft["kept"])


def add_block(
    draft: Draft, kind: str, content: Mapping[str, Any] | None = None, *, place: int | None = None
) -> None:
    """Adds an empty block, or one that already says something: at that place, or as the last."""
    blocks = draft["blocks"]
    blocks.insert(len(blocks) if place is None else place, _block(kind, dict(content or {}), None))


def copy_block(draft: Draft, place: int) -> None:
    """Puts the same block below it once more."""
    draft["blocks"].insert(place + 1, _with_uid(draft["blocks"][place]))


def move_block(draft: Draft, place: int, step: int) -> None:
    blocks = draft["blocks"]
    blocks.insert(place + step, blocks.pop(place))


def remove_block(draft: Draft, place: int) -> None:
    del draft["blocks"][place]


def add_choice(choices: list[dict[str, Any]], fields: Mapping[str, Any] | None = None) -> None:
    """Appends an empty button, quick reply or card to those of a block."""
    choices.append(_with_uid(fields or {}))


def move_choice(choices: list[dict[str, Any]], place: int, step: int) -> None:
    choices.insert(place + step, choices.pop(place))


def remove_choice(choices: list[dict[str, Any]], place: int) -> None:
    del choices[place]


def _loaded(key: str, view: MessageView | None) -> Draft:
    blocks = [_block(b.kind, dict(b.content), b.topic_id) for b in view.blocks] if view else []
    entries = view.entry_points if view else ()
    draft: Draft = {
        "key": key,
        "uid": _next_uid(),
        "seen_at": view.updated_at if view else None,
        "name": view.name if view else "",
        "blocks": blocks,
        **fields_of([EntryDraft(entry.kind, entry.match, entry.value) for entry in entries]),
        "tried": False,
    }
    draft["kept"] = _snapshot(draft)
    return draft


def _block(kind: str, content: dict[str, Any], topic_id: int | None) -> Block:
    blank = {field: value for field, value in kind_of(kind).blank.items() if not content.get(field)}
    return _with_uid({**content, **blank, "kind": kind, "topic_id": topic_id})


def _with_uid(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with an id for the keys of its widgets, for itself and for whatever is listed in it."""
    lists = {name: list(map(_with_uid, value)) for name, value in fields.items() if isinstance(value, list)}
    return {**fields, **lists, "uid": _next_uid()}


def _snapshot(draft: Draft) -> str:
    blocks = [[b.kind, b.content, b.topic_id] for b in blocks_of(draft)]
    entries = [[e.kind, e.match, e.value] for e in entries_of(draft)]
    return json.dumps([normalise_name(draft["name"]), blocks, entries], sort_keys=True)


def _is_outdated(held: Draft, view: MessageView | None) -> bool:
    return view is not None and held["seen_at"] != view.updated_at


def _next_uid() -> int:
    """Never used before in this session, so that no widget inherits another one's text."""
    st.session_state["composer_uid"] = st.session_state.get("composer_uid", 0) + 1
    return int(st.session_state["composer_uid"])
