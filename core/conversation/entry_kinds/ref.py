"""A link into the chat, m.me/<page>?ref=<name>, and its QR code.

https://developers.facebook.com/docs/messenger-platform/discovery/m-me-links
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from core.conversation.drafts import EntryDraft
from core.conversation.entry_kinds.kind import (
    ComposedKind,
    CustomerAct,
    Fields,
    FoundEntry,
    KnownEntry,
    found,
    joined_list,
    split_list,
)
from core.conversation.entry_kinds.names import EntryKind
from core.errors import N_, Problem, problem
from core.text.identifiers import unwrapped
from core.text.matching import search_key

_SAFE = re.compile(r"[A-Za-z0-9+/=.:_-]{1,200}")  # what survives in a link as it is
_MADE_LIMIT = 60  # characters of a name that we make; ours: short links are easier to type and to scan


class Ref(ComposedKind):
    name = EntryKind.REF
    named, plain, listed = N_("Link “{value}”"), N_("Link"), N_("Link: {value}")
    is_bubble = False
    fields: ClassVar[Fields] = {"refs": ""}

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:
        if not act.ref:
            return None
        same = [entry for entry in known if entry.value == act.ref]
        wanted = self.key(link_name(act.ref))
        alike = [entry for entry in known if self.key(entry.value) == wanted]
        return found(next(iter(same or alike), None))

    def clean(self, entry: EntryDraft) -> EntryDraft:
        return EntryDraft(self.name, None, link_name(entry.value))

    def key(self, value: str) -> str:
        return value.lower()

    def check(self, entry: EntryDraft) -> list[Problem]:
        if _SAFE.fullmatch(entry.value):
            return []
        words = N_("A link can't be named “{value}”: use 1 to 200 letters or digits.")
        return [problem("entry_points", words, value=entry.value[:60])]

    def typed(self, fields: Fields) -> list[EntryDraft]:
        return [EntryDraft(self.name, None, link_name(ref)) for ref in split_list(fields["refs"])]

    def fill(self, entries: Sequence[EntryDraft]) -> dict[str, Any]:
        return {"refs": joined_list([entry.value for entry in entries])}


def link_name(typed: str) -> str:
    """A name that survives in a link: itself, or one made of it ("Hoa Tết 2027" gives hoa-tet-2027)."""
    name = unwrapped(typed)
    if _SAFE.fullmatch(name):
        return name
    made = re.sub(r"[^a-z0-9]+", "-", search_key(name)).strip("-")[:_MADE_LIMIT].rstrip("-")
    return made or name


def link_address(page_id: str, ref: str) -> str:
    """The address that opens the chat and tells us the name of the link."""
    return f"https://m.me/{page_id}?ref={ref}"
