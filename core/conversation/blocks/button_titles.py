"""Titles of buttons: made clean, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.conversation.blocks.kind import text_in
from core.errors import N_, Problem, problem
from core.text.normalise import normalise_name
from core.text.utf16_units import length


def clean_title(content: Mapping[str, Any]) -> str:
    return normalise_name(text_in(content, "title"))


def check_title(field: str, title: object, limit: int) -> list[Problem]:
    words = normalise_name(str(title or ""))
    if not words:
        return [problem(field, N_("Write the button's text."))]
    if length(words) > limit:
        text = N_("“{title}” has {count} characters; Messenger cuts buttons off after {limit}.")
        return [problem(field, text, title=words[:60], count=length(words), limit=limit)]
    return []
