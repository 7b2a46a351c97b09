"""What commands read, print and refuse: text for people, or with --json exactly one JSON document."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core.db import migrations
from core.db.full_disk import is_full
from core.errors import Invalid, OperatorError, problem
from core.settings import describe_refusal
from core.text.text_files import decode

FILE_LIMIT = 200  # MB of a file that is read whole; half a million opt-ins have 50
LINE_LIMIT = 1_000_000  # bytes of standard input
LARGEST_ID = 2**63 - 1  # that a database keeps
Id = Annotated[int, typer.Argument(metavar="ID", max=LARGEST_ID)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Workbook = Annotated[
    Path | None, typer.Option("--xlsx", metavar="FILE", help="Write a workbook for people instead of CSV.")
]
DISK_FULL = "The disk is full, so not everything was stored. Make room, then repeat this."
P = ParamSpec("P")


def print_answer(as_json: bool, data: dict[str, Any], text: str) -> None:
    """Print the text, or the data as JSON."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf8")
    document = json.dumps(data, ensure_ascii=not is_unicode, default=str) if as_json else text
    sys.stdout.write(document + "\n")


def warn(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.write(text + "\n")


def answer_file(
    as_json: bool, csv: Iterable[bytes], xlsx: Path | None, workbook: Callable[[], bytes]
) -> None:
    """Write an export: CSV to standard output (with --json, too), or a workbook to a file."""
    if xlsx is None:
        for piece in csv:
            sys.stdout.buffer.write(piece)
        return
    try:
        xlsx.write_bytes(workbook())
    except OSError as unwritable:
        said, why = "{file} cannot be written: {why}", unwritable.strerror or "error"
        raise Invalid([problem("xlsx", said, file=str(xlsx), why=why)]) from None
    print_answer(as_json, {"file": str(xlsx)}, f"Written: {xlsx}")


def read_file(file: Path) -> bytes:
    """A file that somebody has named. Raises OSError, and Invalid for one that is too long to be meant."""
    with file.open("rb") as opened:
        raw = opened.read(FILE_LIMIT * 1_000_000 + 1)
    if len(raw) > FILE_LIMIT * 1_000_000:
        raise Invalid([problem("file", "{file} is longer than {n} MB.", file=str(file), n=FILE_LIMIT)])
    return raw


def read_line() -> str:
    """The first line of standard input, such as a password or a token, however the file behind it was
    saved. Raises OperatorError when it is no text, or too long."""
    raw = b"" if sys.stdin is None else sys.stdin.buffer.read(LINE_LIMIT + 1)
    if len(raw) > LINE_LIMIT:
        raise OperatorError("More came on standard input than one password or token.")
    return decode(raw, what="What came on standard input").partition("\n")[0]


def refuse(as_json: bool, code: str, message: str) -> typer.Exit:
    """Print why a command is refused, and return the exit with code 1: `raise refuse(…)`."""
    if as_json:
        print_answer(True, {"error": {"code": code, "message": message}}, "")
    else:
        warn(f"Error: {message}")
    return typer.Exit(1)


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that errors become clear refusals, without a traceback."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            function(*args, **kwargs)
        except OperatorError as refused:
            raise refuse(as_json, refused.code, refused.message) from None
        except ValidationError as invalid:
            raise refuse(as_json, "invalid_settings", describe_refusal(invalid)) from None
        except (SQLAlchemyError, sqlite3.Error) as problem:
            raise refuse(as_json, "database", _about_database(problem)) from None

    return wrapped


def database_command(function: Callable[P, None]) -> Callable[P, None]:
    """As `command`, for one that uses the database. One that a newer version has used is refused: it may hold
    what this version would pass over."""

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        migrations.refuse_newer(migrations.current_revision())
        function(*args, **kwargs)

    return command(checked)


def _about_database(problem: Exception) -> str:
    if isinstance(problem, ArgumentError):
        return "OTN_DATABASE_URL is no database URL; write it like sqlite:///data/otn.db"
    said = str(getattr(problem, "orig", problem))
    if is_full(problem):
        return DISK_FULL
    with suppress(SQLAlchemyError, sqlite3.Error):
        try:
            migrations.refuse_newer(migrations.current_revision())
        except OperatorError as newer:
            return newer.message
    if "no such table" in said or "does not exist" in said or "no such column" in said:
        return "The database is not up to date; run: python -m core migrate"
    return f"The database does not answer: {said}"
