"""The phone preview: what the customer would see, and never markup of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.registry import KINDS, kind_of
from core.conversation.preview import bubbles_of, bubbles_of_wire
from core.conversation.rules import render
from pages.components.phone import phone_html
from pages.components.phone_shapes import FOLDED_AFTER


def seen(*bubbles: Bubble, **more: object) -> str:
    return phone_html(bubbles, **{"language": "vi", **more}).split("</style>")[1]


def test_a_text_shows_the_name_or_what_stands_in_for_it() -> None:
    content = {"text": "Chào {{first_name}}!", "fallback": "bạn"}
    assert bubbles_of("text", content, first_name="Mai")[0].text == "Chào Mai!"
    assert bubbles_of("text", content, first_name=None)[0].text == "Chào bạn!"


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_block_that_is_still_empty_can_be_seen(kind: str) -> None:
    assert "otn-bubble" in seen(*bubbles_of(kind, kind_of(kind).blank))


@pytest.mark.parametrize(
    ("language", "button"), [("vi", "Thông báo cho tôi"), ("en", "Notify Me"), ("fr", "Notify Me")]
)
def test_the_fixed_button_speaks_the_customers_language(language: str, button: str) -> None:
    assert button in seen(*bubbles_of("otnr", {"title": "Báo tôi khi mở bán"}), language=language)


def test_the_thanks_follow_the_tap() -> None:
    content = {"title": "Báo tôi", "after": "Cảm ơn {{first_name|bạn}}"}
    assert [bubble.text for bubble in bubbles_of("otnr", content)] == ["Báo tôi"]
    asked, thanks = bubbles_of("otnr", content, tapped=True)
    assert (asked.tapped, thanks.text) == (True, "Cảm ơn Lan")
    assert "otn-tapped" in seen(asked)


def test_quick_replies_show_only_while_nothing_follows() -> None:
    quick = bubbles_of("quick_replies", {"text": "Size?", "replies": [{"title": "Size S"}]})
    assert "Size S" in seen(*quick)
    assert "Size S" not in seen(*quick, Bubble(Shape.TEXT, "Chào"))


def test_a_long_text_is_cut_off_and_nothing_of_it_lost() -> None:
    text = "x" * FOLDED_AFTER + "PHẦN CÒN LẠI"
    html = seen(Bubble(Shape.TEXT, text))
    assert "Xem thêm" in html
    assert "PHẦN CÒN LẠI" in html


@given(st.text(alphabet="<>&\"'ab /=", max_size=30), st.sampled_from(list(KINDS)))
def test_what_is_typed_never_becomes_markup(typed: str, kind: str) -> None:
    content = {"text": typed, "title": typed, "url": typed, "buttons": [{"title": typed}]}
    plain = seen(*bubbles_of(kind, {"text": "ab", "title": "ab", "url": "ab", "buttons": [{"title": "ab"}]}))
    html = seen(*bubbles_of(kind, content), page_name=typed)
    assert html.count("<script") == 0
    assert html.count("<") == plain.count("<")


def test_only_web_addresses_become_pictures() -> None:
    assert "<img" in seen(Bubble(Shape.PICTURE, "https://hoa.vn/a.jpg"))
    assert "<img" not in seen(Bubble(Shape.PICTURE, "javascript:alert(1)"))
    assert '" onerror' not in seen(Bubble(Shape.PICTURE, 'https://x" onerror="alert(1)'))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text", {"text": "Chào"}),
        ("image", {"url": "https://hoa.vn/a.jpg"}),
        ("buttons", {"text": "Xem", "buttons": [{"title": "Giá", "url": "https://hoa.vn"}]}),
        ("quick_replies", {"text": "Size?", "replies": [{"title": "S", "message_id": 1}]}),
        ("otnr", {"title": "Báo tôi khi mở bán"}),
    ],
)
def test_a_sent_block_looks_as_it_did_while_it_was_written(kind: str, content: dict[str, object]) -> None:
    assert bubbles_of_wire(render(kind, content)) == bubbles_of(kind, content)


def test_the_fanpages_picture_is_named_once_and_takes_the_place_of_its_letter() -> None:
    bubbles = [Bubble(Shape.TEXT, "Chào"), Bubble(Shape.TEXT, "bạn", mine=True), Bubble(Shape.TEXT, "nhé")]
    drawn = seen(*bubbles, page_name="Hoa", picture="data:image/png;base64,AAAA")
    assert drawn.count("data:image/png;base64,AAAA") == 1
    assert ">H</span>" not in drawn
    assert ">H</span>" in seen(*bubbles, page_name="Hoa")
