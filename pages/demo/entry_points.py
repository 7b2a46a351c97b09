"""What staff have set up to start messages, one tap each: what a new chat offers, the menu, keywords, links
and comments on a post."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from core.conversation.entry_kinds.names import EntryKind
from core.conversation.entry_point_queries import OwnedEntry, entry_points_of
from core.fanpages.queries import FanpageView
from pages.components.texts import _

Act = Callable[..., None]  # psid, the name of an act, its values
Person = dict[str, Any]
SUGGESTIONS = 6


def greeting_of(person: Person, profile: dict[str, Any]) -> str:
    """What a new chat is greeted with; nothing where none is published."""
    greeting = _of_language(profile.get("greeting"), person).get("text", "")
    return str(greeting).replace("{{user_first_name}}", person["first_name"])


def draw_chat(act: Act, person: Person, profile: dict[str, Any]) -> None:
    """What stands around the chat: of a new one the questions, of others the menu."""
    if person["met"]:
        _draw_menu(act, person, profile)
    else:
        _draw_new_chat(act, person, profile)


def _draw_new_chat(act: Act, person: Person, profile: dict[str, Any]) -> None:
    questions = _of_language(profile.get("ice_breakers"), person).get("call_to_actions", [])
    if not questions:
        return
    st.caption(_("Questions that a new chat suggests"))
    with st.container(horizontal=True, gap="small"):
        for number, each in enumerate(questions):
            on_click = partial(act, person["psid"], "ice_breaker", question=each["question"])
            _chip(each["question"], "quickreply", f"phone_question_{number}", on_click)


def _draw_menu(act: Act, person: Person, profile: dict[str, Any]) -> None:
    items = _of_language(profile.get("persistent_menu"), person).get("call_to_actions", [])
    if not items:
        return
    st.caption(_("Menu of the chat"))
    with st.container(horizontal=True, gap="small"):
        for number, each in enumerate(items):
            if each["type"] == "web_url":
                st.link_button(each["title"], each["url"], icon=":material/open_in_new:")
            else:
                on_click = partial(act, person["psid"], "menu", title=each["title"])
                _chip(each["title"], "menu", f"phone_menu_{number}", on_click)


def draw_suggestions(act: Act, psid: str, fanpage: FanpageView) -> None:
    """The keywords, links and comments that messages answer, the newest first."""
    entries = entry_points_of(fanpage.id)[::-1]
    _draw_list(
        _("Keywords your messages answer"),
        _of_kind(entries, EntryKind.KEYWORD),
        lambda entry: entry.value,
        "chat",
        lambda entry: partial(act, psid, "say", text=entry.value),
    )
    _draw_list(
        _("Links and QR codes that lead here"),
        _of_kind(entries, EntryKind.REF),
        lambda entry: f"m.me/…?ref={entry.value}",
        "qr_code_2",
        lambda entry: partial(act, psid, "open", ref=entry.value),
    )
    _draw_list(
        _("Comments your messages answer"),
        _of_kind(entries, EntryKind.COMMENT),
        lambda entry: entry.value or _("So pretty!"),
        "add_comment",
        lambda entry: partial(act, psid, "comment", text=entry.value or _("So pretty!")),
    )


def _draw_list(
    title: str,
    entries: Sequence[OwnedEntry],
    label: Callable[[OwnedEntry], str],
    icon: str,
    on_click: Callable[[OwnedEntry], Callable[[], None]],
) -> None:
    if not entries:
        return
    st.caption(title)
    with st.container(horizontal=True, gap="small"):
        for number, entry in enumerate(entries):
            _chip(label(entry), icon, f"phone_{icon}_{number}", on_click(entry))


def _of_kind(entries: Sequence[OwnedEntry], kind: str) -> list[OwnedEntry]:
    return [entry for entry in entries if entry.kind == kind][:SUGGESTIONS]


def _of_language(shown: Any, person: Person) -> dict[str, Any]:
    """The part of a property for the person's language, else that for everybody."""
    parts = {each.get("locale", "default"): each for each in shown or []}
    return parts.get(person["locale"]) or parts.get("default") or {}


def _chip(label: str, icon: str, key: str, on_click: Callable[[], None]) -> None:
    st.button(label, key=key, icon=f":material/{icon}:", on_click=on_click)
