"""A customer's phone: blocks and threads drawn as Messenger shows them.

The phone speaks the customer's language, which need not be the reader's. What is tapped on it goes to a
function of the page: pages/components/phone_taps.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import streamlit as st

from core.conversation.blocks.bubble import Bubble, Shape
from core.errors import N_
from core.text.catalogues import say_in
from core.text.normalise import normalise_name
from pages.components.phone_shapes import draw_replies, draw_shape, sign
from pages.components.phone_taps import START, OnTap, draw_taps

# Meta words and translates these; a fanpage cannot change them.
_WORDS = {
    "notify": N_("Notify Me"),
    "more": N_("See more"),
    "page": N_("Your fanpage"),
    "about": N_("Facebook Page"),
    "status": N_("Typically replies instantly"),
    "start": N_("Get Started"),
    "nothing": N_("Your words appear here"),
    "fixed": N_("Facebook decides how this button looks and what it says; it can't be changed."),
}


def draw_phone(
    bubbles: Sequence[Bubble],
    *,
    language: str,
    dark: bool = False,
    page_name: str = "",
    picture: str = "",
    tall: int = 640,
    above: int = 0,
    on_tap: OnTap | None = None,
    on_start: Callable[[], None] | None = None,
    follow: bool = False,
    greeting: str = "",
) -> None:
    """Draws the phone with the thread at its latest line; `tall` is the most pixels of its screen, `above`
    what stands above it and has to be seen as well.

    Whatever is tapped on it is given to `on_tap`; without that, only addresses and phone numbers can be
    tapped. With `on_start` it shows the button of an empty conversation, which calls that. With `follow` the
    page scrolls to it when something has come. An empty conversation shows the `greeting`.
    """
    html = phone_html(
        bubbles,
        language=language,
        dark=dark,
        page_name=page_name,
        picture=picture,
        tall=tall,
        above=above,
        live=on_tap is not None,
        starts=on_start is not None,
        follow=follow,
        greeting=greeting,
    )
    st.html(html)
    draw_taps(bubbles, on_tap, on_start)


def phone_html(
    bubbles: Sequence[Bubble],
    *,
    language: str,
    dark: bool = False,
    page_name: str = "",
    picture: str = "",
    tall: int = 640,
    above: int = 0,
    live: bool = False,
    starts: bool = False,
    follow: bool = False,
    greeting: str = "",
) -> str:
    """`picture` is the fanpage's, as a data: address of base64; without one, its first letter stands for
    it. It is named once, since every line shows it."""
    say = say_in(language)
    words = {name: say(word) for name, word in _WORDS.items()}
    name = normalise_name(page_name) or words["page"]
    face = _face(name, picture)
    thread = "".join(_line(bubbles, place, face, words, live) for place in range(len(bubbles)))
    if not bubbles:
        thread = f'<div class="otn-note">{escape(greeting or words["nothing"])}</div>'
    classes = "otn-phone otn-dark" if dark else "otn-phone"
    foot = _start(words) if starts else _foot()
    shown = f";--face:url({escape(picture)})" if picture else ""
    following = f' data-newest="{len(bubbles)}"' if follow else ""
    return (
        f'<style>{_css()}</style><div class="{classes}" role="figure" lang="{escape(language)}" '
        f'style="--tall:{tall}px;--above:{above}px{shown}"{following}>'
        f'<div class="otn-screen">{_head(name, face, words)}'
        f'<div class="otn-thread"><div class="otn-said">{_hello(name, face, words)}{thread}</div></div>'
        f"{draw_replies(bubbles, live=live)}{foot}</div></div>"
    )


@lru_cache
def _css() -> str:
    return Path(__file__).with_suffix(".css").read_text()


def _face(name: str, picture: str) -> str:
    return f'<span class="otn-face" aria-hidden="true">{"" if picture else escape(name[:1].upper())}</span>'


def _head(name: str, face: str, words: Mapping[str, str]) -> str:
    signs = sign("signal_cellular_alt") + sign("wifi") + sign("battery_full")
    return (
        f'<div class="otn-status" aria-hidden="true"><span>9:41</span><span>{signs}</span></div>'
        f'<div class="otn-top">{sign("arrow_back_ios_new")}{face}<div class="otn-who">'
        f"<b>{escape(name)}</b><span>{escape(words['status'])}</span></div>{sign('info')}</div>"
    )


def _hello(name: str, face: str, words: Mapping[str, str]) -> str:
    who = f"<b>{escape(name)}</b><span>{escape(words['about'])}</span>"
    return f'<div class="otn-hello">{face}{who}</div>'


def _start(words: Mapping[str, str]) -> str:
    """What an empty conversation has in place of the keyboard."""
    return (
        f'<div class="otn-start"><button type="button" data-tap="{START}">{escape(words["start"])}</button>'
        '</div><div class="otn-home"></div>'
    )


def _foot() -> str:
    signs = sign("add_circle") + sign("photo_camera")
    field = f"<div><span>Aa</span>{sign('mood')}</div>"
    return (
        f'<div class="otn-write" aria-hidden="true">{signs}{field}{sign("thumb_up")}</div>'
        '<div class="otn-home"></div>'
    )


def _line(bubbles: Sequence[Bubble], place: int, face: str, words: Mapping[str, str], live: bool) -> str:
    """One bubble, joined to its neighbours when the same side speaks on."""
    bubble = bubbles[place]
    above = f'<div class="otn-at">{escape(bubble.at)}</div>' if bubble.at else ""
    if bubble.shape is Shape.NOTE:
        return f'{above}<div class="otn-note">{escape(bubble.text)}</div>'
    follows = not bubble.at and place > 0 and _joined(bubbles[place - 1], bubble)
    goes_on = place + 1 < len(bubbles) and _joined(bubble, bubbles[place + 1]) and not bubbles[place + 1].at
    marks = {"otn-mine": bubble.mine, "otn-more": goes_on, "otn-next": follows, "otn-new": not follows}
    classes = " ".join(["otn-line", *(mark for mark, is_set in marks.items() if is_set)])
    who = "" if bubble.mine else face
    return f'{above}<div class="{classes}">{who}{draw_shape(bubble, place, words, live=live)}</div>'


def _joined(one: Bubble, other: Bubble) -> bool:
    return Shape.NOTE not in (one.shape, other.shape) and one.mine == other.mine
