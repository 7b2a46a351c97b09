"""What stands in a broadcast's words and in no promise of its customers."""

from __future__ import annotations

import pytest

from core.broadcasts.unpromised_details import find_details, find_unpromised


def details(text: str) -> list[str]:
    return [text[one.start : one.end] for one in find_details(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Giảm 20% còn 250.000đ đến 20/11 tại hoa.vn/tet.", ["20%", "250.000đ", "20/11", "hoa.vn/tet"]),
        ("Chỉ 50k, 1tr5, 2 triệu và 1,5 tỷ", ["50k", "1tr5", "2 triệu", "1,5 tỷ"]),
        ("Was $1,250 now €9.50 or 10 USD", ["$1,250", "€9.50", "10 USD"]),
        ("On 5 December, Dec 24th, 01-02-2027, 9.9", ["5 December", "Dec 24th", "01-02-2027", "9.9"]),
        ("ngày 3 tháng 4 năm 2027, www.hoa.vn!", ["3 tháng 4 năm 2027", "www.hoa.vn"]),
        ("(https://hoa.vn/a?b=1&c=2)", ["https://hoa.vn/a?b=1&c=2"]),
        ("size 38, lúc 9h30, 4.5 sao, lớp 2-4-6, iPhone 17, 45/60 chỗ, a@hoa.vn", []),
        ("1" * 400 + "đ " + "9" * 400 + "%", ["1" * 400 + "đ", "9" * 400 + "%"]),
    ],
)
def test_details_are_found(text: str, found: list[str]) -> None:
    assert details(text) == found


@pytest.mark.parametrize(
    ("text", "promise"),
    [
        ("50k", "50.000đ"),
        ("1tr5", "1.500.000 VND"),
        ("$10", "10 USD"),
        ("20 tháng 11", "20/11/2027"),
        ("Nov 20", "20/11"),
        ("20 %", "20 phần trăm"),
        ("https://www.Hoa.vn/", "hoa.vn"),
    ],
)
def test_a_detail_is_promised_however_it_is_written(text: str, promise: str) -> None:
    assert find_details(text)
    assert find_unpromised(text, ["Báo tôi khi có hàng", f"Báo tôi khi giảm còn {promise} nhé"]) == []


def test_what_no_promise_holds_is_unpromised() -> None:
    text = "Hoa Tết giảm 30% từ 20/1/2027"
    promises = ["Báo tôi khi hoa Tết giảm 20%", "Báo tôi khi 20/1/2028"]
    assert [text[one.start : one.end] for one in find_unpromised(text, promises)] == ["30%", "20/1/2027"]
