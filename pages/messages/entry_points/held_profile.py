"""The Messenger profile that is being written: plain values in the session, saved with every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.accounts.rules import Actor
from core.clock import utc_now
from core.conversation.profile.actions import save_profile
from core.conversation.profile.queries import ProfileView
from core.conversation.profile.rules import DEFAULT, Item, LocaleProfile, Profile
from pages.components.block_editor.draft import next_uid
from pages.components.session import attempt, flash

Held = dict[str, Any]  # fanpage_id, version, locales: by locale the texts and items, each item with a uid
HeldItem = dict[str, Any]  # uid, title, message_id, url (None: it leads to a message)
_KEY = "messenger_profile"


def hold(fanpage_id: int, view: ProfileView) -> Held:
    """What is being written: it is read anew when somebody else has changed it."""
    held: Held | None = st.session_state.get(_KEY)
    if held is None or (held["fanpage_id"], held["version"]) != (fanpage_id, view.version):
        held = st.session_state[_KEY] = _held(fanpage_id, view.version, view.profile)
    return held


def put_profile(actor: Actor, held: Held, profile: Profile) -> None:
    """Another profile in the place of the one that is being written."""
    fresh = _held(held["fanpage_id"], held["version"], profile)
    st.session_state[_KEY] = fresh
    save(actor, fresh)


def locale_of(held: Held, locale: str) -> Held:
    """What is written for a language; nothing yet where it is new."""
    found: Held = held["locales"].setdefault(
        locale, {"uid": next_uid(), "greeting": "", "ice_breakers": [], "menu": []}
    )
    return found


def change(actor: Actor, held: Held, change_it: Callable[[], None]) -> None:
    """Callback of every widget: changes what is written, and saves it."""
    change_it()
    save(actor, held)


def save(actor: Actor, held: Held) -> None:
    profile = profile_of(held)
    problem, version = attempt(
        lambda: save_profile(actor, held["fanpage_id"], profile, seen=held["version"], now=utc_now())
    )
    if version is None:
        st.session_state.pop(_KEY, None)
        flash(problem or "", ":material/sync_problem:")
    else:
        held["version"] = version


def profile_of(held: Held) -> Profile:
    """The profile that is written; languages without anything are left out."""
    locales = {
        locale: LocaleProfile(one["greeting"], _items(one["ice_breakers"]), _items(one["menu"]))
        for locale, one in held["locales"].items()
    }
    everybody = locales.pop(DEFAULT, LocaleProfile())
    return Profile({DEFAULT: everybody, **{k: one for k, one in locales.items() if one != LocaleProfile()}})


def blank_item() -> HeldItem:
    return {"uid": next_uid(), "title": "", "message_id": None, "url": None}


def _items(held: list[HeldItem]) -> tuple[Item, ...]:
    return tuple(Item(each["title"], each["message_id"], each["url"] or "") for each in held)


def _held(fanpage_id: int, version: int, profile: Profile) -> Held:
    locales = {
        locale: {
            "uid": next_uid(),
            "greeting": one.greeting,
            "ice_breakers": list(map(_held_item, one.ice_breakers)),
            "menu": list(map(_held_item, one.menu)),
        }
        for locale, one in profile.locales.items()
    }
    return {"fanpage_id": fanpage_id, "version": version, "locales": locales}


def _held_item(item: Item) -> HeldItem:
    return {
        "uid": next_uid(),
        "title": item.title,
        "message_id": item.message_id,
        "url": item.url or None,
    }
