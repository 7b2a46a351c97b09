"""The guide for marketers, read from docs/guide: no page of it needs the internet."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import streamlit as st

from core.text.catalogues import SOURCE
from pages.components import page_registry
from pages.components.dialogs import close_dialog, dialog, open_dialog, page_now
from pages.components.texts import _, language

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
PARTS = (  # the files of each language, in the order in which they are read
    "start",
    "set-up",
    "topics",
    "messages",
    "entry-points",
    "opt-ins",
    "broadcasts",
    "results",
    "asking-again",
    "team",
    "problems",
)
ABOUT = {  # the url_path of each page, and the part about it
    "overview": "start",
    "topics": "topics",
    "messages": "messages",
    "message": "messages",
    "entry_points": "entry-points",
    "broadcasts": "broadcasts",
    "calendar": "broadcasts",
    "new_broadcast": "broadcasts",
    "broadcast": "results",
    "customers": "opt-ins",
    "customer": "opt-ins",
    "opt_ins": "opt-ins",
    "planner": "opt-ins",
    "setup": "set-up",
    "testers": "set-up",
    "operators": "team",
    "roles": "team",
    "activity": "team",
    "account": "team",
    "health": "problems",
    "events": "problems",
    "event": "problems",
    "phone": "start",
}
KEY = "guide_help"
_PICTURE = re.compile(r"^!\[(.+)\]\(\.\./images/([\w.-]+)\)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([a-z-]+)\.md\)")


def title_of(part: str) -> str:
    """The first heading of a part, in the reader's language."""
    return _read(language(), part)[0]


def draw_part(part: str) -> None:
    """The text and pictures below its heading."""
    pieces = _PICTURE.split(_LINK.sub(r"](guide?part=\1)", _read(language(), part)[1]))
    for text, alt, picture in zip(pieces[::3], [*pieces[1::3], ""], [*pieces[2::3], ""], strict=True):
        if text.strip():
            st.markdown(text)
        if picture and (GUIDE / "images" / picture).is_file():
            st.image(GUIDE / "images" / picture, caption=alt, alt=alt)


def draw_help() -> None:
    """The button beside a page's title that opens the part of the guide about it."""
    here = ABOUT.get(page_now())
    if here is None:
        return
    st.button(
        _("Help"), key=f"{KEY}_open", icon=":material/help:", type="tertiary", on_click=_open, args=(here,)
    )
    part = str(st.session_state.get(KEY, here))
    dialog(KEY, title_of(part), lambda: _body(part), width="large")


def _open(part: str) -> None:
    st.session_state[KEY] = part
    open_dialog(KEY)


def _body(part: str) -> None:
    draw_part(part)
    with st.container(key=f"{KEY}_ways", horizontal=True, horizontal_alignment="distribute"):
        page_registry.link("guide", _("The whole guide"), icon=":material/menu_book:", part=part)
        st.button(_("Close"), key=f"{KEY}_close", on_click=close_dialog, args=(KEY,))


@lru_cache
def _read(code: str, part: str) -> tuple[str, str]:
    """Heading and text of a part; English where a language has no guide of its own."""
    file = GUIDE / code / f"{part}.md"
    if not file.is_file():
        file = GUIDE / SOURCE / f"{part}.md"
    heading, _end, text = file.read_text(encoding="utf-8").partition("\n")
    return heading.removeprefix("# "), text
