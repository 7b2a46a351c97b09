"""What surrounds the pages, in a real browser: its language, the strip, dialogs, and leaving."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.broadcasts.drafts import get_draft
from core.clock import utc_now
from core.consent.queries import list_topics
from core.fanpages.queries import list_fanpages
from pages.components.page_registry import ENTRIES
from pages.shell.streamlit_words import words
from tests.journeys.browser import CHROMIUM, FLAGS, PATIENCE, Panel, need_browser
from tests.pages.broadcasts import TEXT, a_draft, put
from tests.pages.conftest import APP, PASSWORD, an_operator
from tests.processes import answers, free_port, process, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
# Every text and accessible name outside what people wrote.
SAID = """() => {
  const found = new Set();
  const names = ["aria-label", "aria-description", "aria-valuetext", "title", "placeholder"];
  for (const each of document.querySelectorAll("body *:not(script):not(style):not(noscript)")) {
    for (const name of names) if (each.hasAttribute(name)) found.add(each.getAttribute(name).trim());
    for (const child of each.childNodes) if (child.nodeType === 3) found.add(child.nodeValue.trim());
  }
  return [...found];
}"""


@pytest.fixture
def panel(arrange, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A panel with a topic; its address and the pid of its process."""
    need_browser()
    an_operator(arrange, "admin", "lan", language="vi")
    fanpage = arrange.fanpage()
    arrange.opt_in(arrange.topic(fanpage, "Giày chạy bộ"), arrange.customer(fanpage), fanpage_id=fanpage)
    port, log = free_port(), tmp_path / "panel.log"
    command = ["-m", "streamlit", "run", str(APP), f"--server.port={port}", "--server.headless=true"]
    with process(*command, log=log) as started:
        until(lambda: answers(port), what=f"the panel is up, see {log}")
        yield f"http://localhost:{port}", started.pid


@pytest.fixture
def browser() -> Iterator[BrowserContext]:
    """An English browser."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE)
        yield context
        chromium.close()


def signed_in(browser: BrowserContext, address: str, path: str = "/topics") -> tuple[Page, Panel]:
    page = browser.new_page()
    shown = Panel(page, address)
    shown.sign_in("lan", PASSWORD, path)
    page.locator("h1").first.wait_for()
    return page, shown


def test_no_english_of_streamlit_is_left_on_a_vietnamese_panel(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    theirs = {word for word, ours in words()["vi"]["exact"].items() if ours != word}
    assert page.evaluate("document.documentElement.lang") == "vi"
    for entry in ENTRIES:
        if entry.url_path in ("phone", "broadcast", "message", "customer", "event"):
            continue  # they need something to show
        shown.open(f"/{entry.url_path}")
        assert theirs.isdisjoint(page.evaluate(SAID)), entry.url_path
        assert page.get_by_role("img", name=re.compile(r"_\w+ icon$")).count() == 0, entry.url_path
        assert page.locator("[data-testid=stMainMenu], [data-testid=stStatusWidget]:visible").count() == 0
    shown.open("/opt_ins")
    shown.click("opt_ins_import")
    expect(page.get_by_text("tối đa 10 MB", exact=True)).to_be_visible()
    expect(page.locator("[data-testid=stFileUploader] button", has_text="Chọn tệp")).to_be_visible()
    assert theirs.isdisjoint(page.evaluate(SAID))
    shown.open("/new_broadcast")
    page.get_by_role("combobox").last.fill("zzz")
    expect(page.get_by_text("Không tìm thấy")).to_be_visible()

    shown.speak("en")  # in the same page, without loading it anew
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_attached()
    assert page.evaluate("navigator.language") == "en"


def test_an_address_that_leads_nowhere_leads_home_and_says_so(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    shown.open("/nowhere")
    expect(page.get_by_text("Địa chỉ này không có trang nào")).to_be_visible()
    expect(page.get_by_role("heading", name="Tổng quan")).to_be_visible()
    assert page.get_by_role("dialog").count() == 0


def test_the_menu_marks_the_page_that_is_open_in_either_language(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    marked = page.locator(".otn-menu a[aria-current=page]")
    expect(marked).to_have_attribute("href", "topics")
    link = page.locator('.otn-menu a[href="broadcasts"]')
    link.focus()
    page.keyboard.press("Enter")
    expect(marked).to_have_attribute("href", "broadcasts")
    expect(link).to_be_focused()  # the menu is not drawn anew
    shown.open("/new_broadcast")  # reached from that list
    expect(marked).to_have_attribute("href", "broadcasts")
    shown.speak("en")
    expect(marked).to_have_text(re.compile("Broadcasts$"))
    shown.open("/account")  # reached from no page of the menu
    expect(marked).to_have_count(0)


def test_the_menu_still_marks_the_page_when_it_gets_another_entry(panel, browser, arrange):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    marked = page.locator(".otn-menu a[aria-current=page]")
    expect(marked).to_have_attribute("href", "topics")
    arrange.fanpage("Thử", is_demo=True)
    shown.click("topic_add")  # the page is run once more
    expect(page.locator('.otn-menu a[href="phone"]')).to_be_attached()
    expect(marked).to_have_attribute("href", "topics")


def test_on_a_phone_the_button_of_a_page_stands_right_below_its_words(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    page.set_viewport_size({"width": 390, "height": 844})
    words, button = shown.keyed("topics_header_words"), shown.keyed("topic_add")
    shown.settle()
    ends = words.evaluate("element => element.getBoundingClientRect().bottom")
    begins = button.evaluate("element => element.getBoundingClientRect().top")
    assert 0 < begins - ends < 20


def test_on_a_phone_columns_below_each_other_are_as_near_as_fields_are(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    page.set_viewport_size({"width": 390, "height": 844})
    shown.open("/new_broadcast")
    ends = shown.keyed("broadcast_new_topic").evaluate("element => element.getBoundingClientRect().bottom")
    begins = shown.keyed("broadcast_new_name").evaluate("element => element.getBoundingClientRect().top")
    assert 0 < begins - ends < 20


def test_a_lost_connection_is_said_in_a_strip(panel, browser):
    address, pid = panel
    page, _shown = signed_in(browser, address)
    os.kill(pid, signal.SIGTERM)
    expect(page.locator("#otn-strip")).to_have_text(
        "Mất kết nối, đang thử lại; tin đang gửi không bị ảnh hưởng.", timeout=PATIENCE
    )
    assert page.get_by_role("dialog").count() == 0


def test_a_dialog_takes_its_first_field_enter_and_asks_before_it_throws_away(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    shown.click("topic_add")
    field = page.get_by_role("dialog").get_by_role("textbox").first
    expect(field).to_be_focused()
    page.keyboard.type("Bánh trung thu")

    asked = []
    page.on("dialog", lambda question: (asked.append(question.message), question.dismiss()))
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    assert asked == ["Bỏ những gì bạn vừa nhập?"] * 2
    expect(field).to_have_value("Bánh trung thu")

    field.focus()
    page.wait_for_timeout(400)  # an Enter so soon after a dialog opened is ignored: it may have opened it
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", name="Bánh trung thu")).to_be_visible()


def test_what_was_just_typed_is_saved_before_the_page_is_left_by_the_menu_or_the_back_button(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    (topic,) = list_topics(list_fanpages()[0].id, now=utc_now())
    draft_id = a_draft(topic.id)
    for leave in (page.locator('.otn-menu a[href="topics"]').click, page.go_back):
        shown.open("/topics")
        page.evaluate(
            "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }",
            f"/new_broadcast?id={draft_id}&step=what",
        )
        text = page.locator("[data-testid=stMain] textarea").first
        text.wait_for()
        shown.settle()
        written = f"Tết này giảm giá {leave.__name__}"
        text.fill(written)
        leave()
        expect(page.get_by_role("heading", name="Chủ đề OTN")).to_be_visible()
        shown.settle()
        page.wait_for_timeout(500)  # in which the page that was left used to come back
        expect(page).to_have_url(f"{address}/topics")
        assert get_draft(draft_id).content["text"] == written


def test_the_back_button_asks_before_it_throws_away_what_stands_in_a_dialog(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    page.locator('.otn-menu a[href="messages"]').click()
    expect(page.get_by_role("heading", name="Tin nhắn", exact=True)).to_be_visible()
    page.locator('.otn-menu a[href="topics"]').click()
    shown.settle()
    shown.click("topic_add")
    field = page.get_by_role("dialog").get_by_role("textbox").first
    expect(field).to_be_focused()
    page.keyboard.type("Bánh trung thu")
    asked = []
    page.once("dialog", lambda question: (asked.append(question.message), question.dismiss()))
    page.go_back()
    page.wait_for_timeout(500)
    assert asked == ["Bỏ những gì bạn vừa nhập?"]
    expect(field).to_have_value("Bánh trung thu")
    expect(page).to_have_url(f"{address}/topics")


def test_a_dialog_that_begins_with_a_date_takes_it_reads_it_out_and_asks_before_it_is_thrown_away(
    panel, browser
):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    (topic,) = list_topics(list_fanpages()[0].id, now=utc_now())
    broadcast_id = a_draft(topic.id)
    actions.schedule(COMMAND_LINE, broadcast_id, at=utc_now() + timedelta(days=20), now=utc_now())
    shown.open(f"/calendar?move={broadcast_id}")
    dialog = page.get_by_role("dialog").last
    expect(dialog.get_by_role("spinbutton").first).to_be_focused()
    said = page.evaluate(SAID)
    assert [
        word
        for word in said
        if re.search("Selected|[A-Z][a-z]+(uary|ch|ril|ay|une|uly|ust|ember|ober)", word)
    ] == []
    assert any(re.fullmatch(r"Đã chọn: ngày \d+ tháng \d+ năm \d{4}", word) for word in said)

    asked = []
    page.on("dialog", lambda question: (asked.append(question.message), question.dismiss()))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    assert asked == ["Bỏ những gì bạn vừa nhập?"]


def test_a_double_click_on_the_way_through_a_draft_changes_nothing_of_it(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    (topic,) = list_topics(list_fanpages()[0].id, now=utc_now())
    draft_id, due_at = a_draft(topic.id), utc_now() + timedelta(days=20)
    put(draft_id, due_at=due_at)
    shown.open(f"/new_broadcast?id={draft_id}&step=what")
    shown.keyed("step_on").get_by_role("button").dblclick()
    expect(shown.keyed("stepbox_here_when").or_(shown.keyed("stepbox_here_check"))).to_be_visible()
    for step in ("what", "when"):
        shown.settle()
        shown.click(f"step_{step}")
        expect(shown.keyed(f"stepbox_here_{step}")).to_be_visible()
        if step == "what":
            expect(page.locator("textarea").first).to_have_value(TEXT["text"])
    expect(page.get_by_role("radio", name="Vào giờ bạn chọn")).to_be_checked()
    assert get_draft(draft_id).due_at == due_at


FOCUSED = """() => {
  const at = document.activeElement, shape = at.getBoundingClientRect();
  const by = (at.getAttribute("aria-labelledby") || "").split(" ").map(id => document.getElementById(id));
  const name = at.getAttribute("aria-label") || at.innerText || at.labels?.[0]?.innerText
    || by.map(each => each?.innerText || "").join("");
  return {
    tag: at.tagName, name: name.trim(), outline: getComputedStyle(at).outlineStyle,
    seen: shape.width > 0 && shape.bottom > 0 && shape.top < innerHeight,
  };
}"""


def test_the_keyboard_begins_with_the_skip_link_and_always_shows_where_it_is(panel, browser):
    address, _pid = panel
    page, shown = signed_in(browser, address)
    shown.open("/topics")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Đến nội dung chính")).to_be_focused()
    for _press in range(25):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        if here["tag"] == "BODY":
            break  # the end of the page
        assert here["name"], here
        assert here["seen"], here
        if here["tag"] in ("A", "BUTTON"):
            assert here["outline"] != "none", here
