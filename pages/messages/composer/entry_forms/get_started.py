"""Whether the Get Started button of a new chat starts the message."""

from __future__ import annotations

import streamlit as st

from core.conversation.entry_kinds.names import EntryKind
from pages.components.block_editor.draft import Draft
from pages.components.first_values import show_first
from pages.components.texts import _
from pages.messages.composer.entry_forms.form import EntryContext, EntryForm


class GetStartedForm(EntryForm):
    name = EntryKind.GET_STARTED

    def draw(self, draft: Draft, key: str, context: EntryContext) -> None:
        show_first(f"{key}_start", draft["get_started"])
        draft["get_started"] = st.toggle(
            _("A new customer presses “Get Started”"), key=f"{key}_start", disabled=context.is_locked
        )
