"""The sign-in in a real browser on a cold server: what AppTest cannot see (cookies, addresses, scripts)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from core.accounts import actions, queries
from core.accounts.rules import COMMAND_LINE
from core.accounts.sign_in import complete_sign_in
from core.broadcasts.drafts import get_draft
from core.clock import utc_now
from tests.journeys.browser import CHROMIUM, FLAGS, need_browser
from tests.pages.broadcasts import a_draft
from tests.pages.conftest import APP, PASSWORD, an_operator
from tests.processes import answers, free_port, process, until

pytestmark = pytest.mark.browser


@pytest.fixture
def address(arrange, tmp_path: Path) -> Iterator[str]:
    """A panel that nobody has visited yet."""
    need_browser()
    an_operator(arrange, "viewer", "lan")
    port, log = free_port(), tmp_path / "panel.log"
    command = ["-m", "streamlit", "run", str(APP), f"--server.port={port}", "--server.headless=true"]
    with process(*command, log=log):
        until(lambda: answers(port), what=f"the panel is up, see {log}")
        yield f"http://localhost:{port}"


@pytest.fixture
def browser() -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium.new_context()
        chromium.close()


def sign_in(page: Page, name: str = "lan", heading: str = "Activity") -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=20_000)


def session_cookies(browser: BrowserContext) -> list[dict]:
    return [kept for kept in browser.cookies() if kept["name"].startswith("notify_once_")]


def wait_for_cookie(page: Page, browser: BrowserContext) -> dict:
    for _try in range(100):
        if kept := session_cookies(browser):
            return kept[0]
        page.wait_for_timeout(50)
    pytest.fail("no session cookie was set")


def test_a_deep_link_on_a_cold_server_signs_in_and_signs_out(address, browser):
    page = browser.new_page()
    strangers = []
    page.on(
        "request",
        lambda asked: (
            strangers.append(asked.url)
            if not asked.url.startswith((address, "data:", "blob:", address.replace("http", "ws")))
            else None
        ),
    )

    page.goto(f"{address}/activity?days=7")
    expect(page.get_by_label("User name")).to_be_visible(timeout=30_000)
    assert page.get_by_text("signed in").count() == 0
    sign_in(page)
    assert page.url == f"{address}/activity?days=7"

    kept = wait_for_cookie(page, browser)
    assert (kept["httpOnly"], kept["sameSite"]) == (True, "Strict")
    assert "notify_once_" not in page.evaluate("document.cookie")

    page.reload()
    expect(page.get_by_role("heading", name="Activity")).to_be_visible(timeout=20_000)
    assert page.url == f"{address}/activity?days=7"

    page.get_by_role("button", name="lan").click()
    with page.expect_navigation():  # the page is loaded anew without its cookie
        page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    assert session_cookies(browser) == []

    browser.add_cookies([kept])  # somebody copied the cookie before the sign-out
    page.goto(f"{address}/activity")
    expect(page.get_by_label("User name")).to_be_visible(timeout=20_000)
    assert strangers == []


def test_links_in_tables_and_the_theme_work_without_signing_in_again(address, browser, arrange):
    arrange.topic(arrange.fanpage(), "Giày chạy bộ")
    page = browser.new_page()
    page.goto(f"{address}/activity")
    sign_in(page)
    wait_for_cookie(page, browser)
    page.get_by_role("link", name="OTN topics").click()
    loads = []
    page.on("load", lambda _page: loads.append(page.url))
    page.get_by_role("link", name="Giày chạy bộ").click()
    page.wait_for_url(f"{address}/topics?id=*")
    expect(page.get_by_role("heading", name="Giày chạy bộ")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="OTN topics")).to_be_visible()
    assert loads == []

    page.get_by_role("button", name="Dark").click()
    expect(page.get_by_role("heading", name="OTN topics")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-otn-theme", "Dark")
    page.goto(f"{address}/activity")
    expect(page.get_by_role("heading", name="Activity")).to_be_visible(timeout=20_000)
    assert (
        page.locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor") == "rgb(20, 23, 28)"
    )


def post(url: str, body: bytes, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST")) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def test_the_cookie_is_given_for_a_ticket_only(address):
    for forged in (b"", b"nonsense", json.dumps({"ticket": "nonsense"}).encode()):
        assert post(f"{address}/session", forged) == 403
    ticket = complete_sign_in("lan", "10.0.0.1", now=utc_now())
    assert post(f"{address}/session", ticket.encode()) == 204


def test_who_is_signed_out_elsewhere_comes_to_the_sign_in_at_the_next_click(address, browser):
    page = browser.new_page()
    page.goto(f"{address}/activity")
    sign_in(page)
    [lan] = queries.list_operators()
    actions.end_sessions(COMMAND_LINE, lan.id, now=utc_now())
    page.get_by_role("link", name="OTN topics").click()
    expect(page.get_by_label("User name")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    page.get_by_label("User name").fill("lan")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="OTN topics")).to_be_visible(timeout=20_000)


def test_a_click_in_the_menu_opens_the_page_without_loading_the_panel_anew(address, browser):
    page = browser.new_page()
    page.goto(f"{address}/activity")
    sign_in(page)
    page.evaluate("window.kept = true")
    link = page.get_by_role("navigation", name="Menu").get_by_role("link", name="OTN topics")
    link.click()
    expect(page.get_by_role("heading", name="OTN topics")).to_be_visible(timeout=20_000)
    expect(link).to_be_focused()
    assert page.evaluate("window.kept")
    page.go_back()
    expect(page.get_by_role("heading", name="Activity")).to_be_visible(timeout=20_000)


def test_the_menu_of_a_phone_goes_away_with_the_click(address, browser):
    page = browser.new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}/activity")
    sign_in(page)
    page.get_by_test_id("stExpandSidebarButton").click()
    link = page.get_by_role("link", name="OTN topics")
    link.click()
    expect(page.get_by_role("heading", name="OTN topics")).to_be_visible(timeout=20_000)
    expect(link).not_to_be_in_viewport(timeout=20_000)


def test_every_answer_says_who_may_frame_it(address):
    for path in ("/", "/activity", "/session", "/_stcore/health"):
        try:
            headers = urllib.request.urlopen(f"{address}{path}").headers
        except urllib.error.HTTPError as refused:
            headers = refused.headers
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers.get_all("x-content-type-options") == ["nosniff"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


def test_a_page_is_drawn_under_the_policy_and_what_comes_from_elsewhere_is_refused(address, browser):
    page = browser.new_page()
    page.add_init_script(
        "window.refused = []; document.addEventListener("
        "'securitypolicyviolation', e => window.refused.push(e.effectiveDirective))"
    )
    page.goto(f"{address}/activity")
    sign_in(page)
    assert set(page.evaluate("window.refused")) <= {
        "script-src"
    }  # Streamlit tries whether it may eval, and does without
    page.evaluate(
        "const s = document.createElement('script'); s.src = 'https://evil.example/x.js';"
        "document.body.append(s); fetch('https://evil.example/').catch(() => null);"
    )
    expect(page.get_by_role("heading", name="Activity")).to_be_visible()
    page.wait_for_function(
        "() => ['script-src-elem', 'connect-src'].every(each => window.refused.includes(each))"
    )


def test_a_choice_stays_when_it_is_called_otherwise_by_now(address, browser, arrange):
    """A browser knows an option by its words; AppTest does not."""
    an_operator(arrange, "sender", "mai")
    fanpage = arrange.fanpage()
    arrange.topic(fanpage, "Áo dài")  # the first of the list
    topic = arrange.topic(fanpage, "Hoa Tết")
    draft = a_draft(topic)
    page = browser.new_page()
    page.goto(f"{address}/new_broadcast?id={draft}&step=who")
    sign_in(page, "mai", "Flash sale")
    chosen = page.locator(f".st-key-broadcast_{draft}_topic").get_by_role("combobox")
    expect(chosen).to_have_value("Hoa Tết – 0 people")
    arrange.opt_in(topic, arrange.customer(fanpage, "Thu"), fanpage_id=fanpage)
    for name in ("Tết", "Tết 2027"):
        called = page.locator(f".st-key-broadcast_{draft}_name input")
        called.fill(name)
        called.blur()
        until(lambda name=name: get_draft(draft).name == name, what="the name is saved")
        expect(chosen).to_have_value("Hoa Tết – 1 person")
    assert get_draft(draft).topic_id == topic
