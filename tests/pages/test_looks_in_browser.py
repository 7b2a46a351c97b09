"""What style sheets make of small places, in a real browser: nothing is covered, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from pages.components.phone import phone_html
from pages.components.tables import Column, Two, table_html
from tests.journeys.browser import CHROMIUM, FLAGS, need_browser
from tests.processes import HOME

pytestmark = pytest.mark.browser
STYLE = (HOME / Path("pages/shell/style.css")).read_text("utf-8")
STREAMLITS = "html { font: 15px 'Liberation Sans', Arial, sans-serif } * { box-sizing: border-box }"
# Whether the clock or a sign of the status bar lies under the camera in its middle.
COVERED = """() => {
  const bar = document.querySelector(".otn-status"), place = bar.getBoundingClientRect();
  const camera = getComputedStyle(bar, "::after"), middle = place.left + place.width / 2;
  const begins = middle + parseFloat(camera.marginLeft), ends = begins + parseFloat(camera.width);
  return [...bar.children].map(each => each.getBoundingClientRect())
    .some(each => each.right > begins && each.left < ends);
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    need_browser()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium.new_page(viewport={"width": 1024, "height": 800})
        chromium.close()


@pytest.mark.parametrize("width", [230, 255, 340])
def test_the_camera_of_the_phone_covers_neither_its_clock_nor_its_signs(page: Page, width: int) -> None:
    page.set_content(f'<div style="width:{width}px">{phone_html([], language="vi")}</div>')
    assert not page.evaluate(COVERED)


def test_a_table_beside_the_menu_of_a_small_screen_shows_names_and_what_is_next(page: Page) -> None:
    topics = ["Báo khi hoa mẫu đơn về", "KH nhận khuyến mãi SP mới"]
    columns = [
        Column("Chủ đề", lambda name: Two(name, "báo một lần cho mỗi khách"), "55%"),
        *(
            Column(label, len)
            for label in ("Có thể gửi", "Đang giữ để gửi", "Đã dùng", "Hết hạn trong 30 ngày")
        ),
        Column("Bước tiếp theo", lambda _name: "Gửi tin nhắn hàng loạt", is_narrow=True),
    ]
    table = table_html(columns, topics)
    page.set_content(
        f'<!doctype html><style>{STREAMLITS}{STYLE}</style><div style="width:676px">{table}</div>'
    )
    hidden = "element => element.scrollWidth - element.clientWidth"
    assert page.locator(".otn-table-scroll").evaluate(hidden) == 0
    assert page.locator("td").first.evaluate("element => element.offsetWidth") >= 150
