"""One journey in a real browser: sign in, make a topic, compose a message with an OTNR, play the customer
and tap, launch a broadcast, see it arrive on the phone and in the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import Panel, browser_page, need_browser
from tests.processes import free_port, process, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
TOPIC = "Báo khi có bánh trung thu"
PROMISE = "Báo tôi khi mở bán bánh trung thu"
NEWS = "Bánh trung thu đã mở bán, mời bạn đặt từ hôm nay!"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The whole product as `make run` starts it; gives the panel's address and the password it printed."""
    need_browser()
    log = tmp_path / "run.log"
    port = free_port()
    settings = {
        "OTN_DATA_DIR": str(tmp_path),
        "OTN_DATABASE_URL": f"sqlite:///{tmp_path}/otn.db",
        "OTN_PANEL_PORT": str(port),
        "OTN_WEBHOOK_PORT": str(free_port()),
        "OTN_SIMULATOR_PORT": str(free_port()),
    }
    with process("-m", "core", "run", log=log, **settings):
        until(lambda: "Ctrl-C" in log.read_text(), seconds=120, what="the demo is up")
        found = re.search(r"the password (\S+)", log.read_text())
        assert found, log.read_text()
        yield f"http://127.0.0.1:{port}", found[1]


def test_from_a_topic_to_a_broadcast_on_the_customers_phone(demo: tuple[str, str]) -> None:
    base_url, password = demo
    with browser_page() as page:
        panel = Panel(page, base_url)
        panel.sign_in("admin", password, "/topics")  # a deep link on a server nobody has visited
        fold_and_unfold_menu(panel)
        make_topic(panel)
        compose_message(panel)
        customer = become_a_new_customer_and_tap(panel)
        broadcast_url = launch_broadcast(panel)
        see_it_on_the_phone(panel, customer)
        see_it_in_the_numbers(panel, broadcast_url)


def fold_and_unfold_menu(panel: Panel) -> None:
    """Nothing may lie over its buttons: on a phone the menu covers the page."""
    panel.page.get_by_test_id("stSidebar").hover()
    panel.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    panel.page.get_by_test_id("stExpandSidebarButton").click()
    panel.settle()


def make_topic(panel: Panel) -> None:
    panel.click("topic_add")
    panel.write("topic_new_name", TOPIC)
    panel.click("topic_new_save")
    expect(panel.page.get_by_text(TOPIC).first).to_be_visible()


def compose_message(panel: Panel) -> None:
    panel.open("/message")
    name = "Mời đăng ký bánh trung thu"
    panel.write_in("message_", "_name", name)
    panel.click("block_add_otnr")
    panel.write_in("block_", "_title", PROMISE)
    panel.choose_in("block_", "_topic", TOPIC)
    panel.write_in("block_", "_after", "Cảm ơn bạn, tiệm sẽ báo ngay.")
    panel.write_in("entry_", "_contains", "trung thu")
    expect(panel.keyed("composer_phone").get_by_text("Thông báo cho tôi")).to_be_visible()
    panel.click("message_publish")
    expect(panel.keyed("composer_bar").get_by_text("Đã xuất bản")).to_be_visible()  # before we leave
    panel.open("/messages")
    expect(panel.page.get_by_text(name)).to_be_visible()


def become_a_new_customer_and_tap(panel: Panel) -> str:
    """Returns the name in the list of people one can be."""
    panel.open("/phone")
    panel.click("phone_person_add")
    box = panel.keyed("phone_say").locator("textarea")
    box.fill("co banh TRUNG THU chua shop")  # typed without its marks
    box.press("Enter")
    tap = panel.page.get_by_role("button", name="Thông báo cho tôi").last
    expect(panel.page.get_by_text(PROMISE).first).to_be_visible()
    tap.click()
    expect(panel.page.get_by_text("Cảm ơn bạn, tiệm sẽ báo ngay.").first).to_be_visible()
    return panel.keyed("phone_person").get_by_role("combobox").input_value()


def launch_broadcast(panel: Panel) -> str:
    panel.open("/new_broadcast")
    panel.choose_in("broadcast_new", "_topic", TOPIC)
    panel.click("broadcast_begin")
    panel.write_in("block_", "_text", NEWS)
    for step in ("when", "check"):
        panel.click("step_on")
        expect(panel.keyed(f"stepbox_here_{step}")).to_be_visible()
    panel.check_in("broadcast_", "_tick")
    panel.click("broadcast_launch")
    panel.page.get_by_role("dialog").get_by_role("button").last.click()
    panel.page.wait_for_url(re.compile(r"/broadcast\?id=\d+"))
    return panel.page.url.removeprefix(panel.base_url)


def see_it_on_the_phone(panel: Panel, customer: str) -> None:
    panel.open("/phone")
    panel.keyed("phone_person").get_by_role("combobox").fill(customer)
    panel.page.get_by_role("option", name=customer).first.click()
    expect(panel.page.get_by_text(NEWS).first).to_be_visible()


def see_it_in_the_numbers(panel: Panel, broadcast_url: str) -> None:
    panel.open(broadcast_url)
    balance = panel.keyed("broadcast_balance_table")
    expect(balance).to_contain_text(re.compile(r"Đã gửi\s*1\s*100"))
    panel.open("/topics")
    expect(panel.page.get_by_role("row").filter(has_text=TOPIC)).to_be_visible()
