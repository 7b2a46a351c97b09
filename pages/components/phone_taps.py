"""Taps on the phone: what stands there as HTML is tied to a Streamlit button that nobody sees.

phone.js passes a click on from one to the other; both have the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import streamlit as st

from core.conversation.blocks.bubble import Bubble, Shape, Tap
from pages.components.markdown import escape_markdown
from pages.components.phone_shapes import tap_key

OnTap = Callable[[Bubble, Tap | None], None]  # None: the button "Notify Me" of a request
START = "start"  # the key of the button of an empty conversation
_SCRIPT = Path(__file__).with_name("phone.js")


def draw_taps(
    bubbles: Sequence[Bubble], on_tap: OnTap | None, on_start: Callable[[], None] | None = None
) -> None:
    """The buttons behind the phone, which is drawn just before, and the script for its links. A page may have
    one phone that can be tapped, and one that is only to be looked at."""
    is_still = on_tap is None and on_start is None
    with st.container(key="phone_taps_still" if is_still else "phone_taps"):
        st.html(f"<script>{_SCRIPT.read_text('utf-8')}</script>", unsafe_allow_javascript=True)
        if on_start is not None:
            st.button(START, key=f"phone_tap_{START}", on_click=on_start)
        if on_tap is not None:
            for key, bubble, tap in taps_on(bubbles):
                label = tap.title or tap.asks if tap else bubble.text
                st.button(
                    escape_markdown(label or key), key=f"phone_tap_{key}", on_click=on_tap, args=(bubble, tap)
                )


def taps_on(bubbles: Sequence[Bubble]) -> Iterator[tuple[str, Bubble, Tap | None]]:
    """Everything that answers to a tap, with the key by which the phone names it."""
    for place, bubble in enumerate(bubbles):
        if bubble.shape is Shape.REQUEST and not bubble.tapped:
            yield tap_key(place, "n"), bubble, None
        rows = [("", bubble.taps), *((f"c{number}", card.taps) for number, card in enumerate(bubble.cards))]
        for card, taps in rows:
            for number, tap in enumerate(taps):
                if tap.payload:
                    yield tap_key(place, f"{card}b{number}"), bubble, tap
        if bubble is bubbles[-1]:
            for number, tap in enumerate(bubble.replies):
                yield tap_key(place, f"r{number}"), bubble, tap
