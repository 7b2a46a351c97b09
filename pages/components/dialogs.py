"""Dialogs that stay open. Streamlit opens one only for the run in which its function is called, so session
state remembers the key of the open one, and its page draws it anew in every run until it is ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from pages.components.session import attempt, flash
from pages.components.texts import _


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


def page_now() -> str:
    """The url_path of the page that is drawn; "" before the first."""
    return str(st.session_state.get("dialog_page", ""))


def is_open(key: str) -> bool:
    """Whether the dialog of that key is the open one."""
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

    To end it from a button give `on_click=run_and_close, args=(key, action)`: it closes when the action
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


def run_and_close(key: str, action: Callable[[], object], done: str | None = None) -> None:
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
    """Ask before an action that cannot be undone: `body` states the consequence, `verb` names the button.
    Call it in every run; it shows itself once `open_dialog(key)` was called."""

    def draw() -> None:
        st.markdown(body)
        confirm_buttons(key, verb, on_confirm, done=done)

    dialog(key, title, draw)


def confirm_buttons(
    key: str,
    verb: str,
    on_confirm: Callable[[], object],
    *,
    done: str | None = None,
    disabled: bool = False,
) -> None:
    """The two buttons below what a dialog asks to be confirmed: keep things as they are, or do it. The
    dialog says itself why the second one is `disabled`."""
    with st.container(key=f"{key}_buttons", horizontal=True, horizontal_alignment="right"):
        st.button(_("Go back"), key=f"{key}_keep", on_click=close_dialog, args=(key,))
        st.button(
            verb,
            key=f"{key}_confirm",
            type="primary",
            disabled=disabled,
            on_click=run_and_close,
            args=(key, on_confirm, done),
        )
