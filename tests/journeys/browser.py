"""Debian's chromium, driven by Playwright; widgets are found by the keys the pages give them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

from core.text.catalogues import languages

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = os.environ.get("NOTIFY_ONCE_BROWSER_TESTS") == "required"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000  # milliseconds a page may take on a busy machine


def need_browser() -> None:
    """Skip, saying so, where there is no browser; in CI a missing browser is a failure."""
    if CHROMIUM is None:
        if REQUIRED:
            pytest.fail("the browser tests must run here, but Debian's chromium is not installed")
        pytest.skip("no chromium on this machine: apt-get install chromium")


@contextmanager
def browser_page(*, width: int = 1360, height: int = 900, dark: bool = False) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


class Panel:
    """The panel as a person uses it."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url

    def keyed(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key}")

    def sign_in(self, name: str, password: str, path: str = "/") -> None:
        self.page.goto(self.base_url + path)
        form = self.keyed("sign_in")
        form.get_by_role("textbox").first.fill(name)
        form.locator("input[type=password]").fill(password)
        form.get_by_role("button").last.click()
        self.page.locator("[data-testid=stSidebar]").wait_for()
        self.settle()

    def open(self, path: str) -> None:
        self.page.goto(self.base_url + path)
        self.page.locator("h1").first.wait_for()
        self.settle()

    def settle(self) -> None:
        """Until Streamlit has no script running."""
        self.page.wait_for_function(
            "() => document.querySelector('[data-test-script-state]')"
            "?.getAttribute('data-test-script-state') === 'notRunning'"
        )

    def click(self, key: str) -> None:
        self.keyed(key).get_by_role("button").first.click()
        self.settle()

    def speak(self, language: str) -> None:
        word = languages()[language]
        self.keyed("language_switch").get_by_text(word, exact=True).click()
        self.settle()

    def keyed_like(self, start: str, end: str) -> Locator:
        """The newest widget whose key starts and ends so: keys of drafts have a number in between."""
        return self.page.locator(f"[class*=st-key-{start}]").filter(
            has=self.page.locator(f"xpath=self::*[contains(concat(@class, ' '), '{end} ')]")
        )

    def write(self, key: str, text: str) -> None:
        self._write(self.keyed(key), text)

    def write_in(self, start: str, end: str, text: str) -> None:
        self._write(self.keyed_like(start, end).last, text)

    def choose_in(self, start: str, end: str, option: str) -> None:
        self.keyed_like(start, end).last.get_by_role("combobox").click()
        self.page.get_by_role("option", name=option).first.click()
        self.settle()

    def check_in(self, start: str, end: str) -> None:
        self.keyed_like(start, end).last.locator("label").first.click()
        self.settle()

    def _write(self, widget: Locator, text: str) -> None:
        box = widget.locator("input, textarea").first
        box.fill(text)
        box.blur()
        self.settle()
