"""The shapes of bubbles as HTML: texts, pictures, cards, requests. Everything said is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.conversation.blocks.bubble import Bubble, Card, Shape, Tap
from core.pictures.files import thumbnail
from core.pictures.rules import name_in
from core.text.normalise import is_blank

FOLDED_AFTER = 620  # a longer text is cut off with "See more"
_ICONS = {"email": "mail", "phone": "call"}
EXAMPLES = {"email": "lan@example.com", "phone": "+84901234567"}  # what an invented customer would answer
Words = Mapping[str, str]


def sign(name: str) -> str:
    return f'<span class="otn-sign" aria-hidden="true">{name}</span>'


def tap_key(place: int, part: str) -> str:
    """Names a thing to tap: the place of its bubble in the thread, and which part of the bubble it is."""
    return f"{place}_{part}"


def draw_shape(bubble: Bubble, place: int, words: Words, *, live: bool) -> str:
    """`live` says whether taps go anywhere; the address of a button opens either way."""
    match bubble.shape:
        case Shape.PICTURE:
            return f'<div class="otn-bubble otn-picture">{_picture(bubble.text)}</div>'
        case Shape.VIDEO:
            shown = _linked(bubble.text, sign("play_circle"))
            return f'<div class="otn-bubble otn-picture otn-video">{shown}</div>'
        case Shape.FILE:
            name = escape(_file_name(bubble.text)) or "…"
            shown = f'{sign("description")}<span class="otn-name">{name}</span>'
            return f'<div class="otn-bubble otn-file">{_linked(bubble.text, shown)}</div>'
        case Shape.CARD:
            said = f"<p>{_text(bubble.text, words)}</p>"
            return f'<div class="otn-bubble otn-card">{said}{_buttons(bubble.taps, place, "", live)}</div>'
        case Shape.CAROUSEL:
            cards = (_card(card, place, number, live) for number, card in enumerate(bubble.cards))
            return f'<div class="otn-cards" tabindex="0" data-shown="{bubble.shown}">{"".join(cards)}</div>'
        case Shape.REQUEST:
            return _request(bubble, place, words, live)
    empty = " otn-empty" if is_blank(bubble.text) else ""
    return f'<div class="otn-bubble{empty}">{_text(bubble.text, words)}</div>'


def draw_replies(bubbles: Sequence[Bubble], *, live: bool) -> str:
    """Quick replies live above the keyboard, and only while nothing follows them."""
    if not bubbles or not bubbles[-1].replies:
        return ""
    place = len(bubbles) - 1
    chips = (
        _tappable("otn-chip", _reply(tap), tap_key(place, f"r{number}"), live)
        for number, tap in enumerate(bubbles[-1].replies)
    )
    return f'<div class="otn-chips">{"".join(chips)}</div>'


def _reply(tap: Tap) -> str:
    if tap.asks:
        return f"{sign(_ICONS[tap.asks])}{EXAMPLES[tap.asks]}"
    return escape(tap.title) or "…"


def _card(card: Card, place: int, number: int, live: bool) -> str:
    picture = f'<div class="otn-picture">{_picture(card.picture)}</div>' if card.picture else ""
    subtitle = f"<small>{escape(card.subtitle)}</small>" if card.subtitle else ""
    said = f"{picture}<p><b>{escape(card.title) or '…'}</b>{subtitle}</p>"
    head = _linked(card.url, said) if card.url else said
    return f'<div class="otn-bubble otn-card">{head}{_buttons(card.taps, place, f"c{number}", live)}</div>'


def _buttons(taps: Sequence[Tap], place: int, card: str, live: bool) -> str:
    if not taps:
        return ""
    drawn = (_button(tap, tap_key(place, f"{card}b{number}"), live) for number, tap in enumerate(taps))
    return f'<div class="otn-buttons">{"".join(drawn)}</div>'


def _button(tap: Tap, key: str, live: bool) -> str:
    title = escape(tap.title) or "…"
    if tap.phone:
        return f'<a class="otn-button" href="tel:{escape(tap.phone)}">{title}</a>'
    if is_link(tap.url):
        return (
            f'<a class="otn-button" href="{escape(tap.url)}" data-opens rel="noopener noreferrer">{title}</a>'
        )
    return _tappable("otn-button", title, key, live and bool(tap.payload))


def _request(bubble: Bubble, place: int, words: Words, live: bool) -> str:
    """What Messenger writes after the tap is not published: the same words with a tick stand for it."""
    state, tick = (" otn-tapped", sign("check")) if bubble.tapped else ("", "")
    title = f"{tick}{escape(words['notify'])}"
    button = _tappable("otn-button", title, tap_key(place, "n"), live and not bubble.tapped, words["fixed"])
    return (
        f'<div class="otn-bubble otn-card otn-ask{state}"><p>{escape(bubble.text) or "…"}</p>'
        f'<div class="otn-buttons">{button}</div></div>'
    )


def _tappable(classes: str, inside: str, key: str, live: bool, hint: str = "") -> str:
    told = f' title="{escape(hint)}"' if hint else ""
    if not live:
        return f'<span class="{classes}"{told}>{inside}</span>'
    return f'<button type="button" class="{classes}" data-tap="{key}"{told}>{inside}</button>'


def is_link(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _linked(url: str, inside: str) -> str:
    if not is_link(url):
        return inside
    return f'<a class="otn-link" href="{escape(url)}" data-opens rel="noopener noreferrer">{inside}</a>'


def _picture(url: str) -> str:
    url = thumbnail(name) if (name := name_in(url)) else url
    is_shown = is_link(url) or url.startswith("data:image/")
    shown = f'<img src="{escape(url)}" alt="" referrerpolicy="no-referrer">' if is_shown else ""
    return f"{sign('image')}{shown}"


def _file_name(url: str) -> str:
    try:
        return unquote(PurePosixPath(urlsplit(url).path).name) or url
    except ValueError:
        return url


def _text(text: str, words: Words) -> str:
    if len(text) <= FOLDED_AFTER:
        return "…" if is_blank(text) else escape(text)
    shown, rest = escape(text[:FOLDED_AFTER]), escape(text[FOLDED_AFTER:])
    return (
        f'{shown}<details class="otn-long"><summary><i>… </i><b>{escape(words["more"])}</b></summary>'
        f"{rest}</details>"
    )
