"""The messages pages: the list, the composer, and what they leave in the database."""

import re
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.clock import utc_now
from core.conversation import queries
from core.conversation.actions import archive_message, save_message
from core.conversation.draft_actions import get_draft, keep_draft
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.messenger_profile.actions import save_profile
from core.conversation.messenger_profile.rules import DEFAULT, Item, LocaleProfile, Profile
from core.db.engine import reading
from core.db.tables import Topic
from core.pictures.actions import add_picture
from core.settings import settings
from tests.arrange import Arrange
from tests.pages.shown import all_words
from tests.pictures.test_pictures import photo

EDITOR = Actor(None, "mai", Role.EDITOR)
LAN = Actor(None, "lan", Role.EDITOR)


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


def text_of(message_id: int) -> str:
    """What the draft's first block says."""
    return str(get_draft(message_id).blocks[0].content["text"])


def badges(at: AppTest) -> str:
    return " ".join(element.value for element in at.markdown)


def html(at: AppTest) -> str:
    return " ".join(element.body for element in at.get("html") if hasattr(element, "body"))


def test_an_empty_list_offers_the_first_message(panel, fanpage) -> None:
    at = panel("messages", role="editor")
    assert "message_add" not in keys(at.button)
    at.button(key="messages_start").click().run()
    assert not at.exception
    assert "message_publish" in keys(at.button)


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
    assert "no more notifications" in at.info[0].value


def test_a_button_stops_notifications_about_a_topic(panel, arrange, fanpage) -> None:
    topic = arrange.topic(fanpage)
    at = panel("message", role="editor")
    of(at.text_input, "_name").input("Hoa hồng").run()
    at.button(key="block_add_buttons").click().run()
    of(at.text_area, "_text").input("Bạn muốn gì ạ?").run()
    of(at.text_input, "_title").input("Ngừng nhận tin").run()
    of(at.selectbox, "_target").select(f"stop:{topic}").run()
    at.button(key="message_publish").click().run()
    at.button(key="publish_silent_confirm").click().run()
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
    at.button(key="message_publish").click().run()
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
    at.button(key="message_publish").click().run()
    at.button(key="publish_silent_confirm").click().run()
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
    at.button(key="message_publish").click().run()
    assert [b.content["text"] for b in queries.get_message(message_id).blocks] == ["hai", "một"]


def test_what_is_wrong_is_said_at_its_block_and_nothing_is_published(panel, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_image").click().run()
    assert "web address of the image" not in html(at)
    at.button(key="message_publish").click().run()
    assert "Enter the web address of the image." in html(at)
    assert "Give the message a name" in html(at)
    assert "Not published" in at.error[0].value
    assert queries.message_names(fanpage) == {}


def test_a_request_without_a_topic_asks_for_one_once(panel, arrange, fanpage) -> None:
    arrange.topic(fanpage)
    at = panel("message", role="editor")
    at.button(key="block_add_otnr").click().run()
    at.button(key="message_publish").click().run()
    assert html(at).count("Choose the topic that this promise belongs to.") == 1
    assert "no longer exists" not in html(at)


def test_a_taken_keyword_names_its_message(panel, arrange, fanpage) -> None:
    saved(arrange, fanpage, "Bảng giá", entry_points=[EntryDraft("keyword", "contains", "giá")])
    message_id = saved(arrange, fanpage, "Khác", entry_points=[])
    at = panel("message", role="editor", id=message_id)
    of(at.text_input, "_exact").input("giá").run()
    at.button(key="message_publish").click().run()
    assert "“giá” already starts “Bảng giá”" in html(at)
    assert queries.get_message(message_id).entry_points == ()


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
    assert "sounds like a reward" in html(at)


def test_the_phone_shows_what_is_written(panel, arrange, fanpage) -> None:
    at = panel("message", id=saved(arrange, fanpage))
    assert "Chào Lan" in html(at)
    at.segmented_control(key="preview_name").select("none").run()
    assert "Chào bạn" in html(at)


def test_each_of_two_wordings_can_be_looked_at_here_and_in_an_earlier_version(
    panel, arrange, fanpage
) -> None:
    both = {"title": "Báo tôi khi hồng về", "title_b": "Nhắn tôi ngày có hồng", "after": ""}
    topic = arrange.topic(fanpage, "Hồng về")
    at = panel("message", id=saved(arrange, fanpage, blocks=[BlockDraft("otnr", both, topic)]))
    assert both["title"] in html(at)
    assert both["title_b"] not in html(at)
    at.segmented_control(key="preview_variant").select("b").run()
    assert both["title_b"] in html(at)
    at.button(key="message_versions").click().run()
    at.segmented_control(key="message_versions_variant").select("b").run()
    assert not at.exception
    assert html(at).count(both["title_b"]) == 2


def test_the_example_fills_an_empty_message(panel, arrange, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="message_example").click().run()
    assert not at.exception
    assert "Notify Me" in html(at)
    assert of(at.toggle, "_start").value is True
    assert "message_example" not in keys(at.button)


def test_changes_can_be_discarded_and_the_discarding_undone(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    assert "message_discard" not in keys(at.button)
    of(at.text_area, "_text").input("Xin chào").run()
    at.button(key="message_discard").click().run()
    assert of(at.text_area, "_text").value == "Chào {{first_name}}"
    assert not get_draft(message_id).has_changes
    assert "message_discard" not in keys(at.button)
    at.button(key="message_undo").click().run()
    assert of(at.text_area, "_text").value == "Xin chào"
    assert text_of(message_id) == "Xin chào"


def test_what_is_written_is_kept_at_once_and_read_in_another_tab(panel, arrange, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_text").click().run()
    of(at.text_area, "_text").input("Xin chào").run()
    (message_id,) = queries.unpublished_names(fanpage)
    assert at.query_params["id"] == str(message_id)
    of(at.text_input, "_name").input("Hoa hồng").run()
    other = panel("message", role="admin", id=message_id)
    assert of(other.text_area, "_text").value == "Xin chào"
    assert of(other.text_input, "_name").value == "Hoa hồng"


def test_a_new_message_that_is_only_looked_at_is_not_kept(panel, arrange, fanpage) -> None:
    topic = arrange.topic(fanpage)
    at = panel("message", role="editor", topic=topic)
    assert of(at.selectbox, "_topic").value == topic
    assert queries.count_messages(fanpage) == 0
    assert of(at.text_input, "_name").value == queries.topic_names(fanpage)[topic]
    of(at.text_input, "_title").input("Báo tôi khi hoa hồng về").run()
    ((message_id, name),) = queries.unpublished_names(fanpage).items()
    assert name == queries.topic_names(fanpage)[topic]
    (block,) = get_draft(message_id).blocks
    assert (block.content["title"], block.topic_id) == ("Báo tôi khi hoa hồng về", topic)


def test_unsaved_words_outlive_a_look_at_another_page(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    of(at.text_area, "_text").input("Xin chào").run()
    at.switch_page("pages/messages/messages.py").run()
    at.query_params["id"] = str(message_id)
    at.switch_page("pages/messages/composer/message.py").run()
    assert of(at.text_area, "_text").value == "Xin chào"


def test_the_bar_says_what_the_bot_sends(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    assert "Published, version 1" in badges(at)
    assert at.button(key="message_publish").disabled
    of(at.text_area, "_text").input("Xin chào").run()
    assert "Unpublished changes" in badges(at)
    assert queries.get_message(message_id).blocks[0].content["text"] == "Chào {{first_name}}"
    at.button(key="message_publish").click().run()
    assert "Published, version 2" in badges(at)
    assert queries.get_message(message_id).blocks[0].content["text"] == "Xin chào"


def test_a_removed_block_and_a_removed_button_come_back(panel, arrange, fanpage) -> None:
    menu = {"text": "Xem gì?", "buttons": [{"title": t, "url": "https://hoa.vn"} for t in ("Giá", "Hoa")]}
    blocks = [BlockDraft("text", {"text": "một"}), BlockDraft("buttons", menu)]
    message_id = saved(arrange, fanpage, blocks=blocks)
    at = panel("message", role="editor", id=message_id)
    next(one for one in at.button if re.fullmatch(r"row_\d+_remove", one.key or "")).click().run()
    next(one for one in at.button if re.fullmatch(r"block_\d+_remove", one.key or "")).click().run()
    assert len(get_draft(message_id).blocks) == 1
    at.button(key="message_undo").click().run()
    at.button(key="message_undo").click().run()
    assert "message_undo" not in keys(at.button)
    assert not get_draft(message_id).has_changes


def test_an_earlier_version_is_written_on_from(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    of(at.text_area, "_text").input("Xin chào").run()
    at.button(key="message_publish").click().run()
    at.button(key="message_versions").click().run()
    at.selectbox(key="message_version").select(1).run()
    at.button(key="message_version_restore").click().run()
    assert text_of(message_id) == "Chào {{first_name}}"
    assert queries.get_message(message_id).blocks[0].content["text"] == "Xin chào"


def test_a_message_that_nothing_starts_says_so_before_it_is_published(panel, arrange, fanpage) -> None:
    at = panel("message", role="editor")
    of(at.text_input, "_name").input("Hoa hồng").run()
    at.button(key="block_add_text").click().run()
    of(at.text_area, "_text").input("Xin chào").run()
    assert "This message has no entry point yet" in html(at)
    at.button(key="message_publish").click().run()
    (message_id,) = queries.unpublished_names(fanpage)
    at.button(key="publish_silent_confirm").click().run()
    assert queries.message_names(fanpage) == {message_id: "Hoa hồng"}


def test_a_message_that_the_menu_leads_to_is_started_by_that(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage, entry_points=[])
    at = panel("message", role="editor", id=message_id)
    assert "This message has no entry point yet" in html(at)
    menu = Profile({DEFAULT: LocaleProfile(menu=(Item("Giá", message_id),))})
    save_profile(COMMAND_LINE, fanpage, menu, seen=0, now=arrange.now)
    assert "This message has no entry point yet" not in html(at.run())
    asked = Profile({DEFAULT: LocaleProfile(ice_breakers=(Item("Giá?", message_id),))})
    save_profile(COMMAND_LINE, fanpage, asked, seen=1, now=arrange.now)
    assert "This message has no entry point yet" not in html(at.run())


def test_a_refused_upload_is_named_and_does_not_stay_in_the_field(panel, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_image").click().run()
    at.file_uploader[0].upload("hoa.png", b"no picture", "image/png").run()
    assert "**hoa\\.png**: Messenger can't show this image" in at.error[0].value
    assert at.file_uploader[0].value is None
    at.file_uploader[0].upload("hoa.jpg", photo(), "image/jpeg").run()
    assert not at.error
    assert not at.file_uploader


def test_a_refused_upload_leaves_the_field_of_another_picture_alone(panel, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_image").click().run()
    at.button(key="block_add_image").click().run()
    before = [field.key for field in at.file_uploader]
    at.file_uploader[0].upload("hoa.png", b"no picture", "image/png").run()
    after = [field.key for field in at.file_uploader]
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def shown_cards(at: AppTest) -> tuple[list[str], int]:
    """The titles of the carousel's cards on the phone, and the place of the one that is in sight."""
    place = re.search(r'data-shown="(\d+)"', html(at))
    assert place
    return re.findall(r"<p><b>(.*?)</b>", html(at)), int(place[1])


def test_the_phone_follows_the_card_that_is_written_moved_copied_or_put_back(panel, fanpage) -> None:
    at = panel("message", role="editor")
    at.button(key="block_add_carousel").click().run()
    for place, title in enumerate(("Hồng", "Cúc")):
        row_of(at, place, "title", at.text_input).input(title).run()
    of(at.button, "_card_add").click().run()
    assert shown_cards(at) == (["Hồng", "Cúc", "…"], 2)
    row_of(at, 1, "copy", at.button).click().run()
    assert shown_cards(at) == (["Hồng", "Cúc", "Cúc", "…"], 2)
    row_of(at, 0, "right", at.button).click().run()
    assert shown_cards(at) == (["Cúc", "Hồng", "Cúc", "…"], 1)
    row_of(at, 2, "gone", at.button).click().run()
    assert shown_cards(at) == (["Cúc", "Hồng", "…"], 2)
    at.button(key="message_undo").click().run()
    assert shown_cards(at) == (["Cúc", "Hồng", "Cúc", "…"], 2)
    assert not at.exception


def row_of(at: AppTest, place: int, part: str, elements: Any) -> Any:
    """The widget of a row (a card, a button) by its place among those alike."""
    return [each for each in elements if re.fullmatch(rf"row_\d+_{part}", each.key or "")][place]


def test_what_is_missing_names_its_card_and_leads_into_it_and_ten_cards_are_all(panel, fanpage) -> None:
    at = panel("message", role="editor")
    of(at.text_input, "_name").input("Hoa").run()
    at.button(key="block_add_carousel").click().run()
    row_of(at, 0, "title", at.text_input).input("Hồng").run()
    row_of(at, 0, "subtitle", at.text_input).input("50.000 đ").run()
    at.button(key="message_publish").click().run()
    assert "Card 2: A card needs a title." in html(at)
    assert "Card 1: " not in html(at)
    assert shown_cards(at)[1] == 1
    leads_to = re.search(r'data-otn-key="(row_\d+_card)"', html(at))
    assert leads_to
    assert leads_to[1].replace("_card", "_title") == row_of(at, 1, "title", at.text_input).key
    for _card in range(8):
        of(at.button, "_card_add").click().run()
    assert any("at most 10" in each.value for each in at.caption)
    assert not any((each.key or "").endswith("_card_add") for each in at.button)


def test_an_uploaded_picture_on_a_card_says_when_messenger_cannot_fetch_it(
    panel, arrange, fanpage, monkeypatch
) -> None:
    picture = add_picture(COMMAND_LINE, fanpage, photo((40, 20)), now=arrange.now)
    card = BlockDraft("card", {"title": "Hoa", "subtitle": "Mới", "image_url": picture})
    message_id = saved(arrange, fanpage, blocks=[card])
    at = panel("message", role="editor", id=message_id)
    assert "load this image: this installation" in html(at)
    monkeypatch.setenv("OTN_PUBLIC_URL", "https://otn.example.com")
    settings.cache_clear()
    assert "load this image: this installation" not in html(at.run())


def test_two_editors_are_told_of_each_other_and_choose(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    began = get_draft(message_id)
    theirs = [BlockDraft("text", {"text": "Của Lan", "fallback": ""})]
    keep_draft(LAN, replace(began, blocks=theirs), began=began, now=utc_now())
    of(at.text_area, "_text").input("Của tôi").run()
    assert "content changed by lan" in at.warning[0].value
    assert "Not saved" in [one.value for one in at.caption]
    assert of(at.text_area, "_text").value == "Của Lan"
    at.button(key="conflict_mine").click().run()
    assert not at.exception
    assert of(at.text_area, "_text").value == text_of(message_id) == "Của tôi"


def test_both_versions_are_shown_with_all_their_words(panel, arrange, fanpage) -> None:
    asks = {"title": "Báo tôi", "title_b": "Nhắn tôi", "after": "Cảm ơn"}
    cards = [{"title": "Hồng", "subtitle": "50k"}, {"title": "Cúc", "subtitle": "20k"}]
    blocks = [
        BlockDraft("otnr", asks, arrange.topic(fanpage, "Hoa mới")),
        BlockDraft("carousel", {"cards": cards}),
        BlockDraft("text", {"text": "Chào", "fallback": ""}),
    ]
    message_id = saved(arrange, fanpage, blocks=blocks)
    at = panel("message", role="editor", id=message_id)
    began = get_draft(message_id)
    theirs = [replace(blocks[0], content={**asks, "title_b": "Nhắn tôi ngay"}), *blocks[1:]]
    keep_draft(LAN, replace(began, blocks=theirs), began=began, now=utc_now())
    of(at.text_area, "_text").input("Của tôi").run()
    said = all_words(at)
    assert "Báo tôi\nCảm ơn\nNhắn tôi\nHoa mới\nHồng\n50k\nCúc\n20k\nCủa tôi" in said
    assert "Báo tôi\nCảm ơn\nNhắn tôi ngay\nHoa mới\nHồng\n50k\nCúc\n20k\nChào" in said


def test_both_versions_say_where_their_buttons_lead(panel, arrange, fanpage) -> None:
    price = saved(arrange, fanpage, name="Bảng giá", entry_points=[])
    buttons = [
        {"title": "Giá", "message_id": price},
        {"title": "Web", "url": "https://hoa.vn/"},
        {"title": "Gọi", "phone": "+84901234567"},
    ]
    content = {"text": "Chào", "fallback": "", "buttons": buttons}
    message_id = saved(arrange, fanpage, blocks=[BlockDraft("buttons", content)])
    at = panel("message", role="editor", id=message_id)
    began = get_draft(message_id)
    theirs = [BlockDraft("buttons", {**content, "text": "Của Lan"})]
    keep_draft(LAN, replace(began, blocks=theirs), began=began, now=utc_now())
    of(at.text_area, "_text").input("Của tôi").run()
    assert "Của tôi\nGiá\nBảng giá\nWeb\nhttps://hoa.vn/\nGọi\n+84901234567" in all_words(at)


def test_what_somebody_else_writes_elsewhere_in_the_message_is_shown(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    began = get_draft(message_id)
    keep_draft(LAN, replace(began, name="Của Lan"), began=began, now=utc_now())
    of(at.text_area, "_text").input("Của tôi").run()
    assert (of(at.text_input, "_name").value, text_of(message_id)) == ("Của Lan", "Của tôi")
    assert "name changed by lan" in at.toast[0].value
    assert any("lan is also writing here" in one.value for one in at.caption)


@pytest.mark.parametrize("name", ["x" * 121, ""])
def test_a_name_over_its_limit_stays_in_its_field_and_in_red(panel, arrange, fanpage, name: str) -> None:
    message_id = saved(arrange, fanpage)
    at = panel("message", role="editor", id=message_id)
    of(at.text_input, "_name").input(name).run()
    assert of(at.text_input, "_name").value == name
    assert ('class="otn-count otn-over"' in html(at)) == bool(name)
    assert "All saved but the name" in [one.value for one in at.caption]
    of(at.text_area, "_text").input("Xin chào").run()
    at.button(key="message_publish").click().run()
    assert get_draft(message_id).published == 1
    assert "Not published" in at.error[0].value


def test_an_archived_message_is_brought_back(panel, arrange, fanpage) -> None:
    message_id = saved(arrange, fanpage)
    archive_message(EDITOR, message_id, now=arrange.now)
    at = panel("message", role="editor", id=message_id)
    at.button(key="message_restore").click().run()
    assert "message_publish" in keys(at.button)
    assert of(at.toggle, "_start").value is True


def test_a_draft_that_was_never_published_is_deleted(panel, arrange, fanpage) -> None:
    at = panel("message", role="editor")
    of(at.text_input, "_name").input("Hoa hồng").run()
    at.button(key="message_delete").click().run()
    at.button(key="delete_message_confirm").click().run()
    assert not at.exception
    assert queries.count_messages(fanpage) == 0


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
    assert "message_publish" not in keys(at.button)


def test_a_viewer_may_look_but_not_change(panel, arrange, fanpage) -> None:
    at = panel("message", role="viewer", id=saved(arrange, fanpage))
    assert "message_publish" not in keys(at.button)
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
