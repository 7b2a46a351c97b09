"""Moments as people read them, in the way of a language: its catalogue has the pattern (CLDR)."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_datetime

from core.errors import N_
from core.text.catalogues import say_in

TIME = N_("d MMM yyyy, HH:mm")


def write_time(local: datetime, language: str, pattern: str = TIME) -> str:
    """A time that is in its zone already, such as "1 Dec 2026, 09:30" or "01/12/2026 09:30"."""
    return str(format_datetime(local, say_in(language)(pattern), locale=language))
