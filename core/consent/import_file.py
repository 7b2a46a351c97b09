"""Reads opt-ins from a CSV or .xlsx file, without the database.

The columns are psid, token, consented_at and, if there are any, promise and tags; others are named in a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.consent.import_columns import find_columns, unread_columns
from core.consent.import_rows import ROUNDED, Row, read_row, written_id
from core.consent.spreadsheet_rounding import Rounding, judge_column, lost_digits
from core.customers.tag_rules import MOST_OF_A_FILE
from core.errors import N_, Invalid, Problem, problem
from core.spreadsheets.reading import read_table
from core.text.normalise import name_key

_SHOWN = 5  # rows that a note names


@dataclass(frozen=True)
class Rejected:
    row: int
    problem: Problem

    @property
    def reason(self) -> str:
        return self.problem.message


@dataclass
class Sheet:
    """What a file holds: its good rows, each token once, and its bad rows with their reasons."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repeated: int = 0  # rows whose token an earlier row of the file has
    notes: tuple[Problem, ...] = ()  # how ambiguous parts were read, and what looks odd

    @property
    def cleaned(self) -> int:
        """Ids that had quotes or invisible characters around them."""
        return sum(row.cleaned for row in self.rows)


def read_sheet(data: bytes, *, zone: str, now: datetime) -> Sheet:
    """Read a whole file. Raises Invalid when it cannot be read at all; a bad row leaves the others good."""
    table = read_table(data)
    places = find_columns(table.header)
    read: list[Row] = []
    sheet = Sheet()
    ids: dict[str, list[tuple[int, str]]] = {column: [] for column in ROUNDED}
    for number, cells in table.rows(list(places.values())):
        if not isinstance(cells, Problem):
            for column, found in ids.items():
                found.append((number, written_id(cells, places.get(column))))
        made = cells if isinstance(cells, Problem) else read_row(number, cells, places, zone, now)
        if isinstance(made, Problem):
            sheet.rejected.append(Rejected(number, made))
        else:
            read.append(made)
    sheet.notes = (*table.notes, *_unread(unread_columns(table.header, places)), *_rounded(sheet, ids))
    _refuse_many_tags(read)
    firsts: dict[str, Row] = {}
    for row in read:
        firsts.setdefault(row.token, row)
    sheet.rows, sheet.repeated = list(firsts.values()), len(read) - len(firsts)
    sheet.notes += (*_cleaned(sheet.cleaned), *_local(sheet.rows, zone))
    return sheet


def _refuse_many_tags(rows: Sequence[Row]) -> None:
    """Raise Invalid when the column of tags holds something else."""
    count = len({name_key(tag) for row in rows for tag in row.tags})
    if count > MOST_OF_A_FILE:
        text = N_(
            "The column tags has {count} different tags; a file can have at most {limit}. Is it a "
            "different column with that name? Rename it, and it will be skipped."
        )
        raise Invalid([problem("file", text, count=count, limit=MOST_OF_A_FILE)])


def _rounded(sheet: Sheet, ids: dict[str, list[tuple[int, str]]]) -> Iterator[Problem]:
    """A note on ids that may be rounded; raises Invalid when most are. Rows that are rejected for another
    reason count as well: a program that rounds ids often writes dates in an odd way, too."""
    for column, written in ids.items():
        damaged = [bad.row for bad in sheet.rejected if bad.problem.template == ROUNDED[column]]
        suspects = [number for number, text in written if lost_digits(text)]
        found = judge_column((text for _number, text in written), len(damaged))
        named = _named(sorted(damaged + suspects))
        if found.is_certain:
            raise Invalid([_refusal(column, found, named)])
        if suspects:
            yield _suspicion(column, found, _named(suspects))


def _refusal(column: str, found: Rounding, rows: str) -> Problem:
    text = N_(
        "A spreadsheet has rounded the column {column}: it keeps 15 digits of a number, and "
        "{count} of {long} long IDs end in zeros (rows {rows}). Nothing was imported. In the "
        "original program, format the column as text and export again; lost digits can't be "
        "recovered."
    )
    return problem(
        "file", text, column=column, count=found.damaged + found.suspects, long=found.long, rows=rows
    )


def _suspicion(column: str, found: Rounding, rows: str) -> Problem:
    text = N_(
        "Column {column}: {count} of {long} long IDs end in zeros, as if a spreadsheet had rounded "
        "them (rows {rows}). About {by_chance} would by chance. They are kept; compare them with "
        "the source."
    )
    by_chance = round(found.by_chance, 1)
    values = {"column": column, "rows": rows, "count": found.suspects, "long": found.long}
    return problem("file", text, **values, by_chance=int(by_chance) if by_chance.is_integer() else by_chance)


def _named(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:_SHOWN])) + (", …" if len(rows) > _SHOWN else "")


def _unread(names: Sequence[str]) -> Iterator[Problem]:
    if names:
        text = N_("Columns that are not imported: {columns}.")
        yield problem("file", text, columns=", ".join(name[:40] for name in names[:20]))


def _cleaned(count: int) -> Iterator[Problem]:
    if count:
        yield problem("file", N_("IDs cleaned of quotes and invisible characters: {count}."), count=count)


def _local(rows: Sequence[Row], zone: str) -> Iterator[Problem]:
    count = sum(row.is_local for row in rows)
    if count:
        text = N_("Times without a time zone, read in the fanpage's time zone {zone}: {count}.")
        yield problem("file", text, zone=zone, count=count)
