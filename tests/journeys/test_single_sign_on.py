"""One journey in a real browser: by the button to the provider, back to the page that was asked for, and out.

The browser keeps our cookie although it is set on the way back from another site.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import Panel, browser_page, need_browser
from tests.openid_provider import OpenIdProvider, openid_provider, settings_for
from tests.processes import answers, free_port, process, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.one_database]
APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture
def there(arrange, restart, tmp_path: Path) -> Iterator[tuple[OpenIdProvider, str]]:
    """A provider, and the address of a panel that trusts it."""
    need_browser()
    port, log = free_port(), tmp_path / "panel.log"
    panel = f"http://localhost:{port}"  # another site than the provider's 127.0.0.1
    with openid_provider() as provider:
        restart(**settings_for(provider, panel))
        command = ["-m", "streamlit", "run", str(APP), f"--server.port={port}", "--server.headless=true"]
        with process(*command, log=log):
            until(lambda: answers(port), what=f"the panel is up, see {log}")
            yield provider, panel


def press(page: Page) -> None:
    page.get_by_role("link", name="Hoa Mai").click()


def test_in_by_the_button_and_out_again(there: tuple[OpenIdProvider, str]) -> None:
    provider, address = there
    with browser_page() as page:
        panel = Panel(page, address)
        page.goto(f"{address}/activity?days=7")
        provider.error = "access_denied"
        press(page)
        expect(page.get_by_text("Bạn đã hủy đăng nhập")).to_be_visible()
        provider.error = ""
        press(page)
        page.locator("[data-testid=stSidebar]").wait_for()
        panel.settle()
        assert page.url == f"{address}/activity?days=7"
        expect(panel.keyed("account_menu")).to_contain_text("lan@shop.vn")
        page.reload()
        expect(panel.keyed("account_menu")).to_contain_text("lan@shop.vn")
        panel.settle()
        panel.keyed("account_menu").get_by_role("button").click()
        with page.expect_navigation():  # the page is loaded anew once the cookie is gone
            page.get_by_text("Đăng xuất", exact=True).first.click()
        expect(page.get_by_role("link", name="Hoa Mai")).to_be_visible()
        page.goto(f"{address}/activity")
        expect(page.get_by_role("link", name="Hoa Mai")).to_be_visible()
