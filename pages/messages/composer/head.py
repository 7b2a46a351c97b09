"""The top of the composer: title, what is unsaved, saving, copying, archiving; and a way to begin."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Actor
from core.clock import utc_now
from core.conversation import actions
from core.conversation.blocks.otnr import Otnr
from core.conversation.blocks.text import Text
from core.conversation.queries import MessageView
from pages.components import page_registry
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Draft
from pages.components.dialogs import confirm, open_dialog
from pages.components.layout import page_header
from pages.components.session import do, flash
from pages.components.texts import _, when


def draw_head(actor: Actor, draft: Draft, view: MessageView | None, locked: bool) -> bool:
    """Draws the header; True when saving was asked for."""
    slot = page_header(view.name if view else _("New message"), _purpose(view, locked), key="message")
    with slot.container(key="message_actions", horizontal=True, vertical_alignment="center", gap="medium"):
        page_registry.link("messages", _("All messages"), icon=":material/arrow_back:")
        if view and not locked:
            _more(actor, view)
        if locked:
            return False
        return st.button(
            _("Save"),
            key="message_save",
            icon=":material/check:",
            type="primary",
            on_click=drafts.try_saving,
            args=(draft,),
        )


def draw_start(draft: Draft, *, start_is_free: bool) -> None:
    """An empty page is hard to begin: offer the most useful message there is."""
    with st.container(key="composer_start", border=True, horizontal_alignment="center"):
        st.markdown(_("Add a block below, or begin with an example: a greeting that asks for an opt-in."))
        st.button(
            _("Begin with an example"),
            key="message_example",
            icon=":material/auto_awesome:",
            on_click=_fill_in_example,
            args=(draft, start_is_free),
        )


def draw_unsaved(draft: Draft) -> None:
    if drafts.is_changed(draft):
        with st.container(key="message_unsaved", horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(_("Not saved yet"), icon=":material/edit:", color="orange")
            st.button(_("Discard"), key="message_discard", type="tertiary", on_click=drafts.discard_draft)


def _purpose(view: MessageView | None, locked: bool) -> str:
    if view is None:
        return _("Blocks from top to bottom are what the customer reads, one after the other.")
    if view.is_archived:
        return _("Archived: nothing starts this message any more.")
    if locked:
        return _("You may look at this message; changing it takes the role of an editor.")
    return _("Last changed {when}.", when=when(view.updated_at))


def _more(actor: Actor, view: MessageView) -> None:
    if st.button(_("Make a copy"), key="message_copy", icon=":material/content_copy:", type="tertiary"):
        copy_id = do(lambda: actions.copy_message(actor, view.id, now=utc_now()))
        if copy_id is not None:
            flash(_("This is the copy. Name it, and choose what starts it."))
            page_registry.go("message", id=copy_id)
    st.button(
        _("Archive"),
        key="message_archive",
        icon=":material/archive:",
        type="tertiary",
        on_click=open_dialog,
        args=("archive_message",),
    )
    confirm(
        "archive_message",
        _("Archive “{name}”?", name=view.name),
        _(
            "The bot stops sending it, and its keywords and links become free for other messages. "
            "Opt-ins that customers have already given stay as they are."
        ),
        _("Archive"),
        lambda: actions.archive_message(actor, view.id, now=utc_now()),
        done=_("Archived."),
    )


def _fill_in_example(draft: Draft, start_is_free: bool) -> None:
    draft["name"] = draft["name"] or _("Welcome")
    st.session_state[f"message_{draft['uid']}_name"] = draft["name"]
    greeting = _("Hello {{first_name}}, thank you for writing to us! How can we help you?")
    drafts.add_block(draft, Text.name, {"text": greeting, "fallback": _("there")})
    promise, thanks = (
        _("Tell me when the new collection arrives"),
        _("Thank you! We will write to you once, about exactly this."),
    )
    drafts.add_block(draft, Otnr.name, {"title": promise, "after": thanks})
    draft["get_started"] = st.session_state[f"entry_{draft['uid']}_start"] = start_is_free
