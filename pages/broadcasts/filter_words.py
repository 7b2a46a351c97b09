"""The filters of an audience in a few words."""

from __future__ import annotations

from datetime import timedelta

from core.consent.audience_filters import IMPORTED, AudienceFilters
from pages.components.opt_in_words import entry_words
from pages.components.texts import _, n_, when


def filter_words(filters: AudienceFilters, zone: str) -> str:
    """Empty without a filter."""
    first, end = filters.agreed_from, filters.agreed_before
    said = [
        _("agreed from {when}", when=when(first, zone)) if first else "",
        _("agreed until {when}", when=when(end - timedelta(minutes=1), zone)) if end else "",
        _("came through {what}", what=", ".join(map(_entry, filters.entries))) if filters.entries else "",
        _("agreed to {what}", what=", ".join(filters.wordings)) if filters.wordings else "",
        n_("wrote within {n} day", "wrote within {n} days", filters.wrote_days) if filters.wrote_days else "",
        n_("got no broadcast for {n} day", "got no broadcast for {n} days", filters.quiet_days)
        if filters.quiet_days
        else "",
        _("in a chosen language") if filters.languages else "",
        _("with a chosen tag") if filters.tags else "",
    ]
    return "; ".join(each for each in said if each)


def _entry(entry: tuple[str, str]) -> str:
    return _("Imported file") if entry == IMPORTED else entry_words(*entry)
