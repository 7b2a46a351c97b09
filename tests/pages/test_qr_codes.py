"""QR codes to print, with the topic's name under them."""

import io
import xml.etree.ElementTree as ET

from PIL import Image

from pages.components.qr_code import qr_png, qr_svg

ADDRESS = "https://m.me/106912345678901?ref=hoa_tet"
CAPTION = "Nhắc đặt hoa Tết & <mai> 🌸"


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("L")


def test_a_png_has_the_code_and_the_name_under_it() -> None:
    plain, named = picture(qr_png(ADDRESS)), picture(qr_png(ADDRESS, CAPTION))
    assert plain.width >= 500
    assert named.height > plain.height
    left = (named.width - plain.width) // 2
    assert named.crop((left, 0, left + plain.width, plain.height)).tobytes() == plain.tobytes()
    under = named.crop((0, plain.height, named.width, named.height))
    assert min(under.getextrema()) == 0


def test_vietnamese_letters_are_drawn() -> None:
    with_marks, without = picture(qr_png(ADDRESS, "ộ ử đ")), picture(qr_png(ADDRESS, "o u d"))
    assert with_marks.tobytes() != without.tobytes()


def test_an_svg_is_one_drawing_with_the_name_in_it() -> None:
    root = ET.fromstring(qr_svg(ADDRESS, CAPTION))
    assert root.tag.endswith("svg")
    assert "".join(root.itertext()).strip() == CAPTION
    assert int(root.get("height") or 0) > int(root.get("width") or 0)


def test_a_long_name_stays_inside_the_picture() -> None:
    caption = "Báo khi hàng mới về " * 10
    assert picture(qr_png(ADDRESS, caption)).width == picture(qr_png(ADDRESS)).width
