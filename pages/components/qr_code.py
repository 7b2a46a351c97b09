"""QR codes to print: the code of an address with a line of words under it, as PNG and as SVG."""

from __future__ import annotations

import io
from functools import lru_cache
from html import escape
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

_FONTS = Path(__file__).resolve().parents[2] / "static" / "fonts"
_SUBSETS = ("latin", "vietnamese", "latin-ext")  # each file of the typeface holds some of the letters
SCALE, BORDER = 16, 3  # points of a module, modules of white around the code
MOST_LETTERS = 60  # a longer caption is cut off


@lru_cache(maxsize=64)  # a page draws the same codes again with every click
def qr_png(address: str, caption: str = "") -> bytes:
    """A PNG large enough to print."""
    code = io.BytesIO()
    segno.make(address, error="m").save(code, kind="png", scale=SCALE, border=BORDER)
    picture = Image.open(code).convert("L")
    if words := _shortened(caption):
        picture = _with_caption(picture, words)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


@lru_cache(maxsize=64)
def qr_svg(address: str, caption: str = "") -> bytes:
    """An SVG that a printer may enlarge as much as they like."""
    code = segno.make(address, error="m")
    width, height = map(int, code.symbol_size(scale=SCALE, border=BORDER))
    words = _shortened(caption)
    size = _size(width, words)
    total = height + (size * 2 if words else 0)
    text = (
        f'<text x="{width / 2}" y="{height + size * 0.7}" text-anchor="middle" fill="#000" '
        f'font-family="Be Vietnam Pro, Arial, sans-serif" font-weight="600" font-size="{size}">'
        f"{escape(words)}</text>"
    )
    drawn = code.svg_inline(scale=SCALE, border=BORDER, light="#fff")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" '
        f'viewBox="0 0 {width} {total}"><rect width="{width}" height="{total}" fill="#fff"/>'
        f"{drawn}{text if words else ''}</svg>"
    ).encode()


def _shortened(caption: str) -> str:
    words = " ".join(caption.split())
    return words if len(words) <= MOST_LETTERS else f"{words[: MOST_LETTERS - 1]}…"


def _size(width: int, words: str) -> int:
    """The size of the letters, in points, with which the caption fits under the code."""
    return max(14, min(40, int(width * 1.6 / max(1, len(words)))))


def _with_caption(code: Image.Image, words: str) -> Image.Image:
    size = _size(code.width, words)
    fonts = _fonts(size)
    letters = [(letter, font) for letter in words if (font := _font_with(letter, fonts))]
    width = sum(font.getlength(letter) for letter, font in letters)
    picture = Image.new("L", (max(code.width, int(width) + size), code.height + size * 2), 255)
    picture.paste(code, ((picture.width - code.width) // 2, 0))
    pen = ImageDraw.Draw(picture)
    x = (picture.width - width) / 2
    for letter, font in letters:
        pen.text((x, code.height), letter, font=font, fill=0)
        x += font.getlength(letter)
    return picture


def _fonts(size: int) -> list[ImageFont.FreeTypeFont]:
    files = [_FONTS / f"be-vietnam-pro-{subset}-600-normal.woff2" for subset in _SUBSETS]
    return [ImageFont.truetype(str(file), size) for file in files]


def _font_with(letter: str, fonts: list[ImageFont.FreeTypeFont]) -> ImageFont.FreeTypeFont | None:
    """The first font that has the letter; None for one that none has, such as an emoji."""
    if letter == " ":
        return fonts[0]
    return next((font for font in fonts if font.getmask(letter).getbbox()), None)
