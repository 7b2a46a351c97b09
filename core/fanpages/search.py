"""Finds fanpages by what somebody writes of their name or page id (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from core.fanpages.queries import FanpageView
from core.text.matching import search_key


def find_fanpages(fanpages: Sequence[FanpageView], words: str) -> list[FanpageView]:
    """The fanpages that have every word in their name, or in their page id; those first whose name begins
    with what was written. Case and marks do not matter."""
    wanted = search_key(words).split()
    found = [each for each in fanpages if _has_all(each, wanted)]
    return sorted(found, key=lambda each: not search_key(each.name).startswith(" ".join(wanted)))


def _has_all(fanpage: FanpageView, wanted: list[str]) -> bool:
    name = search_key(fanpage.name)
    return all(word in name or word in fanpage.page_id for word in wanted)
