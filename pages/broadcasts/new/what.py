"""Step 2, what: the message, beside the promise and the phone. Saved as it is written."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.broadcasts.draft_warnings import warn_content
from core.broadcasts.drafts import Draft
from core.broadcasts.readiness import find_problems
from core.broadcasts.topic_reach import get_reach
from core.clock import utc_now
from core.conversation.blocks.broadcast_answers import FIELDS as UNDER
from core.conversation.blocks.registry import kind_of, kinds_for_broadcasts
from core.conversation.queries import message_names, topic_names
from core.fanpages.pictures import picture_of
from pages.broadcasts.new import asking_again, saving
from pages.broadcasts.new.answers import edit_answers
from pages.broadcasts.new.promises import draw_promises_and_tick
from pages.components.block_editor import draft as composing
from pages.components.block_editor.blocks import edit_block, kind_in_broadcast
from pages.components.block_editor.fields import draw_problems, draw_warnings
from pages.components.block_editor.forms.form import EditorContext
from pages.components.block_editor.preview import draw_preview
from pages.components.block_editor.typed import typed_words
from pages.components.block_editor.undo import draw_undo
from pages.components.session import Current
from pages.components.styles import draw_editor_styles
from pages.components.texts import _

_WRITING = "broadcast_writing"  # {"id", "kept", "opened", "blocks": [one block], "words": {...}}


def draw(here: Current, draft: Draft, page_name: str) -> None:
    """The kind, its fields and the promise, beside the phone; saved in the same run."""
    draw_editor_styles()
    writing = _opened(saving.shown(draft))
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        context = EditorContext(topic_names(draft.fanpage_id), message_names(draft.fanpage_id), locked=False)
        _choose_kind(writing)
        with st.container(key="broadcast_words", border=True):
            edit_block(writing["blocks"][0], context)
            draw_undo(writing, "broadcast")
            asking_again.offer_button(writing, draft.topic_id, context.topics)
        edit_answers(writing["under"], context)
        draft = _keep(here, draft, writing)
        if saving.is_left():
            return
        slot = st.container()
        promises = get_reach(draft.topic_id, draft.filters, now=utc_now()).promises
        draw_promises_and_tick(draft, promises)
        with slot:
            _say(draft, [promise.title for promise in promises])
    with right, st.container(key="composer_phone"):
        _preview(writing, draft, page_name)


def _preview(writing: dict[str, Any], draft: Draft, page_name: str) -> None:
    picture, after = picture_of(draft.fanpage_id), writing["under"].get("after_message_id")
    draw_preview(writing, page_name=page_name, picture=picture, after=after)


def draw_message(draft: Draft, page_name: str) -> None:
    """The draft on the phone, where it is not being written."""
    draw_editor_styles()
    with st.container(key="composer_phone"):
        writing = _opened(draft)
        _preview(writing, draft, page_name)


def draw_written(broadcast_id: int) -> None:
    """What this tab was writing of a draft that is gone: to be copied, for it is kept nowhere else."""
    held = st.session_state.get(_WRITING)
    words = typed_words(held["blocks"][0]) if held is not None and held["id"] == broadcast_id else ""
    if words:
        st.markdown(_("What you were writing is only kept here; copy it if you need it."))
        st.code(words, language=None, wrap_lines=True)


def _opened(draft: Draft) -> dict[str, Any]:
    """What is being written; begun anew when the draft says something else."""
    held: dict[str, Any] | None = st.session_state.get(_WRITING)
    if held is not None and held["id"] == draft.id and held["kept"] == draft.content:
        return held
    under = composing.open_under(draft.content)
    held = {"id": draft.id, "kept": draft.content, "blocks": [], "words": {}, "under": under}
    composing.add_block(held, draft.content["kind"], _of_the_block(draft.content))
    held["opened"] = _content(held)  # the same in the composer's form: to look at it is no change
    st.session_state[_WRITING] = held
    return held


def _choose_kind(writing: dict[str, Any]) -> None:
    key = f"broadcast_{writing['id']}_kind"
    st.session_state[key] = writing["blocks"][0]["kind"]
    st.segmented_control(
        _("Kind of message"),
        kinds_for_broadcasts(),
        key=key,
        required=True,
        wrap=True,
        format_func=kind_in_broadcast,
        on_change=_change_kind,
        args=(writing, key),
        label_visibility="collapsed",
    )
    if kind_of(writing["blocks"][0]["kind"]).is_assumed_by_token:
        assumed = _(
            "Not certain: Meta's guide only shows text messages sent with an opt-in. If Messenger "
            "refuses this kind of message, the broadcast stops automatically after the first "
            "customers; a text is always safe."
        )
        st.caption(f":material/science: {assumed}")


def _change_kind(writing: dict[str, Any], key: str) -> None:
    """What was typed for one kind is there again when it is chosen again."""
    writing["words"] |= _of_the_block(_content(writing))
    writing["blocks"].clear()
    composing.add_block(writing, st.session_state[key], writing["words"])


def _content(writing: dict[str, Any]) -> dict[str, Any]:
    block = composing.blocks_of(writing)[0]
    return {"kind": str(block.kind), **block.content}


def _of_the_block(content: dict[str, Any]) -> dict[str, Any]:
    """The fields of the kind, without what every broadcast may have beside them."""
    return {key: value for key, value in content.items() if key not in ("kind", *UNDER)}


def _keep(here: Current, draft: Draft, writing: dict[str, Any]) -> Draft:
    content = _content(writing)
    if content == writing["opened"]:
        content = writing["kept"]
    kept = saving.save(here, draft, content=content)
    if saving.shown(draft).content == content:
        writing["kept"], writing["opened"] = content, _content(writing)
    return kept


def _say(draft: Draft, promises: list[str]) -> None:
    """What is missing or gone, once something was written; and what deserves a second look."""
    is_blank = not any(value for key, value in draft.content.items() if key != "kind")
    if not is_blank:
        draw_problems(find_problems(draft.topic_id, draft.content))
    draw_warnings(warn_content(draft.content, promises))
