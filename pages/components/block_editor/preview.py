"""The phone beside the composer, and whose phone it is: language, light or dark, name, which of two wordings,
tapped or not.

It can be tapped: links open, and a button that leads to a message shows what the bot would say next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.conversation.blocks.bubble import Bubble, Shape, Tap
from core.conversation.drafts import BlockDraft
from core.conversation.placeholders import has_placeholder
from core.conversation.preview_thread import Step, thread_of
from core.conversation.queries import get_message
from core.conversation.translation_queries import find_in_language
from core.conversation.wording_tests import has_two_wordings
from core.errors import NotFound
from core.text.catalogues import languages
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import OPEN_CARD, Draft
from pages.components.phone import draw_phone
from pages.components.phone_shapes import EXAMPLES
from pages.components.texts import _, language

NAMES = {"short": "Lan", "long": "Nguyễn Hoàng Thụy Phương Anh Thư Ngọc", "none": None}
_WALK = "preview_walk"  # {"of": the draft's key, "steps": [[said, payload], ...]}
_ABOVE, _ROW = 240, 46  # pixels: the head of the page, and each row of choices over the phone


def draw_preview(
    draft: Draft,
    *,
    page_name: str,
    picture: str = "",
    after: int | None = None,
    spoken: str | None = None,
) -> None:
    """`after` is the message that follows an answer to a broadcast; `picture` is the fanpage's; `spoken` the
    language that is written, if it is written for customers of one language."""
    spoken, dark = _draw_controls(spoken)
    walk = _walk_of(draft)
    is_named = any(map(has_placeholder, _words_in(draft["blocks"])))
    is_tested = any(map(has_two_wordings, draft["blocks"]))
    named = NAMES[_choose_name() if is_named else "short"]
    variant = choose_variant("preview") if is_tested else "a"
    bubbles = _thread(draft, walk, after, named, spoken, variant, tapped=False)
    asks = any(bubble.shape is Shape.REQUEST for bubble in bubbles)
    if _draw_states(asks=asks, walked=bool(walk)):
        bubbles = _thread(draft, walk, after, named, spoken, variant, tapped=True)
    draw_phone(
        _turned(draft, bubbles),
        language=spoken,
        dark=dark,
        page_name=page_name,
        picture=picture,
        tall=590,
        above=_ABOVE + _ROW * sum((1, is_named, is_tested, asks or bool(walk))),
        on_tap=lambda bubble, tap: _tapped(draft, bubble, tap),
    )
    if asks:
        st.caption(
            _("Facebook adds the button under the promise, in the customer's language; it can't be changed.")
        )


def choose_variant(key: str) -> str:
    """Whose phone it is where a request has two wordings: of the half that reads the first ("a"), or the
    second ("b"). `key` begins the widget's key."""
    words = {"a": _("First wording"), "b": _("Second wording")}
    with st.container(key=f"{key}_variants", horizontal_alignment="center"):
        chosen = st.segmented_control(
            _("Which of the two wordings?"),
            list(words),
            default="a",
            required=True,
            key=f"{key}_variant",
            format_func=words.__getitem__,
            label_visibility="collapsed",
        )
    return chosen or "a"


def _draw_controls(written: str | None) -> tuple[str, bool]:
    """The language of the phone, and whether it is dark."""
    key = "preview_controls"
    with st.container(
        key=key, horizontal=True, horizontal_alignment="center", vertical_alignment="center", gap="small"
    ):
        spoken = st.segmented_control(
            _("The customer's language"),
            list(languages()),
            default=written if written in languages() else language(),
            required=True,
            key=f"preview_language_{written or ''}",
            format_func=languages().__getitem__,
            label_visibility="collapsed",
        )
        dark = st.toggle(_("Dark"), value=st.context.theme.type == "dark", key="preview_dark")
    return spoken or language(), dark


def _draw_states(*, asks: bool, walked: bool) -> bool:
    """Whether the request is tapped; and the way back to the beginning."""
    with st.container(
        key="preview_states",
        horizontal=True,
        horizontal_alignment="center",
        vertical_alignment="center",
        gap="medium",
    ):
        tapped = asks and st.toggle(_("After the tap"), key="preview_tapped")
        if walked:
            st.button(
                _("Start over"),
                key="preview_restart",
                icon=":material/restart_alt:",
                type="tertiary",
                on_click=st.session_state.pop,
                args=(_WALK, None),
            )
    return bool(tapped)


def _choose_name() -> str:
    words = {"short": "Lan", "long": _("A long name"), "none": _("Name unknown")}
    with st.container(key="preview_names", horizontal_alignment="center"):
        chosen = st.segmented_control(
            _("Customer's name"),
            list(words),
            default="short",
            required=True,
            key="preview_name",
            format_func=words.__getitem__,
            label_visibility="collapsed",
        )
    return chosen or "short"


def _words_in(fields: Any) -> list[str]:
    """Every text of the blocks, however deep."""
    if isinstance(fields, dict):
        fields = list(fields.values())
    if isinstance(fields, list):
        return [word for each in fields for word in _words_in(each)]
    return [fields] if isinstance(fields, str) else []


def _thread(
    draft: Draft,
    walk: list[Step],
    after: int | None,
    first_name: str | None,
    spoken: str,
    variant: str,
    *,
    tapped: bool,
) -> list[Bubble]:
    return thread_of(
        drafts.blocks_of(draft),
        walk,
        lambda message_id: _blocks_of_message(message_id, spoken),
        _,
        after=after,
        first_name=first_name,
        tapped=tapped,
        variant=variant,
    )


def _turned(draft: Draft, bubbles: Sequence[Bubble]) -> list[Bubble]:
    """With each carousel at the card that is being written."""
    places = iter([block.get(OPEN_CARD, 0) for block in draft["blocks"] if len(block.get("cards", ())) > 1])
    return [replace(each, shown=next(places, 0)) if len(each.cards) > 1 else each for each in bubbles]


def _blocks_of_message(message_id: int, spoken: str) -> list[BlockDraft] | None:
    try:
        view = get_message(find_in_language(message_id, spoken))
    except NotFound:
        return None
    blocks = [BlockDraft(block.kind, block.content, block.topic_id) for block in view.blocks]
    return None if view.is_archived else blocks


def _key_of(draft: Draft) -> str:
    return str(draft.get("id") or draft.get("uid"))


def _walk_of(draft: Draft) -> list[Step]:
    held = st.session_state.get(_WALK)
    return [Step(*step) for step in held["steps"]] if held and held["of"] == _key_of(draft) else []


def _tapped(draft: Draft, _bubble: Bubble, tap: Tap | None) -> None:
    if tap is None:
        st.session_state["preview_tapped"] = True
        return
    steps = [[step.said, step.payload] for step in _walk_of(draft)]
    said = EXAMPLES[tap.asks] if tap.asks else tap.title
    st.session_state[_WALK] = {"of": _key_of(draft), "steps": [*steps, [said, tap.payload]]}
