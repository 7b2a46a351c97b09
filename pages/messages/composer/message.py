"""The composer: blocks and entry points at the left, the customer's phone at the right."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.conversation import actions, queries
from core.conversation.rules import EntryKind, check_message, check_name
from core.errors import NotFound
from core.fanpages.queries import FanpageView
from pages.components.address import asked_id
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.blocks import add_buttons, edit_blocks
from pages.components.block_editor.fields import bind_input, draw_problems
from pages.components.block_editor.forms.form import EditorContext
from pages.components.block_editor.preview import draw_preview
from pages.components.layout import empty_state, page_header, section
from pages.components.session import Current, current, do, flash, see_fanpage
from pages.components.styles import draw_editor_styles
from pages.components.texts import _
from pages.messages.composer.entry_points import edit_entries, entry_context
from pages.messages.composer.head import draw_head, draw_start, draw_unsaved


def draw_page() -> None:
    here = current()
    view = _asked_for()
    if view is not None:
        see_fanpage(view.fanpage_id)
    if here.fanpage is None:
        _lost(_("Connect a fanpage first; its messages live here."), _("Connect a fanpage"), "setup")
    else:
        _compose(here, here.fanpage, view)


def _asked_for() -> queries.MessageView | None:
    """The message named in the address; none for a new one. Stops when there is no such message."""
    if "id" not in st.query_params:
        return None
    try:
        return queries.get_message(asked_id() or 0)
    except NotFound:
        _lost(_("There is no such message (any more)."), _("All messages"), "messages")
        st.stop()


def _lost(sentence: str, button: str, page: str) -> None:
    page_header(_("Message"), "", key="message")
    empty_state("search_off", sentence, button=button, page=page, key="message")


def _compose(here: Current, fanpage: FanpageView, view: queries.MessageView | None) -> None:
    draft = drafts.open_draft(str(view.id) if view else f"new-{fanpage.id}", view)
    locked = not here.actor.may(Permission.EDIT) or (view is not None and view.is_archived)
    draw_editor_styles()
    wants_saving = draw_head(here.actor, draft, view, locked)
    notes = st.container()
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        _write(draft, fanpage, view, locked)
    with right, st.container(key="composer_phone"):
        draw_preview(draft, page_name=fanpage.name)
    with notes:
        if wants_saving:
            _save(here, fanpage.id, draft, view)
        if not locked:
            draw_unsaved(draft)


def _write(draft: drafts.Draft, fanpage: FanpageView, view: queries.MessageView | None, locked: bool) -> None:
    bind_input(
        st.text_input,
        draft,
        "name",
        _("Name of the message (only your team sees it)"),
        f"message_{draft['uid']}_name",
        disabled=locked,
        placeholder=_("Welcome"),
    )
    draw_problems(check_name(draft["name"]) if draft["tried"] else [])
    section(_("Content"))
    entries = entry_context(draft, fanpage, view, is_locked=locked)
    context = EditorContext(queries.topic_names(fanpage.id), queries.message_names(fanpage.id), locked)
    if not draft["blocks"] and not locked:
        draw_start(draft, start_is_free=entries.is_free(EntryKind.GET_STARTED))
    edit_blocks(draft, context)
    if not locked:
        add_buttons(draft)
    section(_("The bot sends this message when…"))
    edit_entries(draft, entries)


def _save(here: Current, fanpage_id: int, draft: drafts.Draft, view: queries.MessageView | None) -> None:
    blocks, entries = drafts.blocks_of(draft), drafts.entries_of(draft)
    if check_message(draft["name"], blocks, entries):
        st.error(_("Not saved yet: the lines in red below say what is missing."), icon=":material/error:")
        return
    message_id = do(
        lambda: actions.save_message(
            here.actor,
            fanpage_id,
            message_id=view.id if view else None,
            name=draft["name"],
            blocks=blocks,
            entry_points=entries,
            now=utc_now(),
            seen_at=draft["seen_at"],
        )
    )
    if message_id is not None:
        flash(_("Saved. The bot uses it from now on."))
        drafts.discard_draft()
        st.query_params["id"] = str(message_id)
        st.rerun()


draw_page()
