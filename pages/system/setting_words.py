"""Settings as the activity log tells of them: by the names that their dialogs give them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from babel.dates import format_date, get_day_names

from core.errors import N_
from pages.components.texts import _, language

NAMES: dict[str, str] = {
    "quiet_from": N_("Quiet from"),
    "quiet_to": N_("Quiet until"),
    "weekdays_off": N_("Days of the week without broadcasts"),
    "days_off": N_("Days off"),
    "needs_second_person": N_("A second person approves"),
    "count_typed_above": N_("Ask to type the number of people from (0: never)"),
    "broadcasts_a_week": N_("Most broadcasts to one customer within 7 days"),
    "ask_cool_down_days": N_("Days until a customer who did not answer is asked again"),
    "asks_a_day": N_("Most requests to one customer within 24 hours"),
    "asks_holders": N_("Also ask customers who still have an opt-in for the topic"),
    "name": N_("Name"),
    "rate": N_("Messages per second"),
    "zone": N_("Time zone"),
    "privacy_address": N_("Privacy policy"),
    "deletion_address": N_("How customers can have their data deleted"),
    "greeting": N_("Greeting"),
    "ice_breakers": N_("Suggested questions"),
    "menu": N_("Menu"),
    "silent_hours": N_("Hours the chatbot stays silent after somebody on your team has answered"),
}


def setting_in_words(name: str, value: object, in_words: Callable[[object], str]) -> str:
    """ "Quiet from: “21:00”"; a setting that has no name here shows itself. `in_words` tells of a value."""
    label = _(NAMES[name]) if name in NAMES else name.replace("_", " ")
    return f"{label}: {_days(name, value) or in_words(value)}"


def only_changed(before: object, after: object) -> tuple[object, object]:
    """Of two settings what differs between them; anything else as it is. None says that nothing is set."""
    old, new = ({} if each is None else each for each in (before, after))
    if not (isinstance(old, dict) and isinstance(new, dict)) or "kind" in {**old, **new}:
        return before, after
    names = [name for name in {**old, **new} if _is_changed(old, new, name)]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}


def _is_changed(old: dict[str, object], new: dict[str, object], name: str) -> bool:
    """Two values are compared as they are: 0 is not None. Beside none at all an empty one is no change."""
    if name in old and name in new:
        return old[name] != new[name]
    return bool(old.get(name) or new.get(name))


def _days(name: str, value: object) -> str:
    """Days of the week by their names, and days as dates are written."""
    if not isinstance(value, list):
        return ""
    if name == "weekdays_off":
        weekdays = get_day_names("abbreviated", locale=language())
        return ", ".join(str(weekdays[day]) for day in value)
    if name == "days_off":
        pattern = _("d MMM yyyy")
        return ", ".join(
            str(format_date(date.fromisoformat(day), pattern, locale=language())) for day in value
        )
    return ""
