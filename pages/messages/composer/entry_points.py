"""What starts a message: the forms of the kinds of entry points, and what is wrong with what they hold."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.conversation import entry_point_queries, queries
from core.conversation.entry_points import check_entry_points, check_taken
from core.fanpages.queries import FanpageView
from pages.components.block_editor.draft import Draft, blocks_of, entries_of
from pages.components.block_editor.fields import draw_problems
from pages.components.texts import _
from pages.messages.composer.entry_forms.form import EntryContext
from pages.messages.composer.entry_forms.registry import FORMS


def entry_context(
    draft: Draft, fanpage: FanpageView, message_id: int, led_from: Sequence[str], *, is_locked: bool
) -> EntryContext:
    """What the entry points of the message have to be seen with; a new message has the id 0."""
    topics = queries.topic_names(fanpage.id)
    asked = [topics[block.topic_id] for block in blocks_of(draft) if block.topic_id in topics]
    return EntryContext(
        page_id=fanpage.page_id,
        message_id=message_id,
        names=queries.message_names(fanpage.id),
        others=entry_point_queries.known_entries(fanpage.id, but=message_id),
        owners=entry_point_queries.owners_of_entry_points(fanpage.id, but=message_id),
        led_from=led_from,
        caption=(asked or [draft["name"]])[0],
        is_locked=is_locked,
    )


def edit_entries(draft: Draft, context: EntryContext) -> None:
    with st.container(key="entry_card", border=True):
        for form in FORMS.values():
            form.draw(draft, f"entry_{draft['uid']}", context)
        if context.led_from:
            st.caption(
                _("Buttons in other messages also lead here: {names}", names=", ".join(context.led_from))
            )
        draw_problems(check_taken(entries_of(draft), context.owners))
        if draft["tried"]:
            draw_problems(check_entry_points(entries_of(draft)))
