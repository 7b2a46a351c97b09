"""Opt-ins as CSV text: what an import may hold, what an export says. No database here.

Columns of an import: psid, token, consented_at, and promise if there is one; others are passed over.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from core.clock import parse_iso
from core.consent.rules import expires_at
from core.errors import N_, Invalid, Problem, problem

NEEDED = ("psid", "token", "consented_at")
PSID_LIMIT = 64
TOKEN_LIMIT = 2000
PROMISE_LIMIT = 200
_LINES_OF_ONE_ROW = 20  # a quote that stays open longer was forgotten, not meant
_DELIMITERS = ",;\t"
_ROUNDED = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+|[+-]?\d+[.,]\d+|-\d+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EXCEL_TEXT = re.compile(r'="([^"]*)"')


@dataclass(frozen=True, repr=False)
class Row:
    """A good row; its token never shows in a repr. `number` is its line in the file, the header being 1."""

    number: int
    psid: str
    token: str
    consented_at: datetime
    promise: str


@dataclass(frozen=True)
class Rejected:
    row: int
    problem: Problem

    @property
    def reason(self) -> str:
        return self.problem.message


@dataclass
class Sheet:
    """What a file holds: good rows with each token once, bad rows with their reason."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repeated: int = 0  # rows whose token an earlier row of the file has


def read_sheet(data: bytes, *, zone: str, now: datetime) -> Sheet:
    """Read a whole file. Invalid when it cannot be read at all; a bad row never costs its neighbours."""
    lines = _decode(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    header = next((at for at, line in enumerate(lines) if line.strip()), None)
    if header is None:
        raise Invalid([problem("file", N_("The file is empty."))])
    delimiter = max(_DELIMITERS, key=lines[header].count)
    places = _places(_cells([lines[header]], delimiter) or [])
    sheet, seen = Sheet(), set[str]()
    for number, cells in _records(lines, header + 1, delimiter, places):
        row = _row(number, cells, places, zone, now)
        if isinstance(row, Problem):
            sheet.rejected.append(Rejected(number, row))
        elif row.token in seen:
            sheet.repeated += 1
        else:
            seen.add(row.token)
            sheet.rows.append(row)
    return sheet


def _decode(data: bytes) -> str:
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(
            [problem("file", N_("The file is not UTF-8 text. Save it as “CSV UTF-8” and choose it again."))]
        ) from None


def _places(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise Invalid(
            [
                problem(
                    "file",
                    N_(
                        "The first line must name the columns psid, token and consented_at. "
                        "Missing: {columns}."
                    ),
                    columns=", ".join(missing),
                )
            ]
        )
    return {name: names.index(name) for name in (*NEEDED, "promise") if name in names}


def _records(
    lines: list[str], start: int, delimiter: str, places: dict[str, int]
) -> Iterator[tuple[int, list[str] | None]]:
    """Each row's line number and cells. A quoted cell may span lines, but none of ours does: a forgotten
    quote therefore costs its own line (None) and not the lines after it."""
    at = start
    while at < len(lines):
        end = _end_of_row(lines, at)
        cells = _cells(lines[at:end], delimiter)
        if end > at + 1 and (cells is None or any("\n" in _cell(cells, place) for place in places.values())):
            cells, end = None, at + 1
        if cells is None or any(cell.strip() for cell in cells):
            yield at + 1, cells
        at = end


def _end_of_row(lines: list[str], start: int) -> int:
    is_open = False
    for end in range(start, min(len(lines), start + _LINES_OF_ONE_ROW)):
        is_open ^= lines[end].count('"') % 2 == 1
        if not is_open:
            return end + 1
    return start + 1


def _cells(lines: list[str], delimiter: str) -> list[str] | None:
    text = [line + "\n" for line in lines[:-1]] + lines[-1:]
    try:
        return next(csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True), [])
    except csv.Error:
        return None


def _cell(cells: list[str], place: int | None) -> str:
    """A cell as text: without the spaces and the ="…" by which spreadsheets keep long numbers whole."""
    text = cells[place].strip() if place is not None and place < len(cells) else ""
    wrapped = _EXCEL_TEXT.fullmatch(text)
    return wrapped[1].strip() if wrapped else text


def _row(
    number: int, cells: list[str] | None, places: dict[str, int], zone: str, now: datetime
) -> Row | Problem:
    if cells is None:
        return problem("row", N_("A quotation mark is missing or out of place in this row."))
    psid, token, consented, promise = (_cell(cells, places.get(name)) for name in (*NEEDED, "promise"))
    wrong = _check_id(psid) or _check_token(token) or _check_promise(promise)
    when = wrong or _moment(consented, zone, now)
    return when if isinstance(when, Problem) else Row(number, psid, token, when, promise)


def _check_id(psid: str) -> Problem | None:
    if not psid:
        return problem("psid", N_("The PSID is missing."))
    if _ROUNDED.fullmatch(psid):
        return problem(
            "psid",
            N_("The PSID {psid} was rounded by a spreadsheet. Make that column text and export it again."),
            psid=psid[:40],
        )
    if len(psid) > PSID_LIMIT:
        return problem("psid", N_("The PSID is longer than {limit} characters."), limit=PSID_LIMIT)
    if _CONTROL.search(psid) or " " in psid:
        return problem("psid", N_("The PSID has spaces or other unreadable characters in it."))
    return None


def _check_token(token: str) -> Problem | None:
    if not token:
        return problem("token", N_("The token is missing."))
    if len(token) > TOKEN_LIMIT:
        return problem("token", N_("The token is longer than {limit} characters."), limit=TOKEN_LIMIT)
    if _CONTROL.search(token) or " " in token:
        return problem("token", N_("The token has spaces or other unreadable characters in it."))
    return None


def _check_promise(promise: str) -> Problem | None:
    if len(promise) > PROMISE_LIMIT:
        return problem("promise", N_("The promise is longer than {limit} characters."), limit=PROMISE_LIMIT)
    if _CONTROL.search(promise):
        return problem("promise", N_("The promise has unreadable characters in it."))
    return None


def _moment(text: str, zone: str, now: datetime) -> datetime | Problem:
    if not text:
        return problem("consented_at", N_("The time of consent is missing."))
    try:
        moment = parse_iso(text, zone)
        ends = expires_at(moment)
    except (ValueError, OverflowError):
        return problem(
            "consented_at",
            N_("“{text}” is not a time. Write it like 2026-03-31T09:30:00+07:00."),
            text=text[:40],
        )
    if moment > now:
        return problem("consented_at", N_("The time of consent lies in the future."))
    if ends <= now:
        return problem("consented_at", N_("The consent is a year old or older: it can no longer be used."))
    return moment


def lines_of(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """CSV lines, made one at a time, that no spreadsheet takes for formulas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    yield buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([_harmless(cell) for cell in row])
        yield buffer.getvalue()


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
