"""The column "tags" of an imported file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.accounts.rules import Actor, Role
from core.consent.imports import import_opt_ins
from core.consent.opt_in_export import csv_opt_ins
from core.customers import tag_actions
from core.customers.tag_rules import MOST_OF_A_FILE
from core.customers.tags import list_tags
from core.errors import Invalid
from tests.arrange import Arrange

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EDITOR = Actor(None, "editor.one", Role.EDITOR)
AT = "2026-11-01T09:30:00+07:00"


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    return arrange.fanpage()


@pytest.fixture
def topic(arrange: Arrange, fanpage: int) -> int:
    return arrange.topic(fanpage)


def brought(fanpage: int, topic: int, *rows: str, header: str = "tags"):
    data = "\n".join([f"psid,token,consented_at,{header}", *rows]).encode()
    return import_opt_ins(EDITOR, fanpage, topic_id=topic, data=data, now=NOW)


def tags(fanpage: int) -> dict[str, int]:
    return {tag.name: tag.customers for tag in list_tags(fanpage)}


def test_customers_get_the_tags_of_their_rows_beside_those_they_have(arrange, fanpage, topic) -> None:
    known = arrange.customer(fanpage, psid="24000001")
    tag_actions.add_tag(EDITOR, known, "VIP", now=NOW)
    rows = f'24000001,tok-1,{AT},"Sỉ, vip"', f"24000002,tok-2,{AT},VIP;Quận 7;", f"24000003,tok-3,{AT},"
    outcome = brought(fanpage, topic, *rows)
    assert (outcome.imported, outcome.rejected, outcome.notes) == (3, (), ())
    assert tags(fanpage) == {"Quận 7": 1, "Sỉ": 1, "VIP": 2}


@pytest.mark.parametrize("header", ["Tags", "Nhãn", "TAGS"])
def test_the_column_is_known_by_its_titles(fanpage, topic, header) -> None:
    brought(fanpage, topic, f"24000001,tok-1,{AT},VIP", header=header)
    assert tags(fanpage) == {"VIP": 1}


def test_a_row_that_is_known_changes_nothing(fanpage, topic) -> None:
    brought(fanpage, topic, f"24000001,tok-1,{AT},VIP")
    assert brought(fanpage, topic, f"24000001,tok-1,{AT},Sỉ").duplicates == 1
    assert tags(fanpage) == {"VIP": 1}


def test_a_tag_that_is_too_long_rejects_its_row_alone(fanpage, topic) -> None:
    outcome = brought(fanpage, topic, f"24000001,tok-1,{AT},{'x' * 41}", f"24000002,tok-2,{AT},VIP")
    assert [(bad.row, bad.reason) for bad in outcome.rejected] == [
        (2, "A tag can have at most 40 characters.")
    ]
    assert tags(fanpage) == {"VIP": 1}


def test_a_column_of_something_else_is_refused_before_anything_is_imported(fanpage, topic) -> None:
    rows = [f"2400{n:04},tok-{n},{AT},tag {n}" for n in range(MOST_OF_A_FILE + 1)]
    with pytest.raises(Invalid, match="a different column"):
        brought(fanpage, topic, *rows)
    assert tags(fanpage) == {}


def test_the_export_has_tags_that_an_import_reads_again(fanpage, topic) -> None:
    brought(fanpage, topic, f"24000001,tok-1,{AT},VIP;Sỉ")
    first, row = b"".join(csv_opt_ins(fanpage, now=NOW)).decode("utf-8-sig").splitlines()
    assert (first.split(",")[-1], row.split(",")[-1]) == ("tags", "Sỉ; VIP")
