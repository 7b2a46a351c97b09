"""What deserves a second look in a broadcast's words; none of it forbids sending."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.broadcasts.draft_warnings import warn_content, warn_hour, words_of

PROMISES = ["Báo tôi khi có khuyến mãi hoa sinh nhật", "Báo tôi khi hoa Tết về"]


def said(text: str, promises: list[str] = PROMISES, **more: str) -> list[str]:
    return [one.template.split()[0] for one in warn_content({"kind": "text", "text": text, **more}, promises)]


@pytest.mark.parametrize(
    "text",
    [
        "Chào bạn, hoa Tết đã về, mời bạn ghé xem!",
        "KHUYẾN MÃI hoa sinh nhật giảm 20% từ hôm nay",
        "khuyen mai den chu nhat",  # typed without marks
        "",
    ],
)
def test_a_calm_text_about_the_promise_passes(text: str) -> None:
    assert said(text) == []


def test_a_text_about_something_else_is_questioned() -> None:
    assert said("Mời bạn xem bộ sưu tập áo dài") == ["This"]
    assert said("Mời bạn xem bộ sưu tập áo dài", promises=[]) == []
    assert said("Mời bạn xem bộ sưu tập áo dài", promises=["Báo cho tôi khi có"]) == []  # says nothing


def test_prizes_and_money_are_questioned() -> None:
    assert "“{words}”" in said("Hoa Tết về: bạn đã trúng thưởng")
    assert "“{words}”" in said("Hoa tet ve: ban da TRUNG THUONG")
    assert said("Hoa Tết về, trúng ngay dịp nghỉ") == []


@pytest.mark.parametrize("text", ["HOA TẾT ĐÃ VỀ MUA NGAY KẺO HẾT", "Hoa Tết đã về!!!"])
def test_shouting_is_questioned(text: str) -> None:
    assert said(text) == ["Capitals"]


def test_a_name_without_a_stand_in_is_questioned() -> None:
    assert said("Chào {{first_name}}, hoa Tết đã về") == ["Not"]
    assert said("Chào {{first_name}}, hoa Tết đã về", fallback="bạn") == []
    assert said("Chào {{first_name|bạn}}, hoa Tết đã về") == []


def test_a_picture_has_no_words_to_question() -> None:
    assert warn_content({"kind": "image", "url": "https://hoa.vn/a.jpg"}, PROMISES) == []


@pytest.mark.parametrize(("hour", "questioned"), [(6, True), (7, False), (21, False), (22, True), (0, True)])
def test_nights_are_questioned(hour: int, questioned: bool) -> None:
    assert bool(warn_hour(datetime(2026, 11, 22, hour, 59))) is questioned


def test_captions_are_among_the_words_that_a_customer_reads() -> None:
    buttons = [{"title": "Mua giảm 50%", "url": "https://hoa.vn"}]
    card = {"title": "Hoa Tết", "subtitle": "Từ 199k", "buttons": buttons}
    replies = [{"title": "Nhận mã 20%"}]
    assert words_of({"kind": "card", **card, "replies": replies}).splitlines() == [
        "Hoa Tết",
        "Từ 199k",
        "Mua giảm 50%",
        "Nhận mã 20%",
    ]
    assert "Mua giảm 50%" in words_of({"kind": "carousel", "cards": [card, card]})
    assert words_of({"kind": "image", "url": "https://hoa.vn/a.jpg", "replies": replies}) == "Nhận mã 20%"
