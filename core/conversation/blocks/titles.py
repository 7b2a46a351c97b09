"""Titles of buttons and web addresses: made clean, and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.conversation.blocks.wording import said
from core.errors import N_, Problem, problem
from core.text.identifiers import unwrapped
from core.text.length import length
from core.text.normalise import normalise_name, storable

_LINK = re.compile(r"https?://[^\s/{}<>\"]+\.[^\s/{}<>\"]+(?:/[^\s{}<>\"]*)?", re.IGNORECASE)


def clean_title(content: Mapping[str, Any]) -> str:
    return normalise_name(said(content, "title"))


def check_title(field: str, title: object, limit: int) -> list[Problem]:
    words = normalise_name(str(title or ""))
    if not words:
        return [problem(field, N_("Write what the button says."))]
    if length(words) > limit:
        text = N_("“{title}” has {count} characters; Messenger cuts buttons off after {limit}.")
        return [problem(field, text, title=words[:60], count=length(words), limit=limit)]
    return []


def clean_link(content: Mapping[str, Any]) -> str:
    """Only the ends of an address are made clean: another spelling of its letters may be another address."""
    return unwrapped(storable(said(content, "url")))


def check_link(field: str, value: object, missing: str) -> list[Problem]:
    """What is wrong with a web address; `missing` is what to say when there is none."""
    link = unwrapped(str(value or ""))
    if not link:
        return [problem(field, missing)]
    if not _LINK.fullmatch(link):
        words = N_("“{value}” is no web address; it starts with https://.")
        return [problem(field, words, value=link[:60])]
    return []
