"""The Messenger profile that is being written: plain values in the session, saved with every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.accounts.rules import Actor
from core.clock import utc_now
from core.conversation.messenger_profile.actions import save_profile
from core.conversation.messenger_profile.rows import ProfileView
from core.conversation.messenger_profile.rules import DEFAULT, Item, LocaleProfile, Profile
from pages.components.block_editor.draft import next_uid
from pages.components.session import attempt, flash

# fanpage_id, version, locales: by locale the texts and items, each item with a uid
EditedProfile = dict[str, Any]
EditedItem = dict[str, Any]  # uid, title, message_id, url (None: it leads to a message)
_KEY = "messenger_profile"


def open_profile(fanpage_id: int, view: ProfileView) -> EditedProfile:
    """What is being written: it is read anew when somebody else has changed it."""
    edited: EditedProfile | None = st.session_state.get(_KEY)
    if edited is None or (edited["fanpage_id"], edited["version"]) != (fanpage_id, view.version):
        edited = st.session_state[_KEY] = _edited(fanpage_id, view.version, view.profile)
    return edited


def put_profile(actor: Actor, edited: EditedProfile, profile: Profile) -> None:
    """Another profile in the place of the one that is being written."""
    fresh = _edited(edited["fanpage_id"], edited["version"], profile)
    st.session_state[_KEY] = fresh
    save(actor, fresh)


def locale_of(edited: EditedProfile, locale: str) -> EditedProfile:
    """What is written for a language; nothing yet where it is new."""
    found: EditedProfile = edited["locales"].setdefault(
        locale, {"uid": next_uid(), "greeting": "", "ice_breakers": [], "menu": []}
    )
    return found


def change(actor: Actor, edited: EditedProfile, change_it: Callable[[], None]) -> None:
    """Callback of every widget: changes what is written, and saves it."""
    change_it()
    save(actor, edited)


def save(actor: Actor, edited: EditedProfile) -> None:
    profile = profile_of(edited)
    problem, version = attempt(
        lambda: save_profile(actor, edited["fanpage_id"], profile, seen=edited["version"], now=utc_now())
    )
    if version is None:
        st.session_state.pop(_KEY, None)
        flash(problem or "", ":material/sync_problem:")
    else:
        edited["version"] = version


def profile_of(edited: EditedProfile) -> Profile:
    """The profile that is written; languages without anything are left out."""
    locales = {
        locale: LocaleProfile(one["greeting"], _items(one["ice_breakers"]), _items(one["menu"]))
        for locale, one in edited["locales"].items()
    }
    everybody = locales.pop(DEFAULT, LocaleProfile())
    return Profile({DEFAULT: everybody, **{k: one for k, one in locales.items() if one != LocaleProfile()}})


def blank_item() -> EditedItem:
    return {"uid": next_uid(), "title": "", "message_id": None, "url": None}


def _items(edited: list[EditedItem]) -> tuple[Item, ...]:
    return tuple(Item(each["title"], each["message_id"], each["url"] or "") for each in edited)


def _edited(fanpage_id: int, version: int, profile: Profile) -> EditedProfile:
    locales = {
        locale: {
            "uid": next_uid(),
            "greeting": one.greeting,
            "ice_breakers": list(map(_edited_item, one.ice_breakers)),
            "menu": list(map(_edited_item, one.menu)),
        }
        for locale, one in profile.locales.items()
    }
    return {"fanpage_id": fanpage_id, "version": version, "locales": locales}


def _edited_item(item: Item) -> EditedItem:
    return {
        "uid": next_uid(),
        "title": item.title,
        "message_id": item.message_id,
        "url": item.url or None,
    }
