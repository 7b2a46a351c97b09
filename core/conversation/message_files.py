"""A message as a JSON file, for `message add FILE.json` and `message show ID`. See docs/message-files.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.conversation.blocks.message_file_block import FileBlock
from core.conversation.blocks.registry import find_kind, kind_of
from core.conversation.drafts import BlockDraft, EntryDraft, MessageDraft
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_kinds.registry import COMPOSED
from core.conversation.queries import MessageView, topic_names
from core.conversation.translations import is_language
from core.errors import N_, Invalid, problem
from core.text.normalise import name_key


def draft_from_json(fanpage_id: int, data: object) -> MessageDraft:
    """What the file says, ready for `save_message`. Shapes are checked here, wording and limits there."""
    if not isinstance(data, Mapping):
        raise Invalid([problem("file", N_("The file must hold one JSON object: a message."))])
    topics = {name_key(name): topic_id for topic_id, name in topic_names(fanpage_id).items()}
    blocks = _blocks(data, topics)
    entries = [_entry_point(item) for item in _list(data, "entry_points")]
    return MessageDraft(_text(data, "name"), blocks, entries, _translations(data, topics))


def to_json(view: MessageView, translations: Mapping[str, MessageView] | None = None) -> dict[str, Any]:
    """The form that `draft_from_json` reads back, with the id beside it; `translations` by language."""
    said = {language: _written(each) for language, each in (translations or {}).items()}
    return {
        "id": view.id,
        "name": view.name,
        "blocks": _written(view),
        **({"translations": said} if said else {}),
        "entry_points": [
            COMPOSED[each.kind].write(EntryDraft(each.kind, each.match, each.value))
            for each in view.entry_points
        ],
    }


def _written(view: MessageView) -> list[dict[str, Any]]:
    return [kind_of(block.kind).write(block.content, block.topic_name) for block in view.blocks]


def _translations(data: Mapping[Any, Any], topics: dict[str, int]) -> dict[str, list[BlockDraft]]:
    given = data.get("translations") or {}
    if not isinstance(given, Mapping) or not all(is_language(str(code)) for code in given):
        words = N_("“translations” must be an object: a language such as “en”, and its list of blocks.")
        raise Invalid([problem("translations", words)])
    return {
        code: _blocks({"blocks": blocks}, topics, f"translations.{code}") for code, blocks in given.items()
    }


def _blocks(data: Mapping[Any, Any], topics: dict[str, int], where: str = "blocks") -> list[BlockDraft]:
    return [_block(item, topics, f"{where}.{place}") for place, item in enumerate(_list(data, "blocks"))]


def _block(item: object, topics: dict[str, int], path: str) -> BlockDraft:
    if not isinstance(item, Mapping):
        raise Invalid([problem(path, N_("Each block is a JSON object with a “kind”."))])
    kind = find_kind(_kind(item))
    if kind is None:
        return BlockDraft(_kind(item))  # which `check_message` speaks of
    return kind.read(FileBlock(item, path, topics))


def _entry_point(item: object) -> EntryDraft:
    if isinstance(item, str):  # the name of a kind that needs no more, or a keyword
        stands_alone = item in COMPOSED and COMPOSED[item].stands_alone
        return EntryDraft(item) if stands_alone else COMPOSED[EntryKind.KEYWORD].read({"value": item})
    if not isinstance(item, Mapping):
        raise Invalid([problem("entry_points", N_("Each entry point is a JSON object with a “kind”."))])
    kind = COMPOSED.get(_kind(item))
    return kind.read(item) if kind else EntryDraft(_kind(item))  # which `check_message` speaks of


def _kind(item: Mapping[Any, Any]) -> str:
    return str(item.get("kind") or item.get("type") or "").strip().lower()


def _text(data: Mapping[Any, Any], field: str) -> str:
    value = data.get(field)
    if value is None or isinstance(value, str):
        return value or ""
    raise Invalid([problem(field, N_("“{name}” must be text."), name=field)])


def _list(data: Mapping[Any, Any], field: str) -> list[Any]:
    value = data.get(field)
    if value is None or isinstance(value, list):
        return value or []
    raise Invalid([problem(field, N_("“{name}” must be a list."), name=field)])
