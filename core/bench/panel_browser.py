"""Clicks through the panel in a real browser and times each click, for `bench panel`.

A page is ready when its last element is drawn and no run is in progress: the time of the last change of the
document after which nothing changed for a while. It counts from the moment the click reaches the document.
"""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from core.errors import N_, OperatorError

HOME = Path(__file__).resolve().parents[2]
START_SECONDS = 60
PATIENCE_MS = 30_000
LIVE_SECONDS = 20.0
SIZE = {"width": 1360, "height": 900}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
_WATCH = """() => {
  window.bench = {clicked: 0, changed: 0};
  addEventListener("click", () => { bench.clicked = bench.changed = performance.now(); }, true);
  new MutationObserver(() => { bench.changed = performance.now(); }).observe(document.body,
    {subtree: true, childList: true, attributes: true, characterData: true});
}"""
_READY = """() => {
  const app = document.querySelector("[data-test-script-state]");
  const still = performance.now() - bench.changed > 250;
  const isReady = still && bench.changed > bench.clicked && document.querySelector("h1") !== null
    && app?.getAttribute("data-test-script-state") === "notRunning"
    && document.querySelector("[data-stale=true]") === null;
  return isReady ? bench.changed - bench.clicked : 0;
}"""


@dataclass(frozen=True)
class Click:
    """What is clicked, and the page that opens; without a name it only leads to the next."""

    page: str
    selector: str


class Walker:
    """Somebody with a browser who has signed in."""

    def __init__(self, page: Any, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        page.set_default_timeout(PATIENCE_MS)

    def sign_in(self, name: str, password: str, path: str = "/") -> None:
        self.page.goto(self.base_url + path)
        form = self.page.locator(".st-key-sign_in")
        form.get_by_role("textbox").first.fill(name)
        form.locator("input[type=password]").fill(password)
        form.get_by_role("button").last.click()
        self.page.locator("[data-testid=stSidebar]").wait_for()
        self.page.locator("h1").first.wait_for()
        self.page.evaluate(_WATCH)

    def click(self, selector: str) -> float:
        """Seconds from the click until the page is ready."""
        self.page.locator(selector).first.click()
        took = self.page.wait_for_function(_READY, polling=50).json_value()
        return float(took) / 1000


def need_browser() -> tuple[Any, str]:
    """(Playwright's entry, path of the browser); raises OperatorError when one of them is missing."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        playwright: Any = importlib.import_module("playwright.sync_api")
    except ImportError:
        playwright = None
    if playwright is None or program is None:
        raise OperatorError(
            N_(
                "This bench clicks through the panel in a browser. Install Debian's or Ubuntu's chromium "
                "and the tools of requirements-dev.txt (Playwright)."
            )
        )
    return playwright.sync_playwright, program


def time_clicks(walk: Sequence[Click], rounds: int, *, name: str, password: str) -> list[dict[str, Any]]:
    """Go the walk so many times; the first time is a warm-up of the server and not counted. A row for each
    page: clicks, and their median, 95th percentile and slowest in seconds."""
    found: dict[str, list[float]] = {}
    with _panel() as (base_url, _process), _browser() as browser:
        walker = Walker(browser.new_page(viewport=SIZE), base_url)
        walker.sign_in(name, password)
        for number in range(rounds + 1):
            for click in walk:
                took = walker.click(click.selector)
                if number and click.page:
                    found.setdefault(click.page, []).append(took)
    return [sum_up(page, sorted(seconds)) for page, seconds in found.items()]


def measure_viewers(path: str, viewers: int, *, name: str, password: str) -> dict[str, Any]:
    """The share of a processor that the panel takes while so many look at one page."""
    with _panel() as (base_url, process), _browser() as browser:
        for _ in range(viewers):
            page = browser.new_context(viewport=SIZE).new_page()
            Walker(page, base_url).sign_in(name, password, path)
        time.sleep(LIVE_SECONDS / 4)  # the first runs of the last one
        before, began = _cpu_seconds(process.pid), time.monotonic()
        time.sleep(LIVE_SECONDS)
        share = (_cpu_seconds(process.pid) - before) / (time.monotonic() - began)
    return {"viewers": viewers, "share_of_a_core": round(share, 3)}


def sum_up(page: str, seconds: list[float]) -> dict[str, Any]:
    """A row of the figures, of sorted seconds."""
    middle, high = seconds[len(seconds) // 2], seconds[ceil(0.95 * len(seconds)) - 1]
    return {
        "page": page,
        "clicks": len(seconds),
        "median": round(middle, 2),
        "p95": round(high, 2),
        "slowest": round(seconds[-1], 2),
    }


@contextmanager
def _browser() -> Iterator[Any]:
    playwright, program = need_browser()
    with playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def _panel() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A panel over the database of this process's settings, while the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "streamlit", "run", str(HOME / "app.py"), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=HOME,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://localhost:{port}", process
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise OperatorError(N_("{name} did not start; see {file}"), name="panel", file="streamlit run app.py")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
