"""What a broadcast may say and when it may go out (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.conversation.blocks.broadcast_answers import check_answers, clean_answers
from core.conversation.blocks.kind import BlockKind
from core.conversation.blocks.registry import find_kind
from core.conversation.blocks.text import Text
from core.conversation.drafts import BlockDraft
from core.errors import N_, Invalid, Problem, problem
from core.text.normalise import normalise_name
from core.text.utf16_units import cut, length

NAME_LIMIT = 120
BLANK: dict[str, Any] = {"kind": Text.name, "text": "", "fallback": ""}
LATE_START_GRACE = timedelta(minutes=1)
OPT_IN_SAVER = "opt_in_saver"  # as a broadcast keeps it: core/sending/senders
USUAL_SPAN = timedelta(hours=12)  # from the start to the best-before that nobody chose


class NotChosen(StrEnum):
    """Nobody has chosen a best-before: the launch sets the usual one."""

    USUAL = "usual"


USUAL = NotChosen.USUAL
BestBefore = datetime | None | NotChosen  # a moment; None: without limit


def settled_best_before(best_before: BestBefore, start: datetime) -> datetime | None:
    """The best-before of a broadcast that starts at `start`. The usual one depends on the start, a chosen one
    does not."""
    return start + USUAL_SPAN if isinstance(best_before, str) else best_before


def best_before_columns(best_before: BestBefore) -> tuple[datetime | None, bool]:
    """The columns in which a draft keeps its best-before: the moment, and whether somebody chose it."""
    return (None, False) if isinstance(best_before, str) else (best_before, True)


def saves_opt_ins(kept: str) -> bool:
    """Whether a broadcast that keeps this word spares the opt-ins of those who have just written."""
    return kept == OPT_IN_SAVER


def check_content(content: dict[str, Any]) -> list[Problem]:
    """A token carries exactly one API message, so a broadcast is one block, with quick replies under it."""
    kind = find_broadcast_kind(content)
    if kind is None:
        words = N_(
            "A broadcast is one block: a text, image, card, carousel, text with buttons, video or file."
        )
        return [problem("content", words)]
    return kind.check(BlockDraft(kind.name, content)) + check_answers(content)


def clean_content(content: dict[str, Any]) -> dict[str, Any]:
    """The content as it is kept and sent; what check_content refuses comes back as it is."""
    kind = find_broadcast_kind(content)
    return content if kind is None else {"kind": kind.name, **kind.clean(content), **clean_answers(content)}


def find_broadcast_kind(content: dict[str, Any]) -> BlockKind | None:
    """The kind of block that the content is; None when a broadcast cannot be such a block."""
    kind = find_kind(content.get("kind"))
    return kind if kind is not None and kind.fits_broadcast else None


def clean_name(name: str, default: str) -> str:
    """A name as it is kept, the default when none is given; Invalid when it is too long."""
    named = normalise_name(name) or default
    if length(named) > NAME_LIMIT:
        raise Invalid(
            [problem("name", N_("The name can have at most {limit} characters."), limit=NAME_LIMIT)]
        )
    return named


def check_times(due_at: datetime | None, best_before: datetime | None, now: datetime) -> list[Problem]:
    """`due_at` None means now. A past time is refused, so that nothing is sent by surprise."""
    found = []
    if due_at is not None and due_at < now - LATE_START_GRACE:
        found.append(problem("due_at", N_("The start is in the past; choose a later time, or launch now.")))
    if best_before is not None and best_before <= (due_at or now):
        found.append(
            problem("best_before", N_("The send-by time must be after the start; nothing is sent after it."))
        )
    return found


def default_name(topic: str, at: str) -> str:
    """The name of a broadcast that nobody named: its topic, and when it was begun, as people read it."""
    dated = f"– {at}"
    return f"{cut(topic, NAME_LIMIT - 1 - length(dated))} {dated}"
