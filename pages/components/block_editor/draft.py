"""The message being written, kept in the session as plain values until it is saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.conversation.contents import cleaned
from core.conversation.entry_points import clean_value
from core.conversation.kinds import STOP_ALL, STOP_PAYLOAD
from core.conversation.queries import EntryView, MessageView
from core.conversation.rules import BlockDraft, BlockKind, EntryDraft, EntryKind, KeywordMatch
from core.text.normalise import normalise_name

Draft = dict[str, Any]
Block = dict[str, Any]
_HELD = "composer"


def opened(key: str, view: MessageView | None) -> Draft:
    """The draft under that key: the unsaved one when there is one, else a new look at what is kept."""
    held: Draft | None = st.session_state.get(_HELD)
    if held is None or held["key"] != key or (_is_outdated(held, view) and not is_changed(held)):
        held = st.session_state[_HELD] = _loaded(key, view)
    return held


def drop() -> None:
    st.session_state.pop(_HELD, None)


def blocks_of(draft: Draft) -> list[BlockDraft]:
    return [BlockDraft(b["kind"], _content(b), b.get("topic_id")) for b in draft["blocks"]]


def entries_of(draft: Draft) -> list[EntryDraft]:
    start = [EntryDraft(EntryKind.GET_STARTED)] if draft["get_started"] else []
    keywords = [
        EntryDraft(EntryKind.KEYWORD, match, word) for match in KeywordMatch for word in split(draft[match])
    ]
    return [*start, *keywords, *(EntryDraft(EntryKind.REF, None, ref) for ref in refs_of(draft))]


def refs_of(draft: Draft) -> list[str]:
    """The names of the links that lead to the message."""
    return [clean_value(EntryKind.REF, ref) for ref in split(draft["refs"])]


def split(listed: str) -> list[str]:
    """What stands between commas."""
    return [word for part in listed.split(",") if (word := normalise_name(part))]


def try_saving(draft: Draft) -> None:
    """From now on every field says what is wrong with it."""
    draft["tried"] = True


def is_changed(draft: Draft) -> bool:
    return bool(_snapshot(draft) != draft["kept"])


def add_block(draft: Draft, kind: str, content: Mapping[str, Any] | None = None) -> None:
    """Appends an empty block, or one that already says something."""
    draft["blocks"].append(_block(kind, dict(content or {}), None))


def move_block(draft: Draft, place: int, step: int) -> None:
    blocks = draft["blocks"]
    blocks.insert(place + step, blocks.pop(place))


def remove_block(draft: Draft, place: int) -> None:
    del draft["blocks"][place]


def add_row(block: Block) -> None:
    block["rows"].append(_row({}))


def remove_row(block: Block, place: int) -> None:
    del block["rows"][place]


def _loaded(key: str, view: MessageView | None) -> Draft:
    blocks = [_block(b.kind, dict(b.content), b.topic_id) for b in view.blocks] if view else []
    entries = view.entry_points if view else ()
    draft: Draft = {
        "key": key,
        "uid": _next_uid(),
        "seen_at": view.updated_at if view else None,
        "name": view.name if view else "",
        "blocks": blocks,
        "get_started": any(e.kind == EntryKind.GET_STARTED for e in entries),
        "refs": _joined(entries, EntryKind.REF, None),
        **{match: _joined(entries, EntryKind.KEYWORD, match) for match in KeywordMatch},
        "tried": False,
    }
    draft["kept"] = _snapshot(draft)
    return draft


def _joined(entries: tuple[EntryView, ...], kind: str, match: str | None) -> str:
    return ", ".join(e.value.replace(",", " ") for e in entries if e.kind == kind and e.match == match)


def _block(kind: str, content: dict[str, Any], topic_id: int | None) -> Block:
    rows = content.pop("buttons", None) or content.pop("replies", None) or []
    has_rows = kind in (BlockKind.BUTTONS, BlockKind.QUICK_REPLIES)
    shown = [_row(row) for row in rows] or ([_row({})] if has_rows else [])
    return {"uid": _next_uid(), "kind": kind, "topic_id": topic_id, "rows": shown, **content}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uid": _next_uid(),
        "title": row.get("title", ""),
        "url": row.get("url", ""),
        "message_id": f"{STOP_PAYLOAD}{row['stop']}" if row.get("stop") else row.get("message_id"),
    }


def _content(block: Block) -> dict[str, Any]:
    """In the shape that rules know; `cleaned` drops what belongs to the composer only."""
    rows = [{"title": row["title"], **_target(row)} for row in block["rows"]]
    return cleaned(BlockDraft(block["kind"], {**block, "buttons": rows, "replies": rows})).content


def _target(row: Mapping[str, Any]) -> dict[str, Any]:
    """The composer keeps one choice for a message (its id) and for what a button stops (its payload)."""
    chosen = row["message_id"]
    if not isinstance(chosen, str):
        return {"url": row["url"], "message_id": chosen}
    wanted = chosen.removeprefix(STOP_PAYLOAD)
    return {"stop": wanted if wanted == STOP_ALL else int(wanted)}


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
