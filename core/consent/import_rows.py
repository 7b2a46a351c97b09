"""One row of an imported file: its cells as an opt-in, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from core.clock import local_to_utc
from core.consent.import_columns import WANTED
from core.consent.rules import expires_at
from core.consent.spreadsheet_rounding import is_damaged, is_damaged_number
from core.customers.tag_rules import LONGEST
from core.errors import N_, Problem, problem
from core.spreadsheets.formula_guard import without_apostrophe
from core.spreadsheets.table import Cell, as_text
from core.text.identifiers import read_psid, read_token, unwrapped
from core.text.normalise import name_key, normalise_name
from core.text.utf16_units import units

PROMISE_LIMIT = 200
ROUNDED = {
    "psid": N_("The PSID {id} was rounded by a spreadsheet. Format the column as text and export again."),
    "token": N_("The token was rounded by a spreadsheet. Format the column as text and export again."),
}
_ERROR = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|#+)")


@dataclass(frozen=True, repr=False, slots=True)
class Row:
    """A good row; its token never shows in a repr. `number` is its line in the file, the header being 1."""

    number: int
    psid: str
    token: str
    consented_at: datetime
    promise: str
    tags: tuple[str, ...]  # each once, as they are stored
    cleaned: int  # how many of its ids had quotes or invisible characters around them
    is_local: bool  # its time had no offset and was read in the fanpage's zone


def read_row(
    number: int, cells: list[Cell], places: dict[str, int], zone: str, now: datetime
) -> Row | Problem:
    """A row's cells as an opt-in, or what is wrong with it. `places` are the places of the wanted columns; a
    time without an offset is read in `zone`."""
    psid_cell, token_cell, time_cell, promise_cell, tags_cell = (
        _cell(cells, places.get(name)) for name in WANTED
    )
    psid = _id("psid", psid_cell, read_psid)
    token = psid if isinstance(psid, Problem) else _id("token", token_cell, read_token)
    promise = token if isinstance(token, Problem) else _promise(promise_cell)
    tags = promise if isinstance(promise, Problem) else _tags(tags_cell)
    moment = tags if isinstance(tags, Problem) else _moment(time_cell, zone)
    if isinstance(tags, Problem):
        return tags
    if isinstance(moment, Problem):
        return moment
    consented_at, is_local = moment
    late = _wrong_time(consented_at, now)
    cleaned = (psid != as_text(psid_cell)) + (token != as_text(token_cell))
    return late or Row(number, str(psid), str(token), consented_at, str(promise), tags, cleaned, is_local)


def written_id(cells: list[Cell], place: int | None) -> str:
    """An id as its cell has it, without quotes and invisible characters; "" for a damaged number."""
    cell = _cell(cells, place)
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return ""
    is_whole = isinstance(cell, str) or not is_damaged_number(cell)
    return unwrapped(as_text(cell)) if is_whole else ""


def _cell(cells: list[Cell], place: int | None) -> Cell:
    return cells[place] if place is not None and place < len(cells) else ""


def _id(column: str, cell: Cell, read: Callable[[str], str | Problem]) -> str | Problem:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        said = N_(
            "The column {column} has a date or a true/false value here. Format it as text and export again."
        )
        return problem(column, said, column=column)
    text = as_text(cell)
    if (isinstance(cell, int | float) and is_damaged_number(cell)) or is_damaged(unwrapped(text)):
        return problem(column, ROUNDED[column], **({"id": text[:40]} if column == "psid" else {}))
    if _ERROR.fullmatch(text):
        said = N_("The column {column} has the spreadsheet error {text} here. Fix it and export again.")
        return problem(column, said, column=column, text=text[:8])
    return read(text)


def _promise(cell: Cell) -> str | Problem:
    promise = normalise_name(without_apostrophe(as_text(cell)))
    if units(promise) > PROMISE_LIMIT:
        return problem("promise", N_("The promise is longer than {limit} characters."), limit=PROMISE_LIMIT)
    return promise


def _tags(cell: Cell) -> tuple[str, ...] | Problem:
    """The tags of a cell, which a comma or a semicolon parts."""
    names = [normalise_name(part) for part in re.split("[,;]", without_apostrophe(as_text(cell)))]
    if any(len(name) > LONGEST for name in names):
        return problem("tags", N_("A tag can have at most {limit} characters."), limit=LONGEST)
    return tuple({name_key(name): name for name in names if name}.values())


def _moment(cell: Cell, zone: str) -> tuple[datetime, bool] | Problem:
    """The time of consent in UTC, and whether it had no offset of its own."""
    text = unwrapped(as_text(cell))
    if not text:
        return problem("consented_at", N_("The time of consent is missing."))
    try:
        written = _written(cell, text)
        moment = written.astimezone(UTC) if written.tzinfo else local_to_utc(written, zone)
        expires_at(moment)
    except (ValueError, OverflowError):
        said = N_("“{text}” is not a time. Write it like 2026-03-31T09:30:00+07:00.")
        return problem("consented_at", said, text=text[:40])
    return moment, written.tzinfo is None


def _written(cell: Cell, text: str) -> datetime:
    """The time as the file has it. Raises ValueError for a number that is not formatted as a date: its unit
    is unknown."""
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, str):
        return datetime.fromisoformat(text)
    raise ValueError


def _wrong_time(consented_at: datetime, now: datetime) -> Problem | None:
    if consented_at > now:
        return problem("consented_at", N_("The time of consent is in the future."))
    if expires_at(consented_at) <= now:
        return problem("consented_at", N_("The consent is a year old or older: it can no longer be used."))
    return None
