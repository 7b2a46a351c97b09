"""The inputs of the Messenger profile: greeting, suggested questions and menu of one language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.accounts.rules import Actor
from core.conversation.messenger_profile.rules import (
    GREETING_LIMIT,
    ICE_BREAKERS_LIMIT,
    MENU_LIMIT,
    MENU_TITLE_LIMIT,
    QUESTION_LIMIT,
)
from core.errors import Problem
from pages.components.block_editor.fields import draw_problems, small_button
from pages.components.character_counter import show_counter
from pages.components.chosen import keep_chosen
from pages.components.first_values import show_first
from pages.components.texts import _
from pages.messages.entry_points.edited_profile import (
    EditedItem,
    EditedProfile,
    blank_item,
    change,
    locale_of,
)

_WEB = -1  # in the place of a message's id
_WEB_START = "https://"


@dataclass(frozen=True)
class FormContext:
    """What the inputs are drawn with."""

    actor: Actor
    edited: EditedProfile
    locale: str
    names: Mapping[int, str]  # of the fanpage's messages
    problems: Sequence[Problem]  # of the whole profile
    is_locked: bool

    def problems_of(self, path: str) -> list[Problem]:
        return [one for one in self.problems if one.field == f"{self.locale}.{path}"]


def edit_greeting(context: FormContext) -> None:
    one = locale_of(context.edited, context.locale)
    key = f"profile_{one['uid']}_greeting"
    show_first(key, one["greeting"])
    st.text_area(
        _("Greeting, above the buttons of a new chat"),
        key=key,
        height=90,
        disabled=context.is_locked,
        placeholder=_("Hello {{user_first_name}}, how can we help?"),
        help=_("Facebook replaces {{user_first_name}} with the customer's first name."),
        on_change=change,
        args=(context.actor, context.edited, _taken(one, "greeting", key)),
    )
    show_counter(one["greeting"], GREETING_LIMIT)
    draw_problems(context.problems_of("greeting"))


def edit_ice_breakers(context: FormContext) -> None:
    _edit_items(context, "ice_breakers", QUESTION_LIMIT, ICE_BREAKERS_LIMIT, _("Add a question"))


def edit_menu(context: FormContext) -> None:
    _edit_items(context, "menu", MENU_TITLE_LIMIT, MENU_LIMIT, _("Add an item"), may_open_web=True)


def _edit_items(
    context: FormContext, part: str, longest: int, most: int, add: str, *, may_open_web: bool = False
) -> None:
    items: list[EditedItem] = locale_of(context.edited, context.locale)[part]
    for place, item in enumerate(items):
        with st.container(key=f"profile_item_{item['uid']}", border=True):
            _edit_item(context, items, place, longest, may_open_web=may_open_web)
            for field in ("title", "message_id", "url"):
                draw_problems(context.problems_of(f"{part}.{place}.{field}"))
    draw_problems(context.problems_of(part))
    if not context.is_locked and len(items) < most:
        st.button(
            add,
            key=f"profile_{part}_add",
            icon=":material/add:",
            on_click=change,
            args=(context.actor, context.edited, lambda: items.append(blank_item())),
        )


def _edit_item(
    context: FormContext, items: list[EditedItem], place: int, longest: int, *, may_open_web: bool
) -> None:
    item = items[place]
    key = f"profile_{item['uid']}"
    words, leads, tools = st.columns([4, 4, 3], vertical_alignment="bottom")
    with words:
        show_first(f"{key}_title", item["title"])
        st.text_input(
            _("What the customer taps"),
            key=f"{key}_title",
            disabled=context.is_locked,
            on_change=change,
            args=(context.actor, context.edited, _taken(item, "title", f"{key}_title")),
        )
        show_counter(item["title"], longest, only_near=True)
    with leads:
        _choose_target(context, item, key, may_open_web=may_open_web)
    if not context.is_locked:
        with tools, st.container(key=f"{key}_tools", horizontal=True, gap="small"):
            _tools(context, items, place, key)
    if item["url"] is not None:
        show_first(f"{key}_url", item["url"])
        st.text_input(
            _("Web address"),
            key=f"{key}_url",
            disabled=context.is_locked,
            on_change=change,
            args=(context.actor, context.edited, _taken(item, "url", f"{key}_url")),
        )


def _choose_target(context: FormContext, item: EditedItem, key: str, *, may_open_web: bool) -> None:
    options = list(context.names) + ([_WEB] if may_open_web else [])
    chosen = _WEB if item["url"] is not None else item["message_id"]
    show_first(f"{key}_leads", chosen if chosen in options else None)
    st.selectbox(
        _("It leads to"),
        options,
        key=keep_chosen(f"{key}_leads"),
        disabled=context.is_locked,
        placeholder=_("Choose a message"),
        format_func=lambda one: _("A web address") if one == _WEB else context.names.get(one, ""),
        on_change=change,
        args=(context.actor, context.edited, lambda: _aim(item, st.session_state[f"{key}_leads"])),
    )


def _aim(item: EditedItem, target: int | None) -> None:
    is_web = target == _WEB
    item["url"] = (item["url"] or _WEB_START) if is_web else None
    item["message_id"] = None if is_web else target


def _tools(context: FormContext, items: list[EditedItem], place: int, key: str) -> None:
    def act(edit: Callable[[], object]) -> tuple[object, ...]:
        return context.actor, context.edited, edit

    up = act(lambda: items.insert(place - 1, items.pop(place)))
    gone = act(lambda: items.pop(place))
    small_button(f"{key}_up", "arrow_upward", _("Move up"), place == 0, change, up)
    small_button(f"{key}_remove", "delete", _("Remove"), False, change, gone)


def _taken(holder: EditedProfile, field: str, key: str) -> Callable[[], None]:
    def take() -> None:
        holder[field] = st.session_state[key]

    return take
