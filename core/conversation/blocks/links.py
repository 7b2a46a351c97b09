"""Web addresses that customers open, and that Messenger fetches: made clean, and checked.

Only public http(s) addresses pass. A private one works for nobody but whoever typed it, and a server that
fetches it for us would reach into its own network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from unicodedata import category, normalize
from urllib.parse import urlsplit

from core.conversation.blocks.kind import text_in
from core.errors import N_, Problem, problem
from core.pictures.rules import name_in
from core.text.identifiers import unwrapped
from core.text.ip_addresses import is_public_ip
from core.text.normalise import storable

LINK_LIMIT = 2000
_LINK = re.compile(r"https?://[^\s/{}<>\"\\@]+\.[^\s/{}<>\"\\@]+(?:[/?#][^\s{}<>\"]*)?", re.IGNORECASE)
# Reserved by RFC 2606, 6761, 7686 and 8375, or used inside of networks only
_PRIVATE_ENDINGS = (
    *("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa"),
    *("test", "invalid", "onion", "fritz.box"),
)
# Beside what Unicode calls a format or a space: browsers drop signs that nobody sees, so they open 127.0.0.1
# where one stands between its numbers (https://www.unicode.org/reports/tr46/#IDNA_Mapping_Table, "ignored").
_UNSEEN = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)  # how a part of an IPv4 address may be written


def clean_link(content: Mapping[str, Any], field: str = "url") -> str:
    """An address without what surrounds it. Nothing inside is changed: another spelling of its letters may be
    another address."""
    return unwrapped(storable(text_in(content, field)))


def check_link(field: str, value: object, missing: str) -> list[Problem]:
    """What is wrong with a web address; `missing` is what to say when there is none."""
    link = unwrapped(str(value or ""))
    if not link:
        return [problem(field, missing)]
    if not _LINK.fullmatch(link) or len(link) > LINK_LIMIT:
        words = N_("“{value}” is not a web address; it should start with https://.")
        return [problem(field, words, value=link[:60])]
    if not is_public(link):
        words = N_("“{value}” can only be opened inside your own network; customers can't reach it.")
        return [problem(field, words, value=link[:60])]
    return []


def check_picture(field: str, value: object, missing: str) -> list[Problem]:
    """What is wrong with the address of a picture, which may be an uploaded one."""
    return [] if name_in(value) else check_link(field, value, missing)


def is_public(link: str) -> bool:
    """Whether an address names a host of the open internet, as far as its letters tell."""
    try:
        parts = urlsplit(link)
        # As browsers read ①②⑦ and 。; they also open %6c, which no shop writes into its name.
        host = normalize("NFKC", parts.hostname or "").replace("。", ".").rstrip(".").lower()
        _ = parts.port  # ValueError when it is none
    except ValueError:
        return False
    if parts.scheme.lower() not in ("http", "https") or not host or "%" in host:
        return False
    if parts.username is not None or _UNSEEN.search(host) or any(category(sign)[0] in "CZ" for sign in host):
        return False
    try:
        return is_public_ip(host)
    except ValueError:
        pass
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # 127.1, 0x7f.0.0.1: what browsers read as an address of four numbers
        return False
    return len(labels) > 1 and not any(f".{host}".endswith(f".{ending}") for ending in _PRIVATE_ENDINGS)
