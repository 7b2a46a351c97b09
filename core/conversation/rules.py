"""Messages and blocks: what may be said. The front door of this feature's pure parts for other features."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.consent.rules import check_promise, length
from core.consent.stop_words import find_stop_word
from core.conversation.entry_points import entry_key as entry_key
from core.conversation.folding import fold as fold
from core.conversation.kinds import GET_STARTED_PAYLOAD as GET_STARTED_PAYLOAD
from core.conversation.kinds import MESSAGE_PAYLOAD as MESSAGE_PAYLOAD
from core.conversation.kinds import BlockDraft as BlockDraft
from core.conversation.kinds import BlockKind as BlockKind
from core.conversation.kinds import EntryDraft as EntryDraft
from core.conversation.kinds import EntryKind as EntryKind
from core.conversation.kinds import KeywordMatch as KeywordMatch
from core.conversation.kinds import MessageDraft as MessageDraft
from core.conversation.kinds import ReplyState as ReplyState
from core.conversation.promises import warn_promise as warn_promise
from core.conversation.rendering import has_placeholder, longest_length, strange_placeholder
from core.conversation.rendering import personalise as personalise
from core.conversation.rendering import render as render
from core.errors import N_, Problem, problem
from core.messenger import wire

NAME_LIMIT = 120
BLOCKS_LIMIT = 10  # ours: a customer who gets more at once stops reading
TEXT_MOST = wire.TEXT_LIMIT - 1  # the platform's limit is "less than"
KEYWORD_LIMIT = 100
KEYWORDS_LIMIT = 50
REF_PATTERN = re.compile(r"[A-Za-z0-9+/=.:_-]{1,200}")  # what survives in a link as it is
_LINK = re.compile(r"https?://[^\s/{}<>\"]+\.[^\s/{}<>\"]+(?:/[^\s{}<>\"]*)?", re.IGNORECASE)


def check_message(
    name: str, blocks: Sequence[BlockDraft], entry_points: Sequence[EntryDraft]
) -> list[Problem]:
    """What stands against saving; a block's problems name its place: "blocks.0.text"."""
    found = check_name(name)
    if not blocks:
        found.append(problem("blocks", N_("Add at least one block: what should the customer read?")))
    if len(blocks) > BLOCKS_LIMIT:
        found.append(problem("blocks", N_("A message has at most {limit} blocks."), limit=BLOCKS_LIMIT))
    for place, block in enumerate(blocks):
        for one in check_block(block.kind, block.content, topic_id=block.topic_id):
            found.append(Problem(f"blocks.{place}.{one.field}", one.template, one.values))
    return found + check_entry_points(entry_points)


def warn_message(blocks: Sequence[BlockDraft]) -> list[Problem]:
    """What deserves a second look before saving, placed like the problems of `check_message`."""
    found = []
    for place, block in enumerate(blocks):
        for one in _warn_block(block, is_last=place == len(blocks) - 1):
            found.append(Problem(f"blocks.{place}.{one.field}", one.template, one.values))
    return found


def check_block(kind: str, content: dict[str, Any], *, topic_id: int | None = None) -> list[Problem]:
    """`topic_id` matters to an OTNR only; everything else is in the content."""
    match kind:
        case BlockKind.TEXT:
            return _check_text(content, TEXT_MOST)
        case BlockKind.IMAGE:
            return _check_link("url", content.get("url"), N_("Give the web address of the picture."))
        case BlockKind.BUTTONS:
            return _check_text(content, wire.BUTTON_TEXT_LIMIT) + _check_buttons(content.get("buttons") or [])
        case BlockKind.QUICK_REPLIES:
            return _check_text(content, TEXT_MOST) + _check_replies(content.get("replies") or [])
        case BlockKind.OTNR:
            return _check_otnr(content, topic_id)
    return [problem("kind", N_("There is no block called “{kind}”."), kind=kind)]


def check_entry_points(entry_points: Sequence[EntryDraft]) -> list[Problem]:
    found: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    if len(entry_points) > KEYWORDS_LIMIT:
        found.append(
            problem("entry_points", N_("A message has at most {limit} entry points."), limit=KEYWORDS_LIMIT)
        )
    for entry in entry_points:
        found += _check_entry_point(entry)
        key = (entry.kind, entry_key(entry.kind, entry.value))
        if key in seen:
            found.append(problem("entry_points", N_("“{value}” is there twice."), value=entry.value))
        seen.add(key)
    return found


def check_taken(entry_points: Sequence[EntryDraft], owners: Mapping[tuple[str, str], str]) -> list[Problem]:
    """Each entry point leads to one message; `owners` names those that have one, by kind and `entry_key`."""
    wanted = [(entry, owners.get((entry.kind, entry_key(entry.kind, entry.value)))) for entry in entry_points]
    return [_taken(entry, owner) for entry, owner in wanted if owner is not None]


def check_against_stop_words(entry_points: Sequence[EntryDraft], known: Sequence[str]) -> list[Problem]:
    """Whoever writes a stop word wants no notifications: it cannot start a message as well."""
    words = N_("“{value}” is a stop word of the fanpage: whoever writes it wants no notifications.")
    keywords = [entry.value for entry in entry_points if entry.kind == EntryKind.KEYWORD]
    return [
        problem("entry_points", words, value=value.strip())
        for value in keywords
        if find_stop_word(value, known)
    ]


def _taken(entry: EntryDraft, owner: str) -> Problem:
    if entry.kind == EntryKind.GET_STARTED:
        words = N_("The Get Started button already starts “{name}”; remove it there first.")
        return problem("entry_points", words, name=owner)
    words = N_("“{value}” already starts “{name}”; remove it there first.")
    return problem("entry_points", words, value=entry.value.strip(), name=owner)


def check_name(name: str) -> list[Problem]:
    if not name.strip():
        return [problem("name", N_("Give the message a name; customers never see it."))]
    if len(name.strip()) > NAME_LIMIT:
        return [problem("name", N_("A message's name has at most {limit} characters."), limit=NAME_LIMIT)]
    return []


def _check_text(content: dict[str, Any], limit: int, field: str = "text") -> list[Problem]:
    text, fallback = str(content.get(field) or ""), str(content.get("fallback") or "")
    if not text.strip():
        return [problem(field, N_("Write what the customer should read."))]
    return _check_wording(field, text, fallback, limit)


def _check_wording(field: str, text: str, fallback: str, limit: int) -> list[Problem]:
    strange = strange_placeholder(text)
    if strange:
        words = N_("{placeholder} means nothing here; only {known} is filled in.")
        return [problem(field, words, placeholder=strange, known="{{first_name}}")]
    if "{" in fallback or "}" in fallback:
        return [problem("fallback", N_("Braces cannot stand in for a name."))]
    count = longest_length(text, fallback)
    if count > limit:
        words = N_("The text has {count} characters (with room for a name); Messenger allows {limit}.")
        return [problem(field, words, count=count, limit=limit)]
    return []


def _check_link(field: str, value: object, missing: str) -> list[Problem]:
    link = str(value or "").strip()
    if not link:
        return [problem(field, missing)]
    if not _LINK.fullmatch(link):
        words = N_("“{value}” is no web address; it starts with https://.")
        return [problem(field, words, value=link[:60])]
    return []


def _check_title(field: str, title: object, limit: int) -> list[Problem]:
    words = str(title or "").strip()
    if not words:
        return [problem(field, N_("Write what the button says."))]
    if length(words) > limit:
        text = N_("“{title}” has {count} characters; Messenger cuts buttons off after {limit}.")
        return [problem(field, text, title=words[:60], count=length(words), limit=limit)]
    return []


def _check_buttons(buttons: Sequence[dict[str, Any]]) -> list[Problem]:
    if not 1 <= len(buttons) <= wire.BUTTONS_LIMIT:
        return [problem("buttons", N_("Between 1 and {limit} buttons, please."), limit=wire.BUTTONS_LIMIT)]
    found = []
    for place, button in enumerate(buttons):
        found += _check_title(f"buttons.{place}.title", button.get("title"), wire.BUTTON_TITLE_LIMIT)
        if not (button.get("message_id") or button.get("stop")):
            missing = N_("Choose where the button leads: a web address or a message.")
            found += _check_link(f"buttons.{place}.url", button.get("url"), missing)
    return found


def _check_replies(replies: Sequence[dict[str, Any]]) -> list[Problem]:
    limit = wire.QUICK_REPLIES_LIMIT
    if not 1 <= len(replies) <= limit:
        return [problem("replies", N_("Between 1 and {limit} quick replies, please."), limit=limit)]
    found = []
    for place, reply in enumerate(replies):
        found += _check_title(f"replies.{place}.title", reply.get("title"), wire.QUICK_REPLY_TITLE_LIMIT)
        if not reply.get("message_id"):
            words = N_("Choose the message that answers this quick reply.")
            found.append(problem(f"replies.{place}.message_id", words))
    return found


def _check_otnr(content: dict[str, Any], topic_id: int | None) -> list[Problem]:
    title, after = str(content.get("title") or ""), str(content.get("after") or "")
    found = check_promise(title)
    if "{{" in title:
        found.append(problem("title", N_("A promise is the same for everybody: no names in it.")))
    if topic_id is None:
        found.append(problem("topic_id", N_("Choose the topic that this promise belongs to.")))
    return found + (_check_wording("after", after, "", TEXT_MOST) if after.strip() else [])


def _check_entry_point(entry: EntryDraft) -> list[Problem]:
    value = entry.value.strip()
    match entry.kind:
        case EntryKind.GET_STARTED:
            return []
        case EntryKind.KEYWORD if not value or len(value) > KEYWORD_LIMIT:
            words = N_("A keyword has between 1 and {limit} characters.")
            return [problem("entry_points", words, limit=KEYWORD_LIMIT)]
        case EntryKind.KEYWORD if entry.match not in tuple(KeywordMatch):
            return [problem("entry_points", N_("A keyword matches “exact” or “contains”."))]
        case EntryKind.KEYWORD:
            return []
        case EntryKind.REF if not REF_PATTERN.fullmatch(value):
            words = N_("A link's name may hold letters without marks, digits and - _ . : only: “{value}”.")
            return [problem("entry_points", words, value=value[:60])]
        case EntryKind.REF:
            return []
    return [problem("entry_points", N_("There is no entry point called “{kind}”."), kind=entry.kind)]


def _warn_block(block: BlockDraft, *, is_last: bool) -> list[Problem]:
    if block.kind == BlockKind.OTNR:
        return warn_promise(str(block.content.get("title") or ""))
    if block.kind == BlockKind.QUICK_REPLIES and not is_last:
        words = N_("Quick replies vanish as soon as another block follows; put them last.")
        return [problem("replies", words)]
    text = str(block.content.get("text") or "")
    unnamed = has_placeholder(text) and not block.content.get("fallback") and "|" not in text
    if unnamed:
        words = N_("Not every name is known: say what stands in its place.")
        return [problem("fallback", words)]
    return []
