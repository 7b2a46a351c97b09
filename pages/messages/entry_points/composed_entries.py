"""The entry points typed in the composer: where each leads, and where they get in each other's way. They are
changed there, in their message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.conversation import queries
from core.conversation.drafts import KeywordMatch
from core.conversation.entry_kinds.kind import KnownEntry
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_point_queries import OwnedEntry
from core.conversation.keyword_rules import Clash
from core.fanpages.queries import FanpageView
from pages.components import page_registry
from pages.components.chosen import keep_chosen
from pages.components.tables import Column, table
from pages.components.texts import _
from pages.messages.composer.entry_forms.keyword import MATCHES
from pages.messages.composer.entry_forms.ref import draw_link
from pages.messages.keyword_clashes import draw_clashes
from pages.messages.trial import draw_trial


def of_kind(entries: Sequence[OwnedEntry], kind: str) -> list[OwnedEntry]:
    return [entry for entry in entries if entry.kind == kind]


def keywords(entries: Sequence[OwnedEntry]) -> list[KnownEntry]:
    return [entry.known for entry in of_kind(entries, EntryKind.KEYWORD)]


def draw_get_started(entries: Sequence[OwnedEntry]) -> None:
    started = of_kind(entries, EntryKind.GET_STARTED)
    if started:
        label = _("“Get Started” sends: {name}", name=started[0].message_name)
        page_registry.link("message", label, icon=":material/waving_hand:", id=started[0].message_id)
    else:
        page_registry.link(
            "messages",
            _("“Get Started” sends nothing yet: turn it on in a message"),
            icon=":material/warning:",
        )


def draw_keywords(
    fanpage_id: int, entries: Sequence[OwnedEntry], clashes: Sequence[Clash], names: Mapping[int, str]
) -> None:
    shown = of_kind(entries, EntryKind.KEYWORD)
    if not shown:
        st.info(_("No message has a keyword yet. Add one while editing a message."), icon=":material/info:")
        return
    draw_clashes(clashes, names)
    columns = [
        Column(_("Keyword"), lambda row: row.value, "34%"),
        Column(_("The customer's message"), lambda row: _(MATCHES[KeywordMatch(row.match)]), "26%"),
        Column(_("Sends"), lambda row: row.message_name),
    ]
    table(columns, shown, key="keywords", on_click=lambda row: f"message?id={row.message_id}")
    draw_trial(fanpage_id)


def draw_links(fanpage: FanpageView, entries: Sequence[OwnedEntry]) -> None:
    links = {entry.value: entry for entry in of_kind(entries, EntryKind.REF)}
    if not links:
        st.info(_("No message has a link yet. Add one while editing a message."), icon=":material/info:")
        return
    chosen = st.selectbox(
        _("Link"),
        list(links),
        key=keep_chosen("entry_link"),
        format_func=lambda ref: f"{ref} → {links[ref].message_name}",
    )
    entry = links[chosen]
    draw_link(fanpage.page_id, chosen, queries.caption_of(entry.message_id) or entry.message_name)
    page_registry.link("message", entry.message_name, icon=":material/chat:", id=entry.message_id)


def draw_comments(entries: Sequence[OwnedEntry]) -> None:
    shown = of_kind(entries, EntryKind.COMMENT)
    if not shown:
        st.info(
            _("No message answers comments yet. Turn this on while editing a message."),
            icon=":material/info:",
        )
        return
    st.caption(_("Facebook sends us comments once you have published here."))
    columns = [
        Column(
            _("The comment"),
            lambda row: (
                _("has the words “{value}”", value=row.value) if row.value else _("says anything else")
            ),
            "50%",
        ),
        Column(_("Sends"), lambda row: row.message_name),
    ]
    table(columns, shown, key="comments", on_click=lambda row: f"message?id={row.message_id}")
