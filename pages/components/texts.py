"""What the panel says: sentences in the reader's language, numbers, times and states as words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_datetime, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from core.clock import utc_now
from core.errors import CHANGES, Change, Changed, Invalid, OperatorError
from core.settings import settings
from pages.components.states import STATES, Look

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
LOCALES = Path(__file__).resolve().parents[1] / "locales"
_PATTERNS = {"vi": "HH:mm, dd/MM/yyyy", "en": "d MMM yyyy, HH:mm"}
_TO_THE_SECOND = {"vi": "HH:mm:ss, dd/MM/yyyy", "en": "d MMM yyyy, HH:mm:ss"}


def language() -> str:
    """The reader's language: what they chose, else the installation's."""
    chosen = st.session_state.get("language")
    return chosen if chosen in LANGUAGES else settings().language


@lru_cache
def _catalogue(code: str) -> dict[str, str]:
    """Every translated sentence of a language, all PO files merged. Read once per process."""
    found: dict[str, str] = {}
    for file in sorted((LOCALES / code).glob("*.po")):
        for entry in read_po(file.open("rb")):
            if not entry.id or entry.fuzzy:
                continue
            many = isinstance(entry.id, tuple | list)
            source = str(entry.id[0] if many else entry.id)
            translated = entry.string[-1] if isinstance(entry.string, tuple | list) else entry.string
            if translated:
                found[source] = translated
    return found


def _(template: str, **values: object) -> str:
    """The sentence in the reader's language, then filled in when values are given."""
    translated = _catalogue(language()).get(template, template)
    return translated.format(**values) if values else translated


def speaker() -> Callable[[str], str]:
    """Puts sentences into the language of now, also later and in a thread that has no session."""
    catalogue = _catalogue(language())
    return lambda template: catalogue.get(template, template)


def n_(singular: str, plural: str, n: int, **values: object) -> str:
    """As `_`, choosing by number; `{n}` is the number, written the reader's way."""
    template = singular if n == 1 or language() != "en" else plural
    translated = _catalogue(language()).get(singular, template) if language() != "en" else template
    return translated.format(**{"n": number(n), **values})


def error_text(error: OperatorError) -> str:
    """A refusal in the reader's language; several complaints become several lines."""
    if isinstance(error, Invalid):
        return "  \n".join(_(p.template, **dict(p.values)) for p in error.problems)
    if isinstance(error, Changed):
        return _(error.template, changes=changes_text(error.changes))
    values = dict(error.values)
    for name, kind in (("state", "broadcast"), ("role", "role")):
        if values.get(name) in STATES[kind]:
            values[name] = state_label(kind, str(values[name]))[0].lower()
    return _(error.template, **values)


def who(actor: str) -> str:
    """The machine and the command line are named in the reader's language."""
    return {"system": _("The system"), "command line": _("Command line")}.get(actor, actor)


def changes_text(changes: Iterable[Change]) -> str:
    """Who changed which field of a broadcast, and when."""
    return "; ".join(_(CHANGES[each.field], by=who(each.by), at=when(each.at)) for each in changes)


def number(n: float) -> str:
    return str(format_decimal(n, locale=language()))


def percent(share: float) -> str:
    """A share between 0 and 1 as per cent, with one decimal below ten per cent."""
    pattern = "#,##0.#%" if 0 < abs(share) < 0.1 else "#,##0%"
    return str(format_percent(share, format=pattern, locale=language()))


def when(at: datetime | None, zone: str | None = None, *, to_the_second: bool = False) -> str:
    """An absolute time in the fanpage's zone (or `zone`); a dash when there is none."""
    if at is None:
        return "–"
    local = at.astimezone(ZoneInfo(zone or st.session_state.get("zone") or settings().timezone))
    patterns = _TO_THE_SECOND if to_the_second else _PATTERNS
    return str(format_datetime(local, patterns[language()], locale=language()))


def ago(at: datetime | None) -> str:
    """How long ago, or in how long; beyond a month the time itself. A dash when there is none."""
    if at is None:
        return "–"
    distance = at - utc_now()
    if abs(distance) < timedelta(seconds=10):
        return _("just now")
    if abs(distance) > timedelta(days=30):
        return when(at)
    return str(format_timedelta(distance, add_direction=True, locale=language()))


def duration(seconds: float) -> str:
    """A length of time in its largest unit: "12 phút", "3 giờ"."""
    return str(format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale=language()))


def state_label(kind: str, state: str) -> Look:
    """A state as (word, Material icon name, colour); an unknown state shows itself."""
    word, icon, colour = STATES.get(kind, {}).get(str(state), (str(state), "help", "gray"))
    return _(word), icon, colour
