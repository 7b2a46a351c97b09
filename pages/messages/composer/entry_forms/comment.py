"""The comments on posts that the message answers in private."""

from __future__ import annotations

import streamlit as st

from core.conversation.entry_kinds.names import EntryKind
from pages.components.block_editor.draft import Draft, entries_of
from pages.components.first_values import show_first
from pages.components.texts import _
from pages.messages.composer.entry_forms.form import EntryContext, EntryForm, draw_words


class CommentForm(EntryForm):
    name = EntryKind.COMMENT

    def draw(self, draft: Draft, key: str, context: EntryContext) -> None:
        draw_words(
            draft,
            "comment_words",
            _("They comment on a post of the fanpage, with the words"),
            key,
            context,
            placeholder=_("price, buy"),
            help=_("The chatbot answers the author in private. Accents work as with keywords."),
        )
        show_first(f"{key}_comment_any", draft["comment_any"])
        draft["comment_any"] = st.toggle(
            _("Any other comment"), key=f"{key}_comment_any", disabled=context.is_locked
        )
        if any(entry.kind == self.name for entry in entries_of(draft)):
            self._explain(draft)

    def _explain(self, draft: Draft) -> None:
        st.caption(
            _(
                "Facebook accepts one message for each comment, within seven days, and sends us "
                "comments once you have published under Entry points."
            )
        )
        if len(draft["blocks"]) > 1:
            st.caption(
                _(
                    "So a comment only gets the first block. Add a button that leads to a message "
                    "with the rest: the chatbot can write to anyone who taps it."
                )
            )
