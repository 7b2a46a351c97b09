"""A message as a JSON file, for `message add FILE.json` and `message show ID`. See docs/message-files.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.conversation.kinds import STOP_ALL
from core.conversation.queries import MessageView, topic_names
from core.conversation.rules import BlockDraft, BlockKind, EntryDraft, EntryKind, KeywordMatch, MessageDraft
from core.errors import N_, Invalid, problem
from core.text.normalise import name_key

_CHOICES = {BlockKind.BUTTONS: "buttons", BlockKind.QUICK_REPLIES: "replies"}
_VALUE_NAMES = ("value", "keyword", "ref")


def draft_from_json(fanpage_id: int, data: object) -> MessageDraft:
    """What the file says, ready for `save_message`. Shapes are checked here, wording and limits there."""
    if not isinstance(data, Mapping):
        raise Invalid([problem("file", N_("The file must hold one JSON object: a message."))])
    topics = {name_key(name): topic_id for topic_id, name in topic_names(fanpage_id).items()}
    blocks = [_block(item, topics, place) for place, item in enumerate(_list(data, "blocks"))]
    entries = [_entry_point(item) for item in _list(data, "entry_points")]
    return MessageDraft(_text(data, "name"), blocks, entries)


def to_json(view: MessageView) -> dict[str, Any]:
    """The form that `draft_from_json` reads back, with the id beside it."""
    return {
        "id": view.id,
        "name": view.name,
        "blocks": [
            {"kind": b.kind, **b.content, **({"topic": b.topic_name} if b.kind == BlockKind.OTNR else {})}
            for b in view.blocks
        ],
        "entry_points": [
            {
                "kind": e.kind,
                **({"match": e.match} if e.match else {}),
                **({"value": e.value} if e.value else {}),
            }
            for e in view.entry_points
        ],
    }


def _block(item: object, topics: dict[str, int], place: int) -> BlockDraft:
    field = f"blocks.{place}"
    if not isinstance(item, Mapping):
        raise Invalid([problem(field, N_("Each block is a JSON object with a “kind”."))])
    kind = _kind(item)
    content = {key: value for key, value in item.items() if key not in ("kind", "type", "topic", "topic_id")}
    for key, value in content.items():
        if key in _CHOICES.values():
            content[key] = [_with_topic(choice, topics, field) for choice in _choices(field, value)]
        elif not isinstance(value, str | None):
            raise Invalid([problem(f"{field}.{key}", N_("“{name}” must be a text."), name=key)])
    if kind != BlockKind.OTNR:
        return BlockDraft(kind, content)
    return BlockDraft(kind, content, _topic(item.get("topic", item.get("topic_id")), topics, field))


def _choices(field: str, value: object) -> list[dict[str, Any]]:
    """Buttons or quick replies: objects whose "message_id", if any, is a whole number."""
    choices = value if isinstance(value, list) else None
    for choice in choices if choices is not None else [None]:
        good = isinstance(choice, dict) and _is_number_or_none(choice.get("message_id"))
        if not good:
            words = N_("Buttons and quick replies are a list of objects with a “title” and where they lead.")
            raise Invalid([problem(field, words)])
    return [dict(choice) for choice in choices or []]


def _is_number_or_none(value: object) -> bool:
    return isinstance(value, int | None) and not isinstance(value, bool)


def _with_topic(choice: dict[str, Any], topics: dict[str, int], field: str) -> dict[str, Any]:
    """A button that stops notifications names "all" or a topic."""
    wanted = choice.get("stop")
    return {**choice, "stop": _topic(wanted, topics, field)} if wanted not in (None, STOP_ALL) else choice


def _topic(wanted: object, topics: dict[str, int], field: str) -> int | None:
    """By id, or by name (`topics` has its `name_key`); None, which `check_message` speaks of, for neither."""
    if wanted is None or wanted == "":
        return None
    if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted in topics.values():
        return wanted
    found = topics.get(name_key(str(wanted)))
    if found is None:
        words = N_("There is no topic called “{topic}” on this fanpage.")
        raise Invalid([problem(f"{field}.topic", words, topic=str(wanted)[:80])])
    return found


def _entry_point(item: object) -> EntryDraft:
    if isinstance(item, str):  # "get_started", or a keyword
        return EntryDraft(item) if item == EntryKind.GET_STARTED else _keyword(item, None)
    if not isinstance(item, Mapping):
        raise Invalid([problem("entry_points", N_("Each entry point is a JSON object with a “kind”."))])
    value = next((str(item[name]) for name in _VALUE_NAMES if item.get(name)), "")
    kind = _kind(item)
    return _keyword(value, item.get("match")) if kind == EntryKind.KEYWORD else EntryDraft(kind, None, value)


def _keyword(value: str, match: object) -> EntryDraft:
    return EntryDraft(EntryKind.KEYWORD, str(match or KeywordMatch.CONTAINS), value)


def _kind(item: Mapping[Any, Any]) -> str:
    return str(item.get("kind") or item.get("type") or "").strip().lower()


def _text(data: Mapping[Any, Any], field: str) -> str:
    value = data.get(field)
    if value is None or isinstance(value, str):
        return value or ""
    raise Invalid([problem(field, N_("“{name}” must be a text."), name=field)])


def _list(data: Mapping[Any, Any], field: str) -> list[Any]:
    value = data.get(field)
    if value is None or isinstance(value, list):
        return value or []
    raise Invalid([problem(field, N_("“{name}” must be a list."), name=field)])
