"""Inputs bound to a draft, with what is said under them: complaints, advice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from core.errors import N_, Problem
from pages.components.chosen import keep_chosen
from pages.components.first_values import show_first
from pages.components.texts import _

_ROWS = {
    "cards": N_("Card {number}"),
    "buttons": N_("Button {number}"),
    "replies": N_("Quick reply {number}"),
}
_ROW = re.compile(rf"({'|'.join(_ROWS)})\.(\d+)\.")


def bind_input(
    widget: Callable[..., Any], holder: dict[str, Any], field: str, label: str, key: str, **more: Any
) -> None:
    """Draws the widget with the draft's value and writes back what it holds now.

    The draft outlives the widget: Streamlit forgets a widget's text on leaving the page.
    """
    show_first(key, holder.get(field) or "")
    holder[field] = widget(label, key=key, **more)


def bind_choice(
    holder: dict[str, Any],
    field: str,
    label: str,
    key: str,
    options: Mapping[Any, str],
    **more: Any,
) -> None:
    """As `bound`, for a choice by id or word. What is no longer there is shown as not chosen, but stays in
    the draft until something else is chosen: to look at it is no change, and the rules say what is gone."""
    kept = holder.get(field)
    show_first(key, kept)
    named = lambda one: options.get(one, "")  # noqa: E731
    picked = st.selectbox(label, list(options), key=keep_chosen(key, options), format_func=named, **more)
    if picked is not None or kept in options:
        holder[field] = picked


def draw_problems(problems: Sequence[Problem], *, tone: str = "red", icon: str = "error") -> None:
    for one in problems:
        words = escape(_whose(one.field) + _(one.template, **dict(one.values)))
        st.html(
            f'<div class="otn-say otn-{tone}"><span class="otn-icon" aria-hidden="true">{icon}</span>'
            f"<span>{words}</span></div>"
        )


def say_is_full(limit: int) -> None:
    """In place of a button that adds: why there is none."""
    st.caption(_("Messenger allows at most {limit}.", limit=limit))


def _whose(field: str) -> str:
    """Of a card, a button or a quick reply which one it is: all of them are complained of in one place."""
    found = [_(_ROWS[listed], number=int(place) + 1) for listed, place in _ROW.findall(field)]
    return "".join(f"{name}: " for name in found)


def draw_warnings(problems: Sequence[Problem]) -> None:
    draw_problems(problems, tone="orange", icon="lightbulb")


def small_button(
    key: str, sign: str, label: str, disabled: bool, change: Callable[..., None], args: tuple[object, ...]
) -> None:
    """A button that shows a sign only; its label is read aloud, and shown where the mouse rests."""
    st.button(
        label,
        key=key,
        icon=f":material/{sign}:",
        help=label,
        type="tertiary",
        disabled=disabled,
        on_click=change,
        args=args,
    )
