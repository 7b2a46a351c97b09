"""What a broadcast may say and when it may go out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from core.conversation.contents import cleaned
from core.conversation.rules import BlockDraft, BlockKind, check_block
from core.errors import N_, Invalid, Problem, problem
from core.text.length import cut, length
from core.text.normalise import normalise_name

NAME_LIMIT = 120
CONTENT_KINDS = (BlockKind.TEXT, BlockKind.IMAGE, BlockKind.BUTTONS)
LATE_START_GRACE = timedelta(minutes=1)


def check_content(content: dict[str, Any]) -> list[Problem]:
    """A token carries exactly one API message, so a broadcast is one block."""
    kind = content.get("kind")
    if kind not in CONTENT_KINDS:
        return [problem("content", N_("A broadcast is one text, one image, or one text with buttons."))]
    return check_block(BlockKind(kind), content)


def clean_content(content: dict[str, Any]) -> dict[str, Any]:
    """The content as it is kept and sent; what check_content refuses comes back as it is."""
    kind = content.get("kind")
    if kind not in CONTENT_KINDS:
        return content
    return {"kind": str(kind), **cleaned(BlockDraft(kind, content)).content}


def clean_name(name: str, topic: str, now_local: datetime) -> str:
    """A name as it is kept, made of topic and time when none is given; Invalid when it is too long."""
    named = normalise_name(name) or default_name(topic, now_local)
    if length(named) > NAME_LIMIT:
        raise Invalid([problem("name", N_("A name has at most {limit} characters."), limit=NAME_LIMIT)])
    return named


def check_times(due_at: datetime | None, best_before: datetime | None, now: datetime) -> list[Problem]:
    """`due_at` None means now. A past time is refused, so that nothing is sent by surprise."""
    found = []
    if due_at is not None and due_at < now - LATE_START_GRACE:
        found.append(problem("due_at", N_("The start is in the past; choose a later time, or launch now.")))
    if best_before is not None and best_before <= (due_at or now):
        found.append(
            problem(
                "best_before", N_("The best-before must be after the start; later than that nothing is sent.")
            )
        )
    return found


def default_name(topic: str, now_local: datetime) -> str:
    return cut(f"{topic} {now_local:%d.%m.%Y %H:%M}", NAME_LIMIT)
