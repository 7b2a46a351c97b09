"""Handles GET /pictures/<name>: uploaded pictures, which Messenger fetches for cards.

A name is 40 hexadecimal digits and an ending, so nobody finds a picture by guessing, and no name leads out of
the folder. What a name stands for never changes.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from core.pictures.files import find_file
from core.pictures.rules import PATH, media_type_of

ROUTE = f"{PATH}{{name}}"
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",  # the demo's phone shows them in the panel
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


async def show_picture(request: Request) -> Response:
    name = request.path_params["name"]
    path = await run_in_threadpool(find_file, name)
    if path is None:
        return PlainTextResponse("Not found", 404, {"X-Content-Type-Options": "nosniff"})
    return FileResponse(path, headers=HEADERS, media_type=media_type_of(name))
