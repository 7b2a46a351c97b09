"""One journey in a real browser: by the button to the provider, back to the page that was asked for, and out.

The browser keeps our cookie although it is set on the way back from another site.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.accounts import actions, queries
from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from tests.journeys.browser import Panel, browser_page, need_browser
from tests.openid_provider import OpenIdProvider, openid_provider, settings_for
from tests.processes import answers, free_port, process, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.one_database]
PASSWORD = "a-rainy-day-in-Huế"
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
    provider.metadata["end_session_endpoint"] = f"{provider.issuer}/logout"
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
        with page.expect_navigation(url=f"{provider.issuer}/logout?client_id=notify-once"):
            page.get_by_text("Đăng xuất", exact=True).first.click()
        page.goto(f"{address}/activity")
        expect(page.get_by_role("link", name="Hoa Mai")).to_be_visible()


def test_an_operator_with_a_password_changes_over_and_is_the_same(there: tuple[OpenIdProvider, str]) -> None:
    _provider, address = there
    actions.add_operator(COMMAND_LINE, "mai", "viewer", PASSWORD, now=utc_now())
    with browser_page() as page:
        panel = Panel(page, address)
        page.goto(f"{address}/topics")
        panel.keyed("sign_in_name").locator("input").fill("mai")
        panel.keyed("sign_in_password").locator("input").fill(PASSWORD)
        panel.keyed("sign_in_submit").get_by_role("button").click()
        page.locator("[data-testid=stSidebar]").wait_for()
        panel.settle()
        panel.keyed("account_menu").get_by_role("button").click()
        page.get_by_text("Dùng tài khoản công ty…").first.click()
        panel.keyed("link_password").locator("input").fill(PASSWORD)
        panel.keyed("link_submit").get_by_role("button").click()
        expect(page.get_by_text("lan@shop.vn")).to_be_visible()
        assert not queries.get_operator_named("mai").has_single_sign_on
        panel.keyed("link_confirm").get_by_role("button").click()
        expect(page.get_by_text("Bạn đăng nhập bằng tài khoản công ty (SSO)").first).to_be_visible()
        expect(panel.keyed("account_menu")).to_contain_text("mai")
    found = queries.get_operator_named("mai")
    assert (found.has_single_sign_on, found.role) == (True, "sender")
