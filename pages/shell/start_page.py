"""The page that a browser loads first. Streamlit's own says "Streamlit", is in English, and has our look and
scripts only after the first run. Here all of it is ours, and an address that leads nowhere leads home."""

from __future__ import annotations

import gzip
import json
import re
from functools import lru_cache
from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import settings
from core.text.catalogues import say_in
from pages.components.page_registry import ENTRIES, START
from pages.shell.cookie import base_path
from pages.shell.streamlit_words import OWN, words

LOST = "lost"  # in the address: the one asked for leads nowhere
_HERE = Path(__file__).parent
_SCRIPTS = ("frame", "words", "connection", "dialogs", "leaving")
_PATHS = {entry.url_path for entry in ENTRIES}
_DROPPED = (b"content-length", b"etag", b"last-modified")


class StartPage:
    """Rewrites Streamlit's page on its way to the browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        start: Message | None = None
        body = b""

        async def send_rewritten(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _answer(scope, receive, send, start, body)

        await self.app(scope, receive, send_rewritten)


async def _answer(scope: Scope, receive: Receive, send: Send, start: Message, body: bytes) -> None:
    if not leads_somewhere(scope["path"]):
        home = RedirectResponse(f"{quote(base_path())}/?{LOST}=1", status_code=303)
        return await home(scope, receive, send)
    body = _rewritten(body, settings().language, (b"content-encoding", b"gzip") in start["headers"])
    kept = [(name, value) for name, value in start["headers"] if name.lower() not in _DROPPED]
    length = (b"content-length", str(len(body)).encode())
    await send({**start, "headers": [*kept, length]})
    await send({"type": "http.response.body", "body": body})


@lru_cache(maxsize=16)
def _rewritten(body: bytes, language: str, zipped: bool) -> bytes:
    """Streamlit's page as it came from it, compressed or not, with what is ours."""
    page = gzip.decompress(body) if zipped else body
    ours = page_of_ours(page.decode("utf-8"), language).encode("utf-8")
    return gzip.compress(ours) if zipped else ours


def _is_page(start: Message) -> bool:
    headers: dict[bytes, bytes] = {name.lower(): value for name, value in start.get("headers", [])}
    return bool(start["status"] == 200) and headers.get(b"content-type", b"").startswith(b"text/html")


def leads_somewhere(path: str) -> bool:
    """Whether there is a page at that address."""
    return path.removeprefix(base_path()).strip("/") in {"", START, "index.html", *_PATHS}


def page_of_ours(page: str, language: str) -> str:
    """Streamlit's page with our name, language, look and scripts."""
    page = re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    page = re.sub(r"<link\s[^>]*(?:SourceSans|service-desc)[^>]*>", "", page)
    page = page.replace('<html lang="en">', f'<html lang="{escape(language)}">')
    page = page.replace(
        "<title>Streamlit</title>", f"<title>Notify Once</title><script>{_script(language)}</script>"
    )
    page = page.replace("./favicon.png", "./app/static/mark.svg")
    noscript = f"<noscript><p>{escape(say_in(language)(OWN['noscript']))}</p></noscript>"
    page = re.sub(r"<noscript>.*?</noscript>", lambda _found: noscript, page, flags=re.DOTALL)
    # At the end of the body, where it counts more than what Streamlit adds to the head.
    style = (_HERE / "style.css").read_text("utf-8")
    return page.replace("</body>", f"<style>{style}</style></body>")


def _script(language: str) -> str:
    begin = {"language": language, "paths": sorted(_PATHS), "words": words()}
    parts = [(_HERE / "scripts" / f"{name}.js").read_text("utf-8") for name in _SCRIPTS]
    told = json.dumps(begin, ensure_ascii=False).replace("<", "\\u003c")
    return "\n".join([*parts, f"otn.begin({told});"])
