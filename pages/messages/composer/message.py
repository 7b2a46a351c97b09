"""The composer: blocks and entry points at the left, the customer's phone at the right."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.accounts.rules import Permission
from core.conversation import draft_actions, draft_checks, queries
from core.conversation.drafts import BlockDraft
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.rules import NAME_LIMIT, check_name
from core.conversation.versions import Draft
from core.errors import NotFound, Problem
from core.fanpages.pictures import picture_of
from core.fanpages.queries import FanpageView
from core.testers.rules import About
from pages.components.address import asked_id
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.blocks import add_buttons, edit_blocks
from pages.components.block_editor.fields import bind_input, draw_problems, draw_warnings
from pages.components.block_editor.forms.form import EditorContext
from pages.components.block_editor.preview import draw_preview
from pages.components.character_counter import show_counter
from pages.components.layout import empty_state, page_header, section
from pages.components.session import Current, current, see_fanpage
from pages.components.styles import draw_editor_styles
from pages.components.test_dialog import draw_test_dialog
from pages.components.texts import _
from pages.messages.composer import conflict, publishing, saving, status_bar, versions
from pages.messages.composer.entry_points import edit_entries, entry_context
from pages.messages.composer.header import ask_about, draw_head, draw_start
from pages.messages.composer.languages import draw_languages


def draw_page() -> None:
    here = current()
    draft = _asked_for()
    if draft is not None:
        see_fanpage(draft.fanpage_id)
    if here.fanpage is None:
        _lost(_("Connect a fanpage first; its messages will appear here."), _("Connect a fanpage"), "setup")
    else:
        _compose(here, here.fanpage, draft)


def _asked_for() -> Draft | None:
    """The message named in the address; none for a new one. Stops when there is no such message."""
    if "id" not in st.query_params:
        return None
    try:
        return draft_actions.get_draft(asked_id() or 0)
    except NotFound:
        _lost(_("This message does not exist (any more)."), _("All messages"), "messages")
        st.stop()


def _lost(sentence: str, button: str, page: str) -> None:
    page_header(_("Message"), "", key="message")
    empty_state("search_off", sentence, button=button, page=page, key="message")


def _compose(here: Current, fanpage: FanpageView, draft: Draft | None) -> None:
    topics = queries.topic_names(fanpage.id)
    asked, begin, name = _begun(fanpage, topics)
    address = str(draft.id) if draft else asked
    fields = saving.open_fields(address, draft, begin=begin, name=name)
    locked = not here.actor.may(Permission.EDIT) or (draft is not None and draft.is_archived)
    draw_editor_styles()
    head = st.container()
    if draft is not None:
        conflict.draw(draft, partial(saving.keep_mine, here, fields, draft))
        versions.draw_versions(fields, draft, page_name=fanpage.name, locked=locked)
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        slot = st.container(key="composer_bar_place")
        notes = st.container()
        led_from = queries.leading_to(draft.id) if draft else []
        if draft is not None:
            draw_languages(here.actor, draft, locked=locked)
        with st.container(key="composer_fields"):
            _write(fields, fanpage, draft, _context(fanpage, topics, draft, locked), led_from)
    with right, st.container(key="composer_phone"):
        spoken, picture = draft.language if draft else None, picture_of(fanpage.id)
        draw_preview(fields, page_name=fanpage.name, picture=picture, spoken=spoken)
    if not locked:
        with notes:
            draft = saving.save(here, fanpage.id, fields, draft)
            problems = _problems(fields, draft)
            publishing.draw_refusal(fields, problems)
        with slot:
            wants_publishing = status_bar.draw_bar(here.actor, fields, draft, problems)
        if draft is not None:
            if wants_publishing and not saving.is_refused(fields):
                with notes:
                    publishing.ask_to_publish(here.actor, fields, draft, problems, led_from)
            publishing.draw_question(here.actor, draft)
        status_bar.lead_to_first(fields, problems)
    with head:
        draw_head(here.actor, fields, draft, locked)
    if draft is not None:
        draw_test_dialog(About.MESSAGE, draft.id, fanpage.id)


def _begun(fanpage: FanpageView, topics: dict[int, str]) -> tuple[str, list[BlockDraft], str]:
    """Where the fields of a new message are held, and what it begins with: an OTNR about the topic that the
    address names, and the topic's name for its own."""
    topic_id = asked_id("topic")
    if topic_id not in topics:
        return f"new-{fanpage.id}", [], ""
    return f"new-{fanpage.id}-{topic_id}", [ask_about(topic_id)], topics[topic_id]


def _problems(fields: drafts.Draft, draft: Draft | None) -> list[Problem]:
    """What keeps the message from being published, as its fields say it."""
    if draft is None:
        return []
    named = check_name(fields["name"])  # a name that is missing or too long is not kept
    return named + [one for one in draft_checks.find_problems(draft) if one.field != "name" or not named]


def _context(
    fanpage: FanpageView, topics: dict[int, str], draft: Draft | None, locked: bool
) -> EditorContext:
    drafted = queries.unpublished_names(fanpage.id)
    own = draft.id if draft else 0
    messages = queries.message_names(fanpage.id) | {
        id_: _("{name} (not published yet)", name=name or _("Unnamed message"))
        for id_, name in drafted.items()
        if id_ != own
    }
    return EditorContext(topics, messages, locked)


def _write(
    fields: drafts.Draft,
    fanpage: FanpageView,
    draft: Draft | None,
    context: EditorContext,
    led_from: list[str],
) -> None:
    is_translation = draft is not None and draft.translation_of_id is not None
    if not is_translation:
        _write_name(fields, context)
    section(_("Content"))
    entries = entry_context(fields, fanpage, draft.id if draft else 0, led_from, is_locked=context.locked)
    if not fields["blocks"] and not context.locked:
        draw_start(fields, start_is_free=entries.is_free(EntryKind.GET_STARTED))
    edit_blocks(fields, context)
    if not context.locked:
        add_buttons(fields)
    if is_translation:  # it begins as the message itself
        return
    section(_("The chatbot sends this message when…"))
    edit_entries(fields, entries)
    if draft is not None and not context.locked and not drafts.entries_of(fields):
        draw_warnings(publishing.warn_silent(draft, led_from))


def _write_name(fields: drafts.Draft, context: EditorContext) -> None:
    with st.container(key="message_called"):
        bind_input(
            st.text_input,
            fields,
            "name",
            _("Name of the message (only your team sees it)"),
            f"message_{fields['uid']}_name",
            disabled=context.locked,
            placeholder=_("Welcome"),
        )
        show_counter(fields["name"], NAME_LIMIT, only_near=True)
        draw_problems(check_name(fields["name"]) if fields["tried"] else [])


draw_page()
