"""One webhook event: what came, what became of it, and its body without tokens."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.errors import NotFound
from core.inbox import actions, event_queries
from core.inbox.event_queries import EventView
from core.inbox.rules import EventState
from pages.components import page_registry
from pages.components.address import asked_id, draw_not_there
from pages.components.dialogs import open_dialog
from pages.components.layout import badge, page_header, section
from pages.components.markdown import escape_markdown
from pages.components.session import current, require, see_fanpage
from pages.components.tables import Column, table
from pages.components.texts import _, when
from pages.system.event_words import channel_in_words, kind_in_words, note_in_words
from pages.system.replay_dialog import draw_replay_dialog

DIALOG = "event_replay_dialog"


def draw_page() -> None:
    try:
        event = event_queries.get_event(asked_id() or 0)
    except NotFound:
        gone = _("This event does not exist (any more). Old events are deleted.")
        draw_not_there(gone, "events", _("All webhook events"))
        return
    if event.fanpage_id is None:
        require(Permission.VIEW, of_all=True)  # nobody can tell whose it is
    else:
        see_fanpage(event.fanpage_id)
    page_registry.link("events", _("All webhook events"), icon=":material/arrow_back:")
    slot = page_header(kind_in_words(event.kind), channel_in_words(event.kind), key="event")
    if current().actor.may(Permission.ADMIN) and actions.count_replay_of(event.id).total:
        slot.button(
            _("Replay…"),
            key="event_replay",
            icon=":material/replay:",
            on_click=open_dialog,
            args=(DIALOG,),
        )
        draw_replay_dialog(DIALOG, event.id)
    _state(event)
    _facts(event)
    section(_("What Messenger sent"))
    st.caption(_("Tokens and secrets are never shown."))
    st.code(event_queries.masked_body(event.id), language="json", wrap_lines=True)


def _state(event: EventView) -> None:
    with st.container(key="event_state", horizontal=True, vertical_alignment="center"):
        badge("event", event.state)
        if (opt_in := event_queries.find_opt_in(event.id)) is not None:
            st.text(_("Its opt-in:"), width="content")
            badge("opt_in", opt_in.state)
    if note := note_in_words(event):
        (st.error if event.state == EventState.FAILED else st.info)(escape_markdown(note))


def _facts(event: EventView) -> None:
    if event.customer_id is not None:
        name = event.customer or _("Name not known yet")
        page_registry.link("customer", name, icon=":material/person:", id=event.customer_id)
    columns = [
        Column(_("What"), lambda row: row[0], "34%"),
        Column(_("Value"), lambda row: row[1], "66%", wraps=True),
    ]
    table(columns, [fact for fact in _rows(event) if fact[1]], key="event_facts")


def _rows(event: EventView) -> list[tuple[str, str]]:
    return [
        (_("Number"), str(event.id)),
        (_("Request ID"), event.request_id or ""),
        (_("Fanpage"), event.fanpage or _("not connected here")),
        (_("Page ID"), event.page_id),
        (_("PSID"), event.psid or ""),
        (_("Happened at"), when(event.occurred_at, to_the_second=True)),
        (_("Received at"), when(event.received_at, to_the_second=True)),
        (_("Processed"), when(event.applied_at, to_the_second=True) if event.applied_at else ""),
        (_("Replayed at"), when(event.replayed_at, to_the_second=True) if event.replayed_at else ""),
    ]


draw_page()
