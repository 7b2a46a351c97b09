"""The phone page against a real simulator over HTTP."""

from __future__ import annotations

import pytest

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.fanpages.queries import list_fanpages
from core.settings import settings
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from pages.demo.customer_phone import NEW_NAMES
from tests.pages.conftest import fresh_panel as fresh_panel
from tests.pages.conftest import panel as panel
from tests.pages.shown import html
from tests.simulator.conftest import PAGE, REQUEST, Graph


@pytest.fixture(autouse=True)
def english(fresh_database, monkeypatch):
    monkeypatch.setenv("OTN_LANGUAGE", "en")
    settings.cache_clear()


@pytest.fixture
def demo(arrange, monkeypatch):
    """The demo fanpage, served by a simulator on a free port; its remote control."""
    arrange.fanpage("Mai Hoa", page_id=PAGE, is_demo=True)
    world = World()
    with running_simulator(world) as url:
        monkeypatch.setenv("OTN_SIMULATOR_PORT", url.rsplit(":", 1)[1])
        settings.cache_clear()
        remote = SimulatorClient(url)
        profile = {"get_started": {"payload": "GET_STARTED"}}
        remote.save_page(PAGE, name="Mai Hoa", token="page-token-of-the-shop", profile=profile)
        yield remote
        remote.close()


def texts(remote: SimulatorClient, psid: str) -> list[str]:
    return [each["message"].get("text", "") for each in remote.thread(psid)["bubbles"]]


def test_an_empty_conversation_is_begun(panel, demo):
    psid = demo.add_people(PAGE, [{"first_name": "Lan", "last_name": "Nguyễn"}])[0]["psid"]
    at = panel("phone")
    assert not at.exception
    at.button(key="phone_tap_start").click().run()
    assert texts(demo, psid) == ["Bắt đầu"]
    assert "phone_tap_start" not in [each.key for each in at.button]


def test_a_request_is_tapped_on_the_phone(panel, demo):
    psid = demo.add_people(PAGE, [{"first_name": "Lan"}])[0]["psid"]
    demo.act(psid, "get_started")
    Graph(demo.base_url).send({"id": psid}, REQUEST)
    at = panel("phone")
    at.button(key="phone_tap_1_n").click().run()
    assert not at.exception
    assert demo.books(PAGE, short=True)["issued"] == 1
    assert "phone_tap_1_n" not in [each.key for each in at.button]


def test_what_is_typed_and_suggested_is_said(panel, demo, arrange, now):
    from core.accounts.rules import SYSTEM
    from core.conversation.actions import save_message
    from core.conversation.drafts import BlockDraft, EntryDraft
    from core.fanpages.queries import list_fanpages

    blocks = [BlockDraft("text", {"text": "Sắp về"})]
    entries = [EntryDraft("keyword", "contains", "mẫu đơn"), EntryDraft("ref", None, "mau_don")]
    fanpage_id = list_fanpages()[0].id
    save_message(SYSTEM, fanpage_id, name="Mẫu đơn", blocks=blocks, entry_points=entries, now=now)
    psid = demo.add_people(PAGE, [{"first_name": "Lan"}])[0]["psid"]
    at = panel("phone")
    at.chat_input(key="phone_say").set_value("alo shop").run()
    at.button(key="phone_chat_0").click().run()
    at.button(key="phone_qr_code_2_0").click().run()
    assert not at.exception
    assert texts(demo, psid) == ["alo shop", "mẫu đơn"]


def test_buttons_of_cards_and_quick_replies_are_tapped_on_the_phone(panel, demo):
    psid = demo.add_people(PAGE, [{"first_name": "Lan"}])[0]["psid"]
    demo.act(psid, "get_started")
    buttons = [{"type": "postback", "title": "Xem giá", "payload": "message:1"}]
    payload = {"template_type": "generic", "elements": [{"title": "Hoa", "buttons": buttons}]}
    card = {"attachment": {"type": "template", "payload": payload}}
    Graph(demo.base_url).send({"id": psid}, {**card, "quick_replies": [{"content_type": "user_email"}]})
    at = panel("phone")
    at.button(key="phone_tap_1_r0").click().run()
    at.button(key="phone_tap_1_c0b0").click().run()
    assert not at.exception
    assert "@" in texts(demo, psid)[-2]
    assert texts(demo, psid)[-1] == "Xem giá"


def test_a_reload_keeps_who_one_is(panel, demo):
    people = demo.add_people(PAGE, [{"first_name": name} for name in ("An", "Lan", "Mai")])
    mai = people[2]["psid"]
    at = panel("phone", person=mai)
    assert at.selectbox(key="phone_person").value == mai
    assert mai in at.query_params["person"]


def test_a_look_at_another_page_keeps_who_one_is(panel, demo):
    people = demo.add_people(PAGE, [{"first_name": name} for name in ("An", "Lan", "Mai")])
    at = panel("phone", person=people[2]["psid"])
    at.switch_page("pages/topics/topics.py").run()
    at.query_params.clear()
    at.switch_page("pages/demo/phone.py").run()
    assert at.selectbox(key="phone_person").value == people[2]["psid"]


def test_a_new_customer_can_be_played_and_can_block(panel, demo):
    at = panel("phone")
    at.button(key="phone_person_add").click().run()
    at.button(key="phone_block").click().run()
    assert not at.exception
    assert [each["blocked"] for each in demo.people(PAGE)] == [True]


def test_new_customers_have_names_of_their_own_while_there_are_any(panel, demo):
    at = panel("phone")
    for _number in NEW_NAMES:
        at.button(key="phone_person_add").click().run()
    assert {(each["first_name"], each["last_name"]) for each in demo.people(PAGE)} == set(NEW_NAMES)


def test_without_a_simulator_the_page_says_so(panel, arrange, monkeypatch):
    arrange.fanpage("Mai Hoa", page_id=PAGE, is_demo=True)
    monkeypatch.setenv("OTN_SIMULATOR_PORT", "9")
    settings.cache_clear()
    at = panel("phone")
    assert not at.exception
    assert "not running" in at.warning[0].value


def test_without_the_demo_the_page_says_so(panel, arrange):
    arrange.fanpage("Mai Hoa")
    at = panel("phone")
    assert not at.exception
    assert any("not set up" in each.value for each in at.markdown)


MENU = [
    {"locale": "default", "call_to_actions": [{"type": "postback", "title": "Xem giá", "payload": "menu:1"}]}
]
ASKED = [{"locale": "default", "call_to_actions": [{"question": "Giá?", "payload": "ice_breaker:1"}]}]


def test_a_new_chat_offers_questions_and_then_has_a_menu(panel, demo):
    profile = {"get_started": {"payload": "GET_STARTED"}, "ice_breakers": ASKED, "persistent_menu": MENU}
    greeting = [{"locale": "default", "text": "Chào {{user_first_name}}!"}]
    demo.save_page(PAGE, profile={**profile, "greeting": greeting})
    psid = demo.add_people(PAGE, [{"first_name": "Lan"}])[0]["psid"]
    at = panel("phone")
    assert "Chào Lan!" in html(at)
    assert not {each.key for each in at.button} & {"phone_tap_start", "phone_menu_0"}
    at.button(key="phone_question_0").click().run()
    at.button(key="phone_menu_0").click().run()
    assert not at.exception
    assert texts(demo, psid) == ["Giá?", "Xem giá"]


def test_a_comment_is_written_on_the_phone(panel, demo, now):
    fanpage = list_fanpages()[0].id
    blocks, entries = [BlockDraft("text", {"text": "Dạ"})], [EntryDraft("comment", "contains", "giá")]
    save_message(COMMAND_LINE, fanpage, name="Giá", blocks=blocks, entry_points=entries, now=now)
    psid = demo.add_people(PAGE, [{"first_name": "Lan"}])[0]["psid"]
    at = panel("phone")
    at.button(key="phone_add_comment_0").click().run()
    assert not at.exception
    assert not demo.thread(psid)["person"]["met"]  # until the page answers it


def test_a_colleague_answers_and_the_page_says_that_the_bot_is_silent(panel, demo, arrange):
    psid = demo.add_people(PAGE, [{"first_name": "Lan"}])[0]["psid"]
    demo.act(psid, "get_started")
    values = {"psid": psid, "colleague_at": utc_now()}
    at = panel("phone")
    at.button(key="phone_colleague").click().run()
    assert not at.exception
    assert texts(demo, psid)[-1] == "Hello, let me look into that for you."
    assert not at.info
    arrange.customer(list_fanpages()[0].id, **values)
    at.run()
    assert "the chatbot is silent until" in at.info[0].value
