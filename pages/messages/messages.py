"""The chatbot's messages: what each says, what starts it, and which topics it asks about."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.conversation.blocks.bubble import Shape
from core.conversation.entry_kinds.registry import COMPOSED
from core.conversation.preview import bubbles_of
from core.conversation.queries import MessageView, count_messages, list_messages
from core.templates.rules import TemplateKind
from pages.components import page_registry
from pages.components.address import draw_no_fanpage
from pages.components.filters import pager, search_box
from pages.components.layout import empty_state, page_header
from pages.components.session import current
from pages.components.tables import Ago, Column, Two, table
from pages.components.templates import draw_templates
from pages.components.texts import _, n_
from pages.messages.trial import draw_trial

PAGE_SIZE = 25


def draw_page() -> None:
    here = current()
    action = page_header(
        _("Messages"),
        _("What the chatbot says, and where it asks customers for an opt-in (OTNR)."),
        key="messages",
    )
    if here.fanpage is None:
        draw_no_fanpage("messages")
        return
    with action:
        draw_templates(here, TemplateKind.MESSAGE, here.fanpage.id)
    may_edit = here.actor.may(Permission.EDIT)
    if not count_messages(here.fanpage.id):
        _nothing_yet(may_edit)
        return
    if may_edit and action.button(_("New message"), key="message_add", icon=":material/add:", type="primary"):
        _begin()
    _listed(here.fanpage.id)
    draw_trial(here.fanpage.id)


def _nothing_yet(may_edit: bool) -> None:
    pressed = empty_state(
        "forum",
        _("No messages yet. Write one that greets new customers and asks them for an opt-in."),
        button=_("Write the first message") if may_edit else None,
        key="messages",
    )
    if pressed:
        _begin()


def _begin() -> None:
    page_registry.go("message")


def _listed(fanpage_id: int) -> None:
    search = search_box("q", _("Search by name or keyword"))
    total = count_messages(fanpage_id, search=search)
    if not total:
        st.info(
            _("No messages have “{search}” in their name or keywords.", search=search),
            icon=":material/search_off:",
        )
        return
    slot = st.container()
    offset = pager(total, key="messages", size=PAGE_SIZE)
    rows = list_messages(fanpage_id, offset=offset, limit=PAGE_SIZE, search=search)
    columns = [
        Column(_("Message"), _name, "36%"),
        Column(_("Entry points"), _starters, "30%"),
        Column(_("Asks about"), lambda row: ", ".join(_topics(row)), "20%"),
        Column(_("Last changed"), lambda row: Ago(row.updated_at)),
    ]
    with slot:
        table(columns, rows, key="messages", on_click=lambda row: f"message?id={row.id}")


def _name(row: MessageView) -> Two:
    said = [
        bubble.text
        for block in row.blocks
        for bubble in bubbles_of(block.kind, block.content, first_name=None)
        if bubble.shape is not Shape.PICTURE
    ]
    excerpt = " ".join(said[0].split()) if said else ""
    shortened = f"{excerpt[:69]}…" if len(excerpt) > 70 else excerpt
    return Two(_titled(row), shortened or n_("{n} block", "{n} blocks", len(row.blocks)))


def _titled(row: MessageView) -> str:
    name = " · ".join([row.name or _("Unnamed message"), *map(str.upper, row.languages)])
    if not row.published:
        return _("{name} – draft", name=name)
    return _("{name} – unpublished changes", name=name) if row.has_changes else name


def _starters(row: MessageView) -> str | Two:
    shown = [_(COMPOSED[entry.kind].listed, value=entry.value) for entry in row.entry_points]
    if not row.published:
        return Two("–", _("not published yet"))
    if not shown:
        return Two("–", _("only reached by buttons"))
    extra = n_("and {n} more", "and {n} more", len(shown) - 4) if len(shown) > 4 else ""
    return Two(", ".join(shown[:4]), extra) if extra else ", ".join(shown)


def _topics(row: MessageView) -> list[str]:
    return [block.topic_name for block in row.blocks if block.topic_name]


draw_page()
