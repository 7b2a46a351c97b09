"""Step 1, only some of them: the filters beside the topic, and whether opt-ins are spared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from babel import Locale

from core.broadcasts.filter_queries import Choices, list_choices
from core.clock import local_to_utc
from core.consent.audience_filters import EVERYBODY, IMPORTED, MOST_DAYS, AudienceFilters
from pages.broadcasts.new import saving
from pages.components.chosen import keep_chosen
from pages.components.opt_in_words import entry_words
from pages.components.texts import _, language, number


def choose_filters(key: str, topic_id: int, zone: str, kept: AudienceFilters) -> AudienceFilters:
    """The switch, and behind it a field for each filter. `key` begins the keys of the fields."""
    saving.fill(f"{key}_some", bool(kept))
    if not st.toggle(
        _("Only some of them"),
        key=f"{key}_some",
        help=_("By when they agreed, entry point, wording, when they last wrote, and more."),
    ):
        return EVERYBODY
    choices = list_choices(topic_id)
    with st.container(key="broadcast_filters", border=True):
        left, right = st.columns(2, gap="large")
        with left:
            chosen = _agreed(key, zone, kept)
            entries = _several(
                key, "entries", _("Came through"), tuple(choices.entries), kept.entries, _entry(choices)
            )
            wordings = _several(
                key,
                "wordings",
                _("Agreed to the wording"),
                tuple(choices.wordings),
                kept.wordings,
                _wording(choices),
            )
        with right:
            wrote = _days(key, "wrote", _("Wrote within the last … days"), kept.wrote_days)
            quiet = _days(key, "quiet", _("Got no broadcast in the last … days"), kept.quiet_days)
            languages = _several(
                key,
                "languages",
                _("Messenger language"),
                tuple(choices.languages),
                kept.languages,
                _language(choices),
            )
            tags = _several(
                key, "tags", _("Has one of these tags"), tuple(choices.tags), kept.tags, _tag(choices)
            )
    return replace(
        chosen,
        entries=entries,
        wordings=wordings,
        wrote_days=wrote,
        quiet_days=quiet,
        languages=languages,
        tags=tags,
    )


def choose_saving(key: str, kept: bool) -> bool:
    """Whether whoever has just written gets an ordinary message and keeps the opt-in."""
    saving.fill(f"{key}_saves", kept)
    return st.checkbox(
        _("Save the opt-ins of customers who just wrote"),
        key=f"{key}_saves",
        help=_(
            "Messenger lets you answer customers who wrote within 24 hours without an opt-in. When "
            "it is their turn, these customers get the same text as an ordinary message and keep "
            "the opt-in for a later broadcast. If their 24 hours have ended by then, the opt-in is "
            "used as usual."
        ),
    )


def _agreed(key: str, zone: str, kept: AudienceFilters) -> AudienceFilters:
    """Whole days of the fanpage's clock."""
    first = _local_day(kept.agreed_from, zone)
    last = _local_day(kept.agreed_before - timedelta(hours=1) if kept.agreed_before else None, zone)
    saving.fill(f"{key}_from", first)
    saving.fill(f"{key}_to", last)
    with st.container(horizontal=True):
        begin = st.date_input(_("Agreed from"), key=f"{key}_from", format=_("YYYY-MM-DD"), width=150)
        end = st.date_input(_("Agreed until"), key=f"{key}_to", format=_("YYYY-MM-DD"), width=150)
    return AudienceFilters(
        agreed_from=_midnight(begin, zone),
        agreed_before=_midnight(end + timedelta(days=1), zone) if isinstance(end, date) else None,
    )


def _several(
    key: str,
    field: str,
    label: str,
    options: tuple[Any, ...],
    kept: tuple[Any, ...],
    words: Callable[[Any], str],
) -> tuple[Any, ...]:
    """What is kept stays to be seen when nobody came that way any more."""
    saving.fill(f"{key}_{field}", list(kept))
    chosen = st.multiselect(
        label,
        [*options, *(each for each in kept if each not in options)],
        key=keep_chosen(f"{key}_{field}"),
        format_func=words,
        placeholder=_("All"),
    )
    return kept if set(chosen) == set(kept) else tuple(chosen)  # another order is no change


def _days(key: str, field: str, label: str, kept: int) -> int:
    saving.fill(f"{key}_{field}", kept)
    return int(st.number_input(label, 0, MOST_DAYS, step=1, key=f"{key}_{field}", help=_("0: no filter")))


def _entry(choices: Choices) -> Callable[[Any], str]:
    def words(entry: tuple[str, str]) -> str:
        named = _("Imported file") if entry == IMPORTED else entry_words(*entry)
        return f"{named} · {number(choices.entries.get(entry, 0))}"

    return words


def _wording(choices: Choices) -> Callable[[Any], str]:
    return lambda promise: f"{promise} · {number(choices.wordings.get(promise, 0))}"


def _language(choices: Choices) -> Callable[[Any], str]:
    def words(code: str) -> str:
        named = Locale.parse(language()).languages.get(code, code) if code else _("Not known")
        return f"{named} · {number(choices.languages.get(code, 0))}"

    return words


def _tag(choices: Choices) -> Callable[[Any], str]:
    return lambda tag_id: choices.tags.get(tag_id, _("Deleted tag"))


def _local_day(moment: datetime | None, zone: str) -> date | None:
    return moment.astimezone(ZoneInfo(zone)).date() if moment else None


def _midnight(day: object, zone: str) -> datetime | None:
    return local_to_utc(datetime.combine(day, time()), zone) if isinstance(day, date) else None
