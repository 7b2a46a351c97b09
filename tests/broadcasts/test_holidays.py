"""Vietnam's holidays are those of the printed calendar, Tết included."""

from __future__ import annotations

from datetime import date

import pytest

from core.broadcasts.holidays import holidays_between


@pytest.mark.parametrize("tet", [date(2026, 2, 17), date(2027, 2, 6), date(2028, 1, 26)])
def test_the_first_day_of_tet_is_known(tet: date) -> None:
    assert holidays_between(tet, tet, "vi") == {tet: "Tết Nguyên Đán"}
    assert holidays_between(tet, tet, "en") == {tet: "Lunar New Year"}


def test_a_year_has_its_fixed_days_and_the_hung_kings() -> None:
    known = holidays_between(date(2026, 1, 1), date(2026, 12, 31), "vi")
    assert {
        date(2026, 1, 1),
        date(2026, 4, 26),
        date(2026, 4, 30),
        date(2026, 5, 1),
        date(2026, 9, 2),
    } <= set(known)
    assert date(2026, 12, 25) not in known


def test_a_span_over_new_year_holds_both_years() -> None:
    known = holidays_between(date(2026, 12, 28), date(2027, 2, 6), "en")
    assert next(iter(known)) == date(2027, 1, 1)
    assert date(2027, 2, 6) in known
