"""The top of the composer: title, copying, archiving, versions; and a way to begin."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.accounts.rules import Actor, Permission
from core.clock import utc_now
from core.conversation import actions
from core.conversation.blocks.otnr import Otnr
from core.conversation.blocks.text import Text
from core.conversation.draft_actions import bring_back, delete_draft
from core.conversation.drafts import BlockDraft
from core.conversation.version_queries import list_versions
from core.conversation.versions import Draft as Message
from core.templates.rules import TemplateKind
from pages.components import page_registry
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Draft
from pages.components.dialogs import confirm, open_dialog
from pages.components.layout import page_header
from pages.components.markdown import escape_markdown
from pages.components.session import attempt, current, do, flash
from pages.components.templates import draw_save_button
from pages.components.test_dialog import draw_test_button
from pages.components.texts import _
from pages.messages.composer import saving, versions
from pages.messages.entry_points.locale_names import locale_name


def draw_head(actor: Actor, fields: Draft, draft: Message | None, locked: bool) -> None:
    """Title and purpose, and at the right what is done with a message as a whole."""
    title = draft.name or _("Unnamed message") if draft else _("New message")
    slot = page_header(escape_markdown(title), _purpose(draft, locked), key="message")
    with slot.container(key="message_actions", horizontal=True, vertical_alignment="center", gap="small"):
        page_registry.link("messages", _("All messages"), icon=":material/arrow_back:")
        if draft is None:
            return
        if not draft.is_archived:
            draw_test_button()
        if draft.published:
            _button("versions", _("Versions"), "history", open_dialog, versions.KEY)
        if draft.is_archived and actor.may(Permission.EDIT):
            _button("restore", _("Restore message"), "unarchive", _bring_back, actor, draft)
        if not locked:
            _more(actor, fields, draft)


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


def _purpose(draft: Message | None, locked: bool) -> str:
    if draft is not None and draft.is_archived:
        return _("Archived: nothing leads to this message any more.")
    if locked:
        return _("You can view this message; to change it, ask an admin for the editor role.")
    return _("Everything you write is saved as a draft. The chatbot only sends what you publish.")


def _more(actor: Actor, fields: Draft, draft: Message) -> None:
    if draft.published and draft.has_changes:
        _button("discard", _("Discard changes"), "undo", _discard, fields, draft)
    if draft.translation_of_id:
        if draft.published:
            _draw_taking_away(actor, draft)
        else:
            _draw_deleting(actor, draft)
        return
    if st.button(_("Duplicate message"), key="message_copy", icon=":material/content_copy:", type="tertiary"):
        copy_id = do(lambda: actions.copy_message(actor, draft.id, now=utc_now()))
        if copy_id is not None:
            flash(_("This is the copy, a draft. Name it, choose its entry points, and publish it."))
            page_registry.go("message", id=copy_id)
    draw_save_button(current(), TemplateKind.MESSAGE, draft.id, draft.name)
    if draft.published:
        _button("archive", _("Archive"), "archive", open_dialog, "archive_message")
        confirm(
            "archive_message",
            _("Archive “{name}”?", name=escape_markdown(draft.name)),
            _(
                "The chatbot stops sending it, and its keywords and links can be used by other "
                "messages. Opt-ins that customers have already given stay as they are."
            ),
            _("Archive"),
            lambda: actions.archive_message(actor, draft.id, now=utc_now()),
            done=_("Archived."),
        )
    else:
        _draw_deleting(actor, draft)


def _draw_deleting(actor: Actor, draft: Message) -> None:
    _button("delete", _("Delete draft…"), "delete", open_dialog, "delete_message")
    confirm(
        "delete_message",
        _("Delete this draft?"),
        _("The chatbot never sent it. A deleted draft can't be recovered."),
        _("Delete"),
        lambda: _delete(actor, draft),
        done=_("The draft is deleted."),
    )


def _draw_taking_away(actor: Actor, draft: Message) -> None:
    _button("archive", _("Remove this language…"), "archive", open_dialog, "archive_message")
    confirm(
        "archive_message",
        _("Remove {language}?", language=locale_name(draft.language or "")),
        _(
            "Customers with this language get the message for all others again. Adding the "
            "language again brings this text back."
        ),
        _("Remove language"),
        lambda: _take_away(actor, draft),
        done=_("The language has been removed."),
    )


def _take_away(actor: Actor, draft: Message) -> None:
    actions.archive_message(actor, draft.id, now=utc_now())
    st.query_params.from_dict({"id": str(draft.translation_of_id)})


def _button(name: str, label: str, icon: str, act: Callable[..., None], *args: object) -> None:
    key = f"message_{name}"
    st.button(label, key=key, icon=f":material/{icon}:", type="tertiary", on_click=act, args=args)


def _discard(fields: Draft, draft: Message) -> None:
    last = list_versions(draft.id)[0]
    saving.replace_all(fields, last.blocks, last.entry_points)
    flash(_("The draft is now the same as what the chatbot sends. “Undo” brings back what you had written."))


def _delete(actor: Actor, draft: Message) -> None:
    delete_draft(actor, draft.id, version=draft.version, now=utc_now())
    saving.forget(str(draft.id))
    st.query_params.from_dict({"id": str(draft.translation_of_id)} if draft.translation_of_id else {})


def _bring_back(actor: Actor, draft: Message) -> None:
    error, _done = attempt(lambda: bring_back(actor, draft.id, now=utc_now()))
    saving.forget(str(draft.id))
    flash(error or _("Restored. Check its entry points, and publish it."))


def ask_about(topic_id: int | None) -> BlockDraft:
    """What a message begins with that is to ask about a topic."""
    return BlockDraft(Otnr.name, {"title": "", "after": ""}, topic_id)


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
