"""The profile pictures of pages: where the Graph API says they are, and what is fetched there."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from zlib import crc32

from PIL import Image, ImageDraw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.simulator.page_edges import Edge, Params

SIDE = 200  # pixels
_COLOURS = ("#0f766e", "#be185d", "#b45309", "#4338ca")


def read(edge: Edge) -> Params:
    """Answer GET /{page}/picture?redirect=0. Assumed: the fields of the documented ProfilePictureSource."""
    url = f"{edge.world.base_url}/page-picture/{edge.page.page_id}.png"
    return {"data": {"height": SIDE, "width": SIDE, "is_silhouette": False, "url": url}}


def route() -> Route:
    return Route("/page-picture/{page_id}.png", _endpoint, methods=["GET"])


def _endpoint(request: Request) -> Response:
    return Response(_drawn(request.path_params["page_id"]), media_type="image/png")


@lru_cache(maxsize=8)
def _drawn(page_id: str) -> bytes:
    """A shopping bag, of a colour that is the page's."""
    picture = Image.new("RGB", (SIDE, SIDE), _COLOURS[crc32(page_id.encode()) % len(_COLOURS)])
    draw = ImageDraw.Draw(picture)
    draw.arc((70, 38, 130, 108), 180, 360, fill="white", width=9)
    draw.rounded_rectangle((50, 74, 150, 158), 12, fill="white")
    written = BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()
