"""The keywords that start the message, and which of them get in the way of other messages."""

from __future__ import annotations

from core.conversation.drafts import KeywordMatch
from core.conversation.entry_kinds.kind import KnownEntry
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.keyword_rules import find_clashes
from core.errors import N_
from pages.components.block_editor.draft import Draft, entries_of
from pages.components.texts import _
from pages.messages.composer.entry_forms.form import EntryContext, EntryForm, draw_words
from pages.messages.keyword_clashes import draw_clashes

LABELS = {
    KeywordMatch.CONTAINS: N_("Their message contains the words"),
    KeywordMatch.STARTS_WITH: N_("Their message starts with"),
    KeywordMatch.EXACT: N_("Their message is exactly"),
}


MATCHES = {
    KeywordMatch.CONTAINS: N_("contains it"),
    KeywordMatch.STARTS_WITH: N_("starts with it"),
    KeywordMatch.EXACT: N_("is exactly it"),
}


class KeywordForm(EntryForm):
    name = EntryKind.KEYWORD

    def draw(self, draft: Draft, key: str, context: EntryContext) -> None:
        for match in KeywordMatch:
            draw_words(
                draft,
                match,
                _(LABELS[match]),
                key,
                context,
                placeholder=_("price, sale, how much"),
                help=_(
                    "Separate keywords with commas. They match whole words; case and punctuation "
                    "don't matter. Accents matter only if the customer types accents: a message "
                    "without any matches either way."
                ),
            )
        own = [
            KnownEntry(context.message_id, entry.kind, entry.match, entry.value)
            for entry in entries_of(draft)
            if entry.kind == self.name
        ]
        others = [entry for entry in context.others if entry.kind == self.name]
        ours = [
            clash
            for clash in (find_clashes([*others, *own]) if own else [])
            if any(entry.message_id == context.message_id for entry in (clash.winner, *clash.others))
        ]
        draw_clashes(ours, {**context.names, context.message_id: _("this message")})
