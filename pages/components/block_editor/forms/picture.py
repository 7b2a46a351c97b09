"""The field of a picture, uploaded or with a web address: of a block of its own, or of a card."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.clock import utc_now
from core.pictures.actions import add_picture
from core.pictures.files import thumbnail
from core.pictures.rules import UPLOAD_LIMIT, name_in
from pages.components.block_editor.fields import bind_input
from pages.components.block_editor.forms.form import EditorContext
from pages.components.markdown import escape_markdown
from pages.components.session import attempt, current
from pages.components.texts import _

_SAID = "picture_refused"  # {"key", "text"}: what was wrong with the last upload
_TRIES = "picture_tries_{key}_{field}"  # how many were refused: after each of them the field is an empty one


def edit_picture(holder: dict[str, Any], field: str, key: str, context: EditorContext) -> None:
    """`key` is of the block or row whose picture it is."""
    name = name_in(holder.get(field))
    if name:
        _show_uploaded(holder, field, key, name, context)
        return
    bind_input(
        st.text_input,
        holder,
        field,
        _("Web address of the image"),
        f"{key}_{field}",
        disabled=context.locked,
        placeholder="https://…/anh.jpg",
        help=_("Messenger loads the image from this address: it must be public (JPG, PNG or GIF)."),
        live=True,
    )
    if not context.locked:
        _draw_uploader(holder, field, key)


def _draw_uploader(holder: dict[str, Any], field: str, key: str) -> None:
    st.file_uploader(
        _("… or upload one"),
        type=["jpg", "jpeg", "png", "gif", "webp"],
        key=_upload_key(field, key),
        max_upload_size=UPLOAD_LIMIT // 1024 // 1024,
        on_change=_upload,
        args=(holder, field, key),
    )
    said = st.session_state.get(_SAID)
    if said and said["key"] == f"{key}_{field}":
        st.error(said["text"], icon=":material/error:")


def _upload_key(field: str, key: str) -> str:
    return f"{key}_{field}_upload_{st.session_state.get(_tries_key(field, key), 0)}"


def _tries_key(field: str, key: str) -> str:
    return _TRIES.format(key=key, field=field)


def _upload(holder: dict[str, Any], field: str, key: str) -> None:
    st.session_state.pop(_SAID, None)
    here, file = current(), st.session_state.get(_upload_key(field, key))
    if file is None or here.fanpage is None:
        return
    fanpage_id, uploaded = here.fanpage.id, file.getvalue()
    text, kept = attempt(lambda: add_picture(here.actor, fanpage_id, uploaded, now=utc_now()))
    if text is not None:
        told = f"**{escape_markdown(file.name)}**: {text}"
        st.session_state[_SAID] = {"key": f"{key}_{field}", "text": told}
        tries = _tries_key(field, key)
        st.session_state[tries] = st.session_state.get(tries, 0) + 1
    else:
        holder[field] = kept


def _show_uploaded(holder: dict[str, Any], field: str, key: str, name: str, context: EditorContext) -> None:
    with st.container(key=f"{key}_{field}_shown", horizontal=True, vertical_alignment="center"):
        small = thumbnail(name)
        if small:
            st.html(f'<img src="{small}" alt="" style="height: 72px; border-radius: 8px; display: block">')
        st.button(
            _("Choose another image"),
            key=f"{key}_{field}_clear",
            icon=":material/close:",
            type="tertiary",
            disabled=context.locked,
            on_click=_clear,
            args=(holder, field, key),
        )


def _clear(holder: dict[str, Any], field: str, key: str) -> None:
    holder[field] = st.session_state[f"{key}_{field}"] = ""
