"""The parts every page is built of: its header, sections, empty states, badges, cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import page_registry
from pages.components.guide import draw_help
from pages.components.texts import state_label


def page_header(title: str, purpose: str, *, key: str) -> DeltaGenerator:
    """Title and one line of purpose; returns the slot at the top right for the primary action."""
    with st.container(key=f"{key}_header", horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(key=f"{key}_header_words", gap=None):
            with st.container(
                key=f"{key}_header_title", horizontal=True, vertical_alignment="center", wrap=False
            ):
                st.title(title, anchor=False, width="content")
                draw_help()
            st.markdown(purpose)
        return st.container(key=f"{key}_header_action", width="content", horizontal=True)


def section(title: str) -> None:
    """The heading of a part of a page."""
    st.subheader(title, anchor=False)


def empty_state(
    icon: str, sentence: str, *, button: str | None = None, page: str | None = None, key: str
) -> bool:
    """One sentence, one button. With `page` (a url_path of the menu) the button leads there;
    without, True is returned when it was pressed."""
    with st.container(key=f"{key}_empty", horizontal_alignment="center", border=True):
        st.html(
            f'<div class="otn-empty-icon" aria-hidden="true"><span class="otn-icon">{icon}</span></div>',
            width="content",
        )
        st.markdown(sentence, width="content")
        pressed = button is not None and st.button(button, key=f"{key}_start", type="primary")
    if pressed and page is not None:
        page_registry.go(page)
    return pressed


def badge(kind: str, state: str) -> None:
    """A state as icon, word and colour."""
    word, icon, colour = state_label(kind, state)
    st.badge(word, icon=f":material/{icon}:", color=colour)


def badge_markdown(kind: str, state: str) -> str:
    """A badge for use inside a Markdown sentence."""
    word, icon, colour = state_label(kind, state)
    return f":{colour}-badge[:material/{icon}: {word}]"


@dataclass(frozen=True)
class Card:
    """A number with its label; `help` is shown on hover, `delta` below the number."""

    label: str
    value: str
    help: str | None = None
    delta: str | None = None
    lower_is_better: bool = False


def cards(shown: list[Card]) -> None:
    """Numbers side by side, each in a card; they wrap on narrow screens."""
    for column, card in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(
            card.label,
            card.value,
            card.delta,
            delta_color=_delta_colour(card),
            delta_arrow="auto" if _has_sign(card) else "off",
            help=card.help,
            border=True,
            height="stretch",
        )


def _delta_colour(card: Card) -> Literal["normal", "inverse", "off"]:
    if not _has_sign(card):
        return "off"
    return "inverse" if card.lower_is_better else "normal"


def _has_sign(card: Card) -> bool:
    return card.delta is not None and card.delta[:1] in ("+", "-")
