"""A comment on one of the fanpage's posts, which the bot answers in private.

Facebook takes one message for each comment, within seven days, and more only when the customer has answered.
Assumed, as nowhere stated: that the author's id of a comment is their PSID, and that a private reply may be
any kind of message, an OTNR as well.
https://developers.facebook.com/documentation/business-messaging/messenger-platform/discovery/private-replies
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from core.conversation.drafts import EntryDraft, KeywordMatch
from core.conversation.entry_kinds.keyword import check_keyword, keyword_key
from core.conversation.entry_kinds.kind import (
    ComposedKind,
    CustomerAct,
    Fields,
    FoundEntry,
    KnownEntry,
    found,
    joined_list,
    split_list,
    value_in,
)
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.keyword_rules import find_keyword
from core.errors import N_, Problem, problem
from core.text.normalise import normalise_name

ANY = "any"  # in the place of a match: whatever the comment says


class Comment(ComposedKind):
    name = EntryKind.COMMENT
    named, plain, listed = N_("Comment with “{value}”"), N_("Comment"), N_("Comment: {value}")
    is_bubble = False
    webhook_field = "feed"
    fields: ClassVar[Fields] = {"comment_words": "", "comment_any": False}

    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:
        if act.comment is None:
            return None
        won = find_keyword([entry for entry in known if entry.match != ANY], act.comment)
        if won is not None:
            return FoundEntry(won.message_id, self.name, won.value)
        return found(next((entry for entry in known if entry.match == ANY), None))

    def clean(self, entry: EntryDraft) -> EntryDraft:
        if entry.match == ANY:
            return EntryDraft(self.name, ANY)
        return EntryDraft(self.name, entry.match or KeywordMatch.CONTAINS, normalise_name(entry.value))

    def key(self, value: str) -> str:
        return keyword_key(value) if value else ""

    def check(self, entry: EntryDraft) -> list[Problem]:
        return [] if entry.match == ANY else check_keyword(entry)

    def taken(self, entry: EntryDraft, owner: str) -> Problem:
        if entry.match == ANY:
            words = N_("Any comment already starts “{name}”; turn it off there first.")
            return problem("entry_points", words, name=owner)
        words = N_("Comments with “{value}” already start “{name}”; remove it there first.")
        return problem("entry_points", words, value=entry.value, name=owner)

    def typed(self, fields: Fields) -> list[EntryDraft]:
        whatever = [EntryDraft(self.name, ANY)] if fields["comment_any"] else []
        words = split_list(fields["comment_words"])
        return [*(EntryDraft(self.name, KeywordMatch.CONTAINS, word) for word in words), *whatever]

    def fill(self, entries: Sequence[EntryDraft]) -> dict[str, Any]:
        return {
            "comment_words": joined_list([entry.value for entry in entries if entry.match != ANY]),
            "comment_any": any(entry.match == ANY for entry in entries),
        }

    def read(self, item: Mapping[Any, Any]) -> EntryDraft:
        return EntryDraft(self.name, str(item.get("match") or KeywordMatch.CONTAINS), value_in(item))
