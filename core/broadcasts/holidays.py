"""Vietnam's public holidays, Tết by the lunar calendar and the days the government gives in lieu."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

_LANGUAGES = {"vi": "vi", "th": "th"}  # the library's; English is its name for every other


def holidays_between(first: date, last: date, language: str) -> dict[date, str]:
    """The holidays from the first to the last of these days, by their names."""
    known: dict[date, str] = {}
    for year in range(first.year, last.year + 1):
        known |= _of_year(year, _LANGUAGES.get(language, "en_US"))
    return {day: name for day, name in known.items() if first <= day <= last}


@lru_cache
def _of_year(year: int, language: str) -> dict[date, str]:
    return dict(holidays.country_holidays("VN", years=year, language=language).items())
