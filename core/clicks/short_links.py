"""Puts short links of our own into messages that are about to leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.clicks.codes import LinkId, Sent, code_of
from core.clicks.rules import PlacedLink, host_of, replace_links
from core.messenger.wire import Message
from core.settings import settings

PATH = "/l/"


def link_address(*, is_demo: bool) -> str:
    """Where short links of a fanpage lead: the webhook server as customers reach it. Empty without a public
    address; then links go out as they were written. Only the demo's customers live on this machine."""
    public = settings().public_url
    return public or (f"http://localhost:{settings().webhook_port}" if is_demo else "")


def with_short_links(message: Mapping[str, Any], address: str, code: Callable[[int], str]) -> Message:
    """A copy of a message whose links go through us; `code` makes the code of a place. Where the customer
    reads the address, it ends in the name of the host to which it leads."""

    def short(placed: PlacedLink) -> str:
        made = code(placed.place)
        return readable(address, made, placed.url) if placed.is_read else f"{address}{PATH}{made}"

    return replace_links(message, short)


def readable(address: str, code: str, url: str) -> str:
    """A short link as it stands in a text."""
    host = host_of(url)
    return f"{address}{PATH}{code}/{host}" if host else f"{address}{PATH}{code}"


def with_links_of_reply(message: Message, address: str, reply_id: int) -> Message:
    """A copy of an answer of the bot whose links go through us; see `with_short_links`."""
    if not address:
        return message
    return with_short_links(message, address, lambda place: code_of(LinkId(Sent.REPLY, reply_id, place)))
