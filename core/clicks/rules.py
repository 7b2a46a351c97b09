"""The links of a message and who follows them (pure).

A link's place is its number among all links of a message, in the order in which they stand there. It is
counted in the message before a name is put in, so that it leads back to the same link whoever got it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.conversation.placeholders import longest_length
from core.messenger.message_limits import BUTTON_TEXT_LIMIT, TEXT_LIMIT
from core.messenger.wire import Message

PLACES = 62  # the links that are counted; a place is a bit of `clicked_links`
_LINK = re.compile(r"https?://[^\s<>\"“”«»{}|\\^`]+", re.IGNORECASE)
_NOT_PART = ".,;:!?…'’*_~"  # at the end of a link in a sentence

# Who fetches a page without anybody having tapped, as far as they say so. Messenger's own preview is
# https://developers.facebook.com/docs/sharing/webmasters/web-crawlers
_ROBOTS = re.compile(
    r"facebookexternalhit|facebot|facebookcatalog|meta-external|(?<!cu)bots?\b|crawl|spider|slurp|preview|"
    r"whatsapp|skypeuri|slack-img|vkshare|embedly|quora link|pinterest/0|google-inspection|googleother|"
    r"imageproxy|headless|lighthouse|monitor|uptime|scan|virustotal|curl/|wget|python|httpx|aiohttp|"
    r"go-http-client|java/|okhttp|libwww|node-fetch|axios|postman",
    re.IGNORECASE,
)
_FETCHED_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")


@dataclass(frozen=True)
class PlacedLink:
    """A link as it stands in a message: its place, its address, and whether the customer reads it."""

    place: int
    url: str
    is_read: bool  # in a text, and not behind a button


Replace = Callable[[PlacedLink], str]


def links_in(message: Mapping[str, Any]) -> list[str]:
    """The web addresses that a `message` of the Send API lets a customer open, by their places."""
    found: list[str] = []

    def keep(placed: PlacedLink) -> str:
        found.append(placed.url)
        return placed.url

    replace_links(message, keep)
    return found


def replace_links(message: Mapping[str, Any], replace: Replace) -> Message:
    """A copy of a message with other addresses behind its buttons and in its texts. A text that would
    become too long for Messenger stays as it is."""
    return _Walk(replace).over(dict(message))


class _Walk:
    """Goes through one message and counts the places."""

    def __init__(self, replace: Replace) -> None:
        self._replace = replace
        self._place = 0

    def over(self, message: dict[str, Any]) -> Message:
        if isinstance(message.get("text"), str):
            message["text"] = self._text(message["text"], TEXT_LIMIT)
        payload = (message.get("attachment") or {}).get("payload") or {}
        if isinstance(payload.get("text"), str):  # the words of a button template
            payload = {**payload, "text": self._text(payload["text"], BUTTON_TEXT_LIMIT)}
        if payload:
            message["attachment"] = {**message["attachment"], "payload": self._buttons(payload)}
        return message

    def _text(self, text: str, limit: int) -> str:
        written = _LINK.sub(lambda found: self._written(found, text), text)
        return written if longest_length(written) <= limit else text

    def _written(self, found: re.Match[str], text: str) -> str:
        url = _without_the_sentence(found[0])
        rest = found[0][len(url) :]
        if not _has_host(url) or (not rest and text[found.end() : found.end() + 2] == "{{"):
            return found[0]  # a name is put into it: it is another address for everybody
        return self._next(url, is_read=True) + rest

    def _buttons(self, given: Any) -> Any:
        """Whatever opens a web page, however deep it stands: a button, or a card that is tapped."""
        if isinstance(given, list):
            return [self._buttons(each) for each in given]
        if not isinstance(given, dict):
            return given
        opens = given.get("type") == "web_url" and _has_host(str(given.get("url") or ""))
        made = {key: self._buttons(value) for key, value in given.items()}
        return {**made, "url": self._next(given["url"], is_read=False)} if opens else made

    def _next(self, url: str, *, is_read: bool) -> str:
        placed = PlacedLink(self._place, url, is_read)
        self._place += 1
        return self._replace(placed) if placed.place < PLACES else url


def host_of(url: str) -> str:
    """The host that an address names, in the letters that may stand in a path; empty when there is none."""
    try:
        host = urlsplit(url).hostname or ""
        host.encode("ascii")
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and "{{" not in url


def _without_the_sentence(url: str) -> str:
    """Without the marks that end a sentence, and without a bracket that was opened before the link."""
    while url:
        last = url[-1]
        opened = {")": "(", "]": "["}.get(last)
        if last in _NOT_PART or (opened and url.count(last) > url.count(opened)):
            url = url[:-1]
        else:
            break
    return url


def is_automatic(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from a preview, a robot or a browser that fetches ahead, and not from a tap,
    as far as its headers (names in lower case) tell."""
    if method != "GET" or any(headers.get(name) for name in _FETCHED_AHEAD):
        return True
    agent = headers.get("user-agent", "")
    return not agent or bool(_ROBOTS.search(agent))
