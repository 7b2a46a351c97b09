"""The messages pages: the list, the composer, and what they leave in the database."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.rules import Actor, Role
from core.conversation import queries
from core.conversation.actions import BlockDraft, EntryDraft, save_message
from core.db.engine import reading
from core.db.tables import Topic
from tests.arrange import Arrange

EDITOR = Actor(None, "mai", Role.EDITOR)


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    return arrange.fanpage()


def saved(arrange: Arrange, fanpage: int, name: str = "Chào mừng", **changes: Any) -> int:
    values = {
        "blocks": [BlockDraft("text", {"text": "Chào {{first_name}}", "fallback": "bạn"})],
        "entry_points": [EntryDraft("get_started")],
    }
    return save_message(EDITOR, fanpage, name=name, now=arrange.now, **{**values, **changes})


def keys(elements: Any) -> list[str]:
    return [element.key or "" for element in elements]


def of(elements: Any, ending: str) -> Any:
    """The only element whose key ends so: uids stand in between."""
    (found,) = [element for element in elements if (element.key or "").endswith(ending)]
    return found


def html(at: AppTest) -> str:
    return " ".join(element.body for element in at.get("html") if hasattr(element, "body"))


def test_an_empty_list_offers_the_first_message(panel, fanpage) -> None:
    at = panel("messages", role="editor")
    assert "message_add" not in keys(at.button)
    at.button(key="messages_start").click().run()
    assert not at.exception
    assert "message_save" in keys(at.button)


def test_the_list_is_searched_without_marks(panel, arrange, fanpage) -> None:
    saved(arrange, fanpage, "Bảng giá", entry_points=[EntryDraft("keyword", "contains", "giá")])
    saved(arrange, fanpage, "Chào mừng")
    at = panel("messages")
    assert "Bảng giá" in html(at)
    at.text_input(key="q").input("bang gia").run()
    assert "Bảng giá" in html(at)
    assert "Chào mừng" not in html(at)
    at.text_input(key="q").input("không có").run()
    assert "không có" in at.info[0].value


def test_the_bot_can_be_tried_out(panel, arrange, fanpage) -> None:
    saved(arrange, fanpage, "Bảng giá", entry_points=[EntryDraft("keyword", "contains", "giá")])
    at = panel("messages", role="viewer")
    at.text_input(key="message_trial_words").input("gia sao shop").run()
    assert any("keyword “giá”" in shown.value for shown in at.markdown)
    at.text_input(key="message_trial_words").input("alo").run()
    assert "stays silent" in at.info[0].value
    at.text_input(key="message_trial_words").input("Dừng!").run()
    assert "not notified any more" in at.info[0].value


def test_a_button_stops_notifications_about_a_topic(panel, arrange, fanpage) -> None:
    topic = arrange.topic(fanpage)
    at = panel("message", role="editor")
    of(at.text_input, "_name").input("Hoa hồng").run()
    at.button(key="block_add_buttons").click().run()
    of(at.text_area, "_text").input("Bạn muốn gì ạ?").run()
    of(at.text_input, "_title").input("Ngừng nhận tin").run()
    of(at.selectbox, "_target").select(f"stop:{topic}").run()
    at.button(key="message_save").click().run()
    assert not at.exception
    (view,) = queries.list_messages(fanpage)
    (block,) = queries.get_message(view.id).blocks
    assert block.content["buttons"] == [{"title": "Ngừng nhận tin", "stop": topic}]
    assert of(panel("message", role="admin", id=view.id).selectbox, "_target").value == f"stop:{topic}"


def test_a_message_is_written_from_top_to_bottom(panel, arrange, fanpage) -> None:
    topic = arrange.topic(fanpage)
    at = panel("message", role="editor")
    of(at.text_input, "_name").input("Hoa hồng").run()
    at.button(key="block_add_text").click().run()
    of(at.text_area, "_text").input("Chào {{first_name}}").run()
    of(at.text_input, "_fallback").input("bạn").run()
    at.button(key="block_add_otnr").click().run()
    of(at.text_input, "_title").input("Báo tôi khi hoa hồng về").run()
    of(at.selectbox, "_topic").select(topic).run()
    of(at.text_area, "_after").input("Cảm ơn bạn").run()
    of(at.toggle, "_start").set_value(True).run()
    of(at.text_input, "_contains").input("hoa hồng, bó hoa").run()
    of(at.text_input, "_refs").input("tet-2027").run()
    at.button(key="message_save").click().run()
    assert not at.exception
    (view,) = queries.list_messages(fanpage)
    assert view.name == "Hoa hồng"
    assert [(b.kind, b.content, b.topic_id) for b in view.blocks] == [
        ("text", {"text": "Chào {{first_name}}", "fallback": "bạn"}, None),
        ("otnr", {"title": "Báo tôi khi hoa hồng về", "after": "Cảm ơn bạn"}, topic),
    ]
    assert [(e.kind, e.match, e.value) for e in view.entry_points] == [
        ("get_started", None, ""),
        ("keyword", "contains", "hoa hồng"),
        ("keyword", "contains", "bó hoa"),
        ("ref", None, "tet-2027"),
    ]


def test_buttons_and_quick_replies_lead_where_they_say(panel, arrange, fanpage) -> None:
    prices = saved(arrange, fanpage, "Bảng giá", entry_points=[])
    at = panel("message", role="editor")
    of(at.text_input, "_name").input("Menu")
    at.button(key="block_add_buttons").click().run()
    of(at.text_area, "_text").input("Xem gì?").run()
    of(at.button, "_row_add").click().run()
    shop, price = [
        field
        for field in at.text_input
        if (field.key or "").startswith("row_") and field.key.endswith("_title")
    ]
    shop.input("Cửa hàng")
    price.input("Giá")
    _first, second = [box for box in at.selectbox if (box.key or "").endswith("_target")]
    second.select(prices).run()
    of(at.text_input, "_url").input("https://hoa.vn").run()
    at.button(key="message_save").click().run()
    view = queries.list_messages(fanpage)[0]
    assert view.blocks[0].content["buttons"] == [
        {"title": "Cửa hàng", "url": "https://hoa.vn"},
        {"title": "Giá", "message_id": prices},
    ]


def test_blocks_move_and_go(panel, arrange, fanpage) -> None:
    blocks = [BlockDraft("text", {"text": word}) for word in ("một", "hai", "ba")]
    message_id = saved(arrange, fanpage, blocks=blocks)
    at = panel("message", role="editor", id=message_id)
    next(button for button in at.button if (button.key or "").endswith("_down")).click().run()
    [button for button in at.button if (button.key or "").endswith("_remove")][2].click().run()
    at.button(key="message_save").click().run()
    assert [b.content["text"] for b in queries.get_message(message_id).blocks] == ["hai", "một"]


def test_what_is_wrong_is_said_at_its_block_and_nothing_is_saved(panel, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_image").click().run()
    assert "web address of the picture" not in html(at)
    at.button(key="message_save").click().run()
    assert "Give the web address of the picture." in html(at)
    assert "Give the message a name" in html(at)
    assert "Not saved yet" in at.error[0].value
    assert queries.count_messages(fanpage) == 0


def test_a_taken_keyword_names_its_message(panel, arrange, fanpage) -> None:
    saved(arrange, fanpage, "Bảng giá", entry_points=[EntryDraft("keyword", "contains", "giá")])
    message_id = saved(arrange, fanpage, "Khác", entry_points=[])
    at = panel("message", role="editor", id=message_id)
    of(at.text_input, "_exact").input("giá").run()
    at.button(key="message_save").click().run()
    assert "“giá” already starts “Bảng giá”" in at.error[0].value


@pytest.mark.parametrize(("count", "tone"), [(40, ""), (59, "otn-near"), (66, "otn-over")])
def test_the_counter_of_the_promise_changes_colour(panel, fanpage, count: int, tone: str) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_otnr").click().run()
    of(at.text_input, "_title").input("x" * count).run()
    assert f'class="otn-count {tone}"' in html(at)
    assert f"{count}/65" in html(at)


def test_a_promise_of_a_gift_is_advised_against_while_it_is_written(panel, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_otnr").click().run()
    of(at.text_input, "_title").input("Nhận quà miễn phí").run()
    assert "sounds like a gift" in html(at)


def test_the_phone_shows_what_is_written(panel, arrange, fanpage) -> None:
    at = panel("message", id=saved(arrange, fanpage))
    assert "Chào Lan" in html(at)
    at.segmented_control(key="preview_name").select("none").run()
    assert "Chào bạn" in html(at)


def test_the_example_fills_an_empty_message(panel, arrange, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="message_example").click().run()
    assert not at.exception
    assert "Notify Me" in html(at)
    assert of(at.toggle, "_start").value is True
    assert "message_example" not in keys(at.button)


def test_unsaved_words_can_be_discarded(panel, arrange, fanpage) -> None:
    at = panel("message", role="editor", id=saved(arrange, fanpage))
    assert "message_discard" not in keys(at.button)
    of(at.text_area, "_text").input("Xin chào").run()
    at.button(key="message_discard").click().run()
    assert of(at.text_area, "_text").value == "Chào {{first_name}}"
    assert "message_discard" not in keys(at.button)


def test_unsaved_words_outlive_a_look_at_another_page(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    of(at.text_area, "_text").input("Xin chào").run()
    at.switch_page("pages/messages/messages.py").run()
    at.query_params["id"] = str(message_id)
    at.switch_page("pages/messages/composer/message.py").run()
    assert of(at.text_area, "_text").value == "Xin chào"


def test_a_copy_opens_and_the_original_stays(panel, arrange, fanpage) -> None:
    at = panel("message", role="editor", id=saved(arrange, fanpage))
    at.button(key="message_copy").click().run()
    assert not at.exception
    assert of(at.text_input, "_name").value == "Chào mừng (2)"


def test_archiving_asks_first(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    at.button(key="message_archive").click().run()
    assert not queries.get_message(message_id).is_archived
    at.button(key="archive_message_confirm").click().run()
    assert queries.get_message(message_id).is_archived
    assert "message_save" not in keys(at.button)


def test_a_viewer_may_look_but_not_change(panel, arrange, fanpage) -> None:
    at = panel("message", role="viewer", id=saved(arrange, fanpage))
    assert "message_save" not in keys(at.button)
    assert "block_add_text" not in keys(at.button)
    assert of(at.text_area, "_text").disabled
    assert "message_add" not in keys(panel("messages", role="viewer").button)


@pytest.mark.parametrize("asked", ["404", "x", "9" * 30])
def test_a_message_that_is_not_there_is_said_so(panel, fanpage, asked: str) -> None:
    at = panel("message", id=asked)
    assert not at.exception
    assert "message_start" in keys(at.button)


def test_a_topic_that_was_archived_meanwhile_is_not_chosen(panel, arrange, fanpage) -> None:
    topic = arrange.topic(fanpage)
    ask = BlockDraft("otnr", {"title": "Báo tôi khi mở bán", "after": ""}, topic)
    message_id = saved(arrange, fanpage, blocks=[ask])
    from core.db.engine import transaction

    with transaction() as db:
        db.get(Topic, topic).archived_at = arrange.now
    arrange.topic(fanpage, "Chủ đề khác")
    at = panel("message", role="editor", id=message_id)
    assert not at.exception
    assert of(at.selectbox, "_topic").value is None
    with reading() as db:
        assert db.get(Topic, topic) is not None
