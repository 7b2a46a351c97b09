"""The records of docs/decisions have one form, no holes in their numbers, and a true index."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs/decisions"
RECORDS = {path.name[:4]: path for path in sorted(FOLDER.glob("[0-9]*.md"))}
HEAD = re.compile(
    r"# (?P<number>\d{4})\. (?P<title>.+)\n\n"
    r"- Date: (?P<date>\d{4}-\d{2}-\d{2})\n"
    r"- Status: (?P<status>accepted(?:, superseded in part by .+)?|superseded by .+)\n"
    r"(?:- Supersedes: (?P<supersedes>.+)\n)?"
    r"\n\*\*Context\.\*\* "
)
LINK = re.compile(r"\[(\d{4})\]\((\d{4}-[a-z0-9-]+\.md)\)")


def head(number: str) -> re.Match[str]:
    found = HEAD.match(RECORDS[number].read_text("utf-8"))
    assert found, f"{RECORDS[number].name} does not begin as docs/decisions/README.md says"
    return found


def named(text: str | None) -> set[str]:
    """The records that a line links to."""
    return {number for number, _file in LINK.findall(text or "")}


def test_the_numbers_have_no_holes() -> None:
    assert list(RECORDS) == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]
    assert len(RECORDS) == len(list(FOLDER.glob("[0-9]*.md"))), "two records have the same number"


@pytest.mark.parametrize("number", RECORDS)
def test_a_record_has_the_form_of_the_others(number: str) -> None:
    assert head(number)["number"] == number
    assert date.fromisoformat(head(number)["date"]) >= date(2026, 11, 22)
    assert "**Decision.**" in RECORDS[number].read_text("utf-8")


@pytest.mark.parametrize("number", RECORDS)
def test_both_records_say_that_one_supersedes_the_other(number: str) -> None:
    by = named(head(number)["status"])
    assert {other for other in RECORDS if number in named(head(other)["supersedes"])} == by
    assert all(other > number for other in by)


@pytest.mark.parametrize("path", [*RECORDS.values(), FOLDER / "README.md"], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8")):
        assert (FOLDER / link).exists(), link
    assert all(file.startswith(number) for number, file in LINK.findall(path.read_text("utf-8")))


@pytest.mark.parametrize("number", [n for n in RECORDS if "superseded by" not in head(n)["status"][:13]])
def test_the_files_that_a_record_in_force_names_exist(number: str) -> None:
    text = RECORDS[number].read_text("utf-8")
    for path in re.findall(r"`((?:core|pages|webhook_server|tests|docs)/[\w./-]+)`", text):
        assert (FOLDER.parents[1] / path).exists(), path


def test_the_index_lists_every_record_with_its_status() -> None:
    rows = re.findall(
        r"^\| \[(\d{4})\]\((.+?)\) \| (.+) \| (.+) \|$", (FOLDER / "README.md").read_text("utf-8"), re.M
    )
    told = {number: (file, title, status) for number, file, title, status in rows}
    assert told == {
        number: (path.name, head(number)["title"], _short(number)) for number, path in RECORDS.items()
    }
    assert len(rows) == len(told)


def _short(number: str) -> str:
    """The status without the words in brackets after a link."""
    return re.sub(r"(\]\([^)]*\)) \([^)]*\)", r"\1", head(number)["status"])
