"""A customer's phone: blocks and threads drawn as Messenger shows them. Everything said is HTML-escaped.

The phone speaks the customer's language, which need not be the reader's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from core.conversation.rules import BlockKind, personalise, render
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
NOTE = "note"  # a line of the thread that nobody said


@dataclass(frozen=True)
class Bubble:
    """`kind` is a BlockKind or NOTE; `text` is the words, a picture's address or a promise."""

    kind: str
    text: str = ""
    choices: tuple[str, ...] = ()  # titles of buttons or quick replies
    mine: bool = False  # said by the customer, whose phone it is
    tapped: bool = False  # an OTNR that was answered
    at: str = ""  # a time to print above


def bubbles_of(
    kind: str, content: Mapping[str, Any], *, first_name: str | None = "Lan", tapped: bool = False
) -> list[Bubble]:
    """A block as its customer sees it, also while it is being written; an OTNR's thanks follow the tap."""
    match kind:
        case BlockKind.IMAGE:
            return [Bubble(kind, str(content.get("url") or ""))]
        case BlockKind.OTNR:
            after = str(content.get("after") or "") if tapped else ""
            said = _words({"text": after}, first_name)
            thanks = [] if is_blank(after) else [Bubble(BlockKind.TEXT, said)]
            return [Bubble(kind, str(content.get("title") or ""), tapped=tapped), *thanks]
    listed = content.get("buttons") or content.get("replies") or []
    choices = tuple(str(choice.get("title") or "") for choice in listed)
    return [Bubble(kind, _words(content, first_name), choices)]


def bubbles_of_wire(
    message: Mapping[str, Any], *, mine: bool = False, tapped: bool = False, at: str = ""
) -> list[Bubble]:
    """A `message` object of the Send API, or of a customer, as bubbles."""
    payload = (message.get("attachment") or {}).get("payload") or {}
    match payload.get("template_type"):
        case "one_time_notif_req":
            return [Bubble(BlockKind.OTNR, str(payload.get("title", "")), tapped=tapped, at=at)]
        case "button":
            titles = tuple(str(button.get("title", "")) for button in payload.get("buttons", []))
            return [Bubble(BlockKind.BUTTONS, str(payload.get("text", "")), titles, mine, at=at)]
    if payload.get("url"):
        return [Bubble(BlockKind.IMAGE, str(payload["url"]), mine=mine, at=at)]
    titles = tuple(str(reply.get("title", "")) for reply in message.get("quick_replies") or [])
    kind = BlockKind.QUICK_REPLIES if titles else BlockKind.TEXT
    return [Bubble(kind, str(message.get("text") or ""), titles, mine, at=at)]


def show_phone(
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


def _words(content: Mapping[str, Any], first_name: str | None) -> str:
    said = {"text": str(content.get("text") or ""), "fallback": content.get("fallback")}
    return str(personalise(render(BlockKind.TEXT, said), first_name)["text"])


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
    if not bubbles or bubbles[-1].kind != BlockKind.QUICK_REPLIES:
        return ""
    chips = (f'<span class="otn-chip">{escape(title) or "…"}</span>' for title in bubbles[-1].choices)
    return f'<div class="otn-chips">{"".join(chips)}</div>'


def _line(bubbles: Sequence[Bubble], place: int, name: str, words: Mapping[str, str]) -> str:
    """One bubble, joined to its neighbours when the same side speaks on."""
    bubble = bubbles[place]
    above = f'<div class="otn-at">{escape(bubble.at)}</div>' if bubble.at else ""
    if bubble.kind == NOTE:
        return f'{above}<div class="otn-note">{escape(bubble.text)}</div>'
    follows = not bubble.at and place > 0 and _joined(bubbles[place - 1], bubble)
    goes_on = place + 1 < len(bubbles) and _joined(bubble, bubbles[place + 1]) and not bubbles[place + 1].at
    marks = {"otn-mine": bubble.mine, "otn-more": goes_on, "otn-next": follows, "otn-new": not follows}
    classes = " ".join(["otn-line", *(mark for mark, is_set in marks.items() if is_set)])
    face = "" if bubble.mine else _face(name)
    return f'{above}<div class="{classes}">{face}{_drawn(bubble, words)}</div>'


def _joined(one: Bubble, other: Bubble) -> bool:
    return NOTE not in (one.kind, other.kind) and one.mine == other.mine


def _drawn(bubble: Bubble, words: Mapping[str, str]) -> str:
    match bubble.kind:
        case BlockKind.IMAGE:
            return _picture(bubble.text)
        case BlockKind.BUTTONS:
            return _card(_text(bubble.text, words), bubble.choices)
        case BlockKind.OTNR:
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
