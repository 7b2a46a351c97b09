"""A customer's phone: blocks and threads drawn as Messenger shows them. Everything said is HTML-escaped.

The phone speaks the customer's language, which need not be the reader's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import streamlit as st

from core.conversation.blocks.bubble import Bubble, Shape
from core.errors import N_
from core.text.languages import say_in
from core.text.normalise import is_blank, normalise_name

# Meta words and translates these; a fanpage cannot change them.
_WORDS = {
    "notify": N_("Notify Me"),
    "more": N_("See more"),
    "page": N_("Your page"),
    "about": N_("Facebook Page"),
    "status": N_("Typically replies instantly"),
    "nothing": N_("Your words appear here"),
}
FOLDED_AFTER = 620  # a longer text is cut off with "See more"


def draw_phone(
    bubbles: Sequence[Bubble],
    *,
    language: str,
    dark: bool = False,
    page_name: str = "",
    tall: int = 640,
) -> None:
    """Draws the phone with the thread at its latest line; `tall` is the height of the screen in pixels."""
    st.html(phone_html(bubbles, language=language, dark=dark, page_name=page_name, tall=tall))


def phone_html(
    bubbles: Sequence[Bubble], *, language: str, dark: bool = False, page_name: str = "", tall: int = 640
) -> str:
    say = say_in(language)
    words = {name: say(word) for name, word in _WORDS.items()}
    name = normalise_name(page_name) or words["page"]
    thread = "".join(_line(bubbles, place, name, words) for place in range(len(bubbles)))
    if not bubbles:
        thread = f'<div class="otn-note">{escape(words["nothing"])}</div>'
    classes = "otn-phone otn-dark" if dark else "otn-phone"
    return (
        f'<style>{_css()}</style><div class="{classes}" role="figure" lang="{escape(language)}" '
        f'style="--tall:{tall}px">'
        f'<div class="otn-screen">{_head(name, words)}'
        f'<div class="otn-thread"><div class="otn-said">{_hello(name, words)}{thread}</div></div>'
        f"{_chips(bubbles)}{_foot()}</div></div>"
    )


@lru_cache
def _css() -> str:
    return Path(__file__).with_suffix(".css").read_text()


def _sign(name: str) -> str:
    return f'<span class="otn-sign" aria-hidden="true">{name}</span>'


def _face(name: str) -> str:
    return f'<span class="otn-face" aria-hidden="true">{escape(name[:1].upper())}</span>'


def _head(name: str, words: Mapping[str, str]) -> str:
    signs = _sign("signal_cellular_alt") + _sign("wifi") + _sign("battery_full")
    return (
        f'<div class="otn-status" aria-hidden="true"><span>9:41</span><span>{signs}</span></div>'
        f'<div class="otn-top">{_sign("arrow_back_ios_new")}{_face(name)}<div class="otn-who">'
        f"<b>{escape(name)}</b><span>{escape(words['status'])}</span></div>{_sign('info')}</div>"
    )


def _hello(name: str, words: Mapping[str, str]) -> str:
    who = f"<b>{escape(name)}</b><span>{escape(words['about'])}</span>"
    return f'<div class="otn-hello">{_face(name)}{who}</div>'


def _foot() -> str:
    signs = _sign("add_circle") + _sign("photo_camera")
    field = f"<div><span>Aa</span>{_sign('mood')}</div>"
    return (
        f'<div class="otn-write" aria-hidden="true">{signs}{field}{_sign("thumb_up")}</div>'
        '<div class="otn-home"></div>'
    )


def _chips(bubbles: Sequence[Bubble]) -> str:
    """Quick replies live above the keyboard, and only while nothing follows them."""
    if not bubbles or bubbles[-1].shape is not Shape.QUICK_REPLIES:
        return ""
    chips = (f'<span class="otn-chip">{escape(title) or "…"}</span>' for title in bubbles[-1].choices)
    return f'<div class="otn-chips">{"".join(chips)}</div>'


def _line(bubbles: Sequence[Bubble], place: int, name: str, words: Mapping[str, str]) -> str:
    """One bubble, joined to its neighbours when the same side speaks on."""
    bubble = bubbles[place]
    above = f'<div class="otn-at">{escape(bubble.at)}</div>' if bubble.at else ""
    if bubble.shape is Shape.NOTE:
        return f'{above}<div class="otn-note">{escape(bubble.text)}</div>'
    follows = not bubble.at and place > 0 and _joined(bubbles[place - 1], bubble)
    goes_on = place + 1 < len(bubbles) and _joined(bubble, bubbles[place + 1]) and not bubbles[place + 1].at
    marks = {"otn-mine": bubble.mine, "otn-more": goes_on, "otn-next": follows, "otn-new": not follows}
    classes = " ".join(["otn-line", *(mark for mark, is_set in marks.items() if is_set)])
    face = "" if bubble.mine else _face(name)
    return f'{above}<div class="{classes}">{face}{_drawn(bubble, words)}</div>'


def _joined(one: Bubble, other: Bubble) -> bool:
    return Shape.NOTE not in (one.shape, other.shape) and one.mine == other.mine


def _drawn(bubble: Bubble, words: Mapping[str, str]) -> str:
    match bubble.shape:
        case Shape.PICTURE:
            return _picture(bubble.text)
        case Shape.CARD:
            return _card(_text(bubble.text, words), bubble.choices)
        case Shape.REQUEST:
            return _ask(bubble, words)
    empty = " otn-empty" if is_blank(bubble.text) else ""
    return f'<div class="otn-bubble{empty}">{_text(bubble.text, words)}</div>'


def _picture(url: str) -> str:
    is_link = url.startswith(("https://", "http://"))
    shown = f'<img src="{escape(url)}" alt="" referrerpolicy="no-referrer">' if is_link else ""
    return f'<div class="otn-bubble otn-picture">{_sign("image")}{shown}</div>'


def _card(words: str, titles: Sequence[str]) -> str:
    buttons = "".join(f'<span class="otn-button">{escape(title) or "…"}</span>' for title in titles)
    return f'<div class="otn-bubble otn-card"><p>{words}</p><div class="otn-buttons">{buttons}</div></div>'


def _ask(bubble: Bubble, words: Mapping[str, str]) -> str:
    """What Messenger writes after the tap is not published: the same words with a tick stand for it."""
    state, tick = (" otn-tapped", _sign("check")) if bubble.tapped else ("", "")
    button = f'<span class="otn-button">{tick}{escape(words["notify"])}</span>'
    return (
        f'<div class="otn-bubble otn-card otn-ask{state}"><p>{escape(bubble.text) or "…"}</p>'
        f'<div class="otn-buttons">{button}</div></div>'
    )


def _text(text: str, words: Mapping[str, str]) -> str:
    if len(text) <= FOLDED_AFTER:
        return "…" if is_blank(text) else escape(text)
    shown, rest = escape(text[:FOLDED_AFTER]), escape(text[FOLDED_AFTER:])
    return (
        f'{shown}<details class="otn-long"><summary><i>… </i><b>{escape(words["more"])}</b></summary>'
        f"{rest}</details>"
    )
