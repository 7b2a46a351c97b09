"""What the panel says: sentences in the reader's language, numbers, times and states as words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent

from core.clock import utc_now
from core.errors import CHANGES, N_, Change, Changed, Invalid, OperatorError
from core.settings import settings
from core.text.catalogues import languages, say_in, translations
from core.text.written_times import TIME, write_time
from pages.components.markdown import escape_markdown
from pages.components.states import STATES, Look

# Patterns of CLDR, in a catalogue like sentences: each language writes times its own way.
_SHORT_TIME, _SHORT_DAY = N_("d MMM, HH:mm"), N_("d MMM yyyy")
_TIME_TO_THE_SECOND = N_("d MMM yyyy, HH:mm:ss")


def language() -> str:
    """The reader's language: what they chose, else the installation's."""
    chosen = st.session_state.get("language")
    return chosen if chosen in languages() else settings().language


def _(template: str, **values: object) -> str:
    """The sentence in the reader's language, then filled in when values are given."""
    translated = say_in(language())(template)
    return translated.format(**values) if values else translated


def speaker() -> Callable[[str], str]:
    """Puts sentences into the language of now, also later and in a thread that has no session."""
    return say_in(language())


def n_(singular: str, plural: str, n: int, **values: object) -> str:
    """As `_`, by the reader's language's rule for that number; `{n}` is the number, written its way."""
    translated = translations(language()).ngettext(singular, plural, n)
    return translated.format(**{"n": number(n), **values})


def error_text(error: OperatorError) -> str:
    """A refusal in the reader's language, as Markdown; several complaints become several lines. What people
    typed stands in it as it is."""
    if isinstance(error, Invalid):
        return "  \n".join(_(p.template, **_as_written(dict(p.values))) for p in error.problems)
    if isinstance(error, Changed):
        return _(error.template, changes=changes_text(error.changes))
    values = _as_written(error.values)
    for name, kind in (("state", "broadcast"), ("role", "role")):
        if values.get(name) in STATES[kind]:
            values[name] = state_label(kind, str(values[name]))[0].lower()
    return _(error.template, **values)


def _as_written(values: Mapping[str, object]) -> dict[str, object]:
    return {name: escape_markdown(v) if isinstance(v, str) else v for name, v in values.items()}


def who(actor: str) -> str:
    """The machine and the command line are named in the reader's language."""
    return {"system": _("The system"), "command line": _("Command line")}.get(actor, actor)


def changes_text(changes: Iterable[Change]) -> str:
    """Who changed which field of a broadcast, and when, as Markdown."""
    return "; ".join(
        _(CHANGES[each.field], by=escape_markdown(who(each.by)), at=when(each.at)) for each in changes
    )


def number(n: float) -> str:
    """A number the reader's way: 1,204 or 1.204."""
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
    pattern = _TIME_TO_THE_SECOND if to_the_second else TIME
    return write_time(local, language(), pattern)


def short_when(at: datetime) -> str:
    """A time as a table shows it, "29/11 16:07"; of another year the day, "29/11/2025"."""
    zone = ZoneInfo(st.session_state.get("zone") or settings().timezone)
    local = at.astimezone(zone)
    pattern = _SHORT_TIME if local.year == utc_now().astimezone(zone).year else _SHORT_DAY
    return write_time(local, language(), pattern)


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
