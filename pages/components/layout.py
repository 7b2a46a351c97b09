"""The parts every page is built of: its header, empty states, badges, cards, dialogs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import navigation
from pages.components.session import attempt, flash
from pages.components.texts import _, state_label


def page_header(title: str, purpose: str, *, key: str) -> DeltaGenerator:
    """Title and one line of purpose; returns the slot at the top right for the primary action."""
    with st.container(key=f"{key}_header", horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(key=f"{key}_header_words", gap=None):
            st.title(title, anchor=False)
            st.markdown(purpose)
        return st.container(key=f"{key}_header_action", width="content", horizontal=True)


def section(title: str) -> None:
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
        navigation.go(page)
    return pressed


def badge(kind: str, state: str) -> None:
    """A state as icon, word and colour."""
    word, icon, colour = state_label(kind, state)
    st.badge(word, icon=f":material/{icon}:", color=colour)


def badge_markdown(kind: str, state: str) -> str:
    """The same badge inside a Markdown sentence."""
    word, icon, colour = state_label(kind, state)
    return f":{colour}-badge[:material/{icon}: {word}]"


@dataclass(frozen=True)
class Card:
    label: str
    value: str
    help: str | None = None
    delta: str | None = None


def cards(shown: list[Card]) -> None:
    """Numbers side by side, each in a card; they wrap on narrow screens."""
    for column, card in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(
            card.label,
            card.value,
            card.delta,
            delta_color="off" if card.delta and card.delta[:1] not in "+-" else "normal",
            help=card.help,
            border=True,
            height="stretch",
        )


def open_dialog(key: str) -> None:
    """Opens the dialog of that key; give it to a button as `on_click=open_dialog, args=(key,)`."""
    st.session_state["dialog"] = key
    st.session_state.pop("dialog_error", None)


def close_dialog(key: str) -> None:
    """Ends the dialog if it is still the open one."""
    if is_open(key):
        del st.session_state["dialog"]
        st.session_state.pop("dialog_error", None)


def leave_dialogs(url_path: str) -> None:
    """A dialog stays behind with the page it was opened on."""
    if st.session_state.setdefault("dialog_page", url_path) != url_path:
        st.session_state["dialog_page"] = url_path
        st.session_state.pop("dialog", None)


def is_open(key: str) -> bool:
    return st.session_state.get("dialog") == key


def dialog(
    key: str,
    title: str,
    body: Callable[[], None],
    *,
    width: Literal["small", "medium", "large"] = "small",
    closed: Callable[[], None] = lambda: None,
) -> None:
    """Shows `body` in a dialog while it is open (see `open_dialog`); `closed` runs when it is dismissed.

    To end it from a button give `on_click=settle, args=(key, action)`: it closes when the action
    succeeds, else stays and shows why not.
    """
    if not is_open(key):
        return

    def dismissed() -> None:
        close_dialog(key)
        closed()

    def draw() -> None:
        if not is_open(key):
            st.rerun()
        body()
        if error := st.session_state.get("dialog_error"):
            st.error(error, icon=":material/error:")

    st.dialog(title, width=width, on_dismiss=dismissed)(draw)()


def settle(key: str, action: Callable[[], object], done: str | None = None) -> None:
    """Callback of a dialog's button: runs the action, then closes the dialog or keeps it with the reason.
    An action that opens another dialog leaves that one open."""
    error, _value = attempt(action)
    if error is not None:
        st.session_state["dialog_error"] = error
        return
    close_dialog(key)
    if done:
        flash(done)


def confirm(
    key: str,
    title: str,
    body: str,
    verb: str,
    on_confirm: Callable[[], object],
    *,
    done: str | None = None,
) -> None:
    """A dear action's dialog: states the consequence, names the button by its verb. Always call it; it
    shows itself once `open_dialog(key)` was called."""

    def draw() -> None:
        st.markdown(body)
        confirm_buttons(key, verb, on_confirm, done=done)

    dialog(key, title, draw)


def confirm_buttons(
    key: str, verb: str, on_confirm: Callable[[], object], *, done: str | None = None
) -> None:
    """The two buttons below what a dialog asks to be confirmed: keep things as they are, or do it."""
    with st.container(key=f"{key}_buttons", horizontal=True, horizontal_alignment="right"):
        st.button(_("Keep as it is"), key=f"{key}_keep", on_click=close_dialog, args=(key,))
        st.button(verb, key=f"{key}_confirm", type="primary", on_click=settle, args=(key, on_confirm, done))
