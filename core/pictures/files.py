"""The files of uploaded pictures, in the data folder: read by their content, made small, without metadata.

What is kept is always drawn anew from the pixels, so nothing of the uploaded file is passed on but them.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, ImageSequence

from core.errors import N_, Invalid, problem
from core.pictures.rules import LONGEST_SIDE, NAME, PIXELS_LIMIT, UPLOAD_LIMIT, media_type_of
from core.settings import settings

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
FRAMES_LIMIT = 150  # of a moving picture
MOVING_LIMIT = 100_000_000  # pixels of all its frames together
_THUMBNAIL = 480  # pixels, of what the panel shows


@dataclass(frozen=True)
class DrawnPicture:
    """A picture as it is kept."""

    data: bytes
    ending: str
    width: int
    height: int


def folder() -> Path:
    return settings().data_dir / "pictures"


def find_file(name: str) -> Path | None:
    """The file of a picture; None when there is none, and for whatever is not a name that we make."""
    if not NAME.fullmatch(name):
        return None
    path = folder() / name
    return path if path.is_file() else None


def keep_file(drawn: DrawnPicture) -> str:
    """Write a picture under a name that nobody can guess, and return the name."""
    name = f"{secrets.token_hex(20)}.{drawn.ending}"
    folder().mkdir(parents=True, exist_ok=True)
    fresh = folder() / f".{name}.{os.getpid()}"
    fresh.write_bytes(drawn.data)
    fresh.replace(folder() / name)
    return name


def draw_anew(uploaded: bytes, *, longest_side: int = LONGEST_SIDE) -> DrawnPicture:
    """Read an uploaded file and draw it again, upright and no larger than phones need (in pixels). Raises
    Invalid, which says what is wrong with it."""
    if len(uploaded) > UPLOAD_LIMIT:
        words = N_("The file is larger than {limit} MB; choose a smaller image.")
        raise Invalid([problem("picture", words, limit=UPLOAD_LIMIT // 1024 // 1024)])
    try:
        with Image.open(BytesIO(uploaded), formats=FORMATS) as opened:
            if opened.width * opened.height > PIXELS_LIMIT:
                words = N_("The image has more than {limit} million pixels; choose a smaller one.")
                raise Invalid([problem("picture", words, limit=PIXELS_LIMIT // 1_000_000)])
            if getattr(opened, "is_animated", False):
                return _moving(opened, longest_side // 2)
            return _still(opened, longest_side)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as broken:
        words = N_("Messenger can't show this image: choose a JPG, PNG, GIF or WebP file.")
        raise Invalid([problem("picture", words)]) from broken


def _still(opened: Image.Image, longest_side: int) -> DrawnPicture:
    upright = ImageOps.exif_transpose(opened)
    is_clear = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    bare = upright.convert("RGBA" if is_clear else "RGB")
    bare.thumbnail((longest_side, longest_side))
    bare.info = {}
    written = BytesIO()
    if is_clear:
        bare.save(written, "PNG", optimize=True)
    else:
        bare.save(written, "JPEG", quality=86, optimize=True, progressive=True)
    return DrawnPicture(written.getvalue(), "png" if is_clear else "jpg", *bare.size)


def _moving(opened: Image.Image, longest_side: int) -> DrawnPicture:
    if getattr(opened, "n_frames", 1) > FRAMES_LIMIT:
        words = N_("The animated image has more than {limit} frames; choose a shorter one.")
        raise Invalid([problem("picture", words, limit=FRAMES_LIMIT)])
    if getattr(opened, "n_frames", 1) * opened.width * opened.height > MOVING_LIMIT:
        words = N_("The animated image is too large for its length; choose a smaller or shorter one.")
        raise Invalid([problem("picture", words)])
    frames, times = [], []
    for frame in ImageSequence.Iterator(opened):
        times.append(frame.info.get("duration", 100))
        shown = frame.convert("RGBA")
        shown.thumbnail((longest_side, longest_side))
        shown.info = {}
        frames.append(shown)
    written = BytesIO()
    frames[0].save(
        written, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0, disposal=2
    )
    return DrawnPicture(written.getvalue(), "gif", *frames[0].size)


@lru_cache(maxsize=64)
def thumbnail(name: str) -> str:
    """A small copy of a picture as a data: address, for pages that may not reach the webhook server; empty
    when there is no such file."""
    path = find_file(name)
    if path is None:
        return ""
    if name.endswith(".gif"):
        return _as_address(path.read_bytes(), media_type_of(name))
    with Image.open(path) as opened:
        small = opened.convert("RGBA" if name.endswith(".png") else "RGB")
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    written = BytesIO()
    small.save(written, "PNG" if name.endswith(".png") else "JPEG", quality=80)
    return _as_address(written.getvalue(), media_type_of(name))


def _as_address(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{b64encode(data).decode()}"
