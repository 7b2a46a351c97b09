"""The columns of an imported file: found by their names, in English or as our own exports write them."""

from __future__ import annotations

from core.errors import N_, Invalid, Problem, problem
from core.text.catalogues import languages, say_in
from core.text.matching import search_key

NEEDED = ("psid", "token", "consented_at")
WANTED = (*NEEDED, "promise", "tags")
_TITLES = {  # of our own exports, which write them in the reader's language
    "psid": N_("PSID"),
    "token": N_("Token"),
    "consented_at": N_("Agreed at"),
    "promise": N_("Promise"),
    "tags": N_("Tags"),
}
_FORMER_TITLES = {"Mã token": "token"}  # of exports made before 0.2


def find_columns(header: list[str]) -> dict[str, int]:
    """The place of each wanted column; raises Invalid when one is missing or named twice."""
    known = _names()
    names = [known.get(_letters(cell)) for cell in header]
    wrong = [_twice(name, names) for name in WANTED if names.count(name) > 1] or _missing(names)
    if wrong:
        raise Invalid(wrong)
    return {name: names.index(name) for name in WANTED if name in names}


def _names() -> dict[str, str]:
    """The column by the letters of what a header cell may say: its name, or its title in any language."""
    titles = {_letters(say_in(code)(title)): name for code in languages() for name, title in _TITLES.items()}
    former = {_letters(title): name for title, name in _FORMER_TITLES.items()}
    return {**former, **titles, **{_letters(name): name for name in WANTED}}


def _letters(cell: str) -> str:
    return search_key(cell).replace(" ", "")


def unread_columns(header: list[str], places: dict[str, int]) -> list[str]:
    """The names of the columns that are not read, as they are written."""
    return [name.strip() for at, name in enumerate(header) if at not in places.values() and name.strip()]


def _twice(name: str, names: list[str | None]) -> Problem:
    text = N_("The first line has the column {column} twice (columns {numbers}). Delete the wrong one.")
    numbers = ", ".join(str(at + 1) for at, each in enumerate(names) if each == name)
    return problem("file", text, column=name, numbers=numbers)


def _missing(names: list[str | None]) -> list[Problem]:
    missing = [name for name in NEEDED if name not in names]
    text = N_("The first line must name the columns psid, token and consented_at. Missing: {columns}.")
    return [problem("file", text, columns=", ".join(missing))] if missing else []
