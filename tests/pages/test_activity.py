"""The activity page: filters are in the URL, the list is read page by page."""

import ast
import re
from pathlib import Path

import pytest

from core.accounts import activity_log
from core.accounts.rules import Actor, Role
from core.broadcasts.launch_rules import LaunchRules
from core.db.engine import transaction
from pages.system.activity_words import DEEDS, NOUNS
from pages.system.setting_words import only_changed
from tests.pages.conftest import APP, an_operator, opened

LAN = Actor(None, "lan", Role.EDITOR)


@pytest.fixture
def log(fresh_database, now):
    with transaction() as db:
        activity_log.record(db, LAN, "topic.create", now=now, subject="Giày <b>mới</b>")
        for number in range(120):
            activity_log.record(db, LAN, "broadcast.create", now=now, subject=f"Sale {number}")


def shown(at) -> str:
    """What the page writes as HTML, without the frame around it, which has styles and scripts."""
    bodies = [html.proto.body for html in at.get("html")]
    return "".join(body for body in bodies if "</style>" not in body and "</script>" not in body)


def test_the_newest_deeds_come_first_and_fifty_at_a_time(panel, log):
    at = panel("activity", role="viewer")
    assert "Sale 119" in shown(at)
    assert "Sale 60" not in shown(at)
    assert "1–50 of 121" in [caption.value for caption in at.caption]


def test_a_deep_link_opens_the_page_of_the_list(panel, log):
    assert "topic" in shown(panel("activity", activity_page=3))


def test_what_people_typed_is_text_not_markup(panel, log):
    assert "Giày &lt;b&gt;mới&lt;/b&gt;" in shown(panel("activity", about="topic"))


def test_filters_come_from_the_url_and_go_there(panel, log):
    at = panel("activity", about="topic")
    assert "Sale" not in shown(at)
    at.pills(key="about_pill").set_value("Broadcasts").run()
    assert at.query_params["about"] == "broadcast"
    assert "Sale 119" in shown(at)


def test_a_search_comes_from_the_url(panel, log):
    assert "Sale" not in shown(panel("activity", activity_search="giày"))


def test_nothing_found_says_so(panel, log):
    at = panel("activity", activity_search="no such thing")
    assert "Nothing matches. Try fewer filters." in [text.value for text in at.markdown]


def verbs_in(file: Path) -> set[str]:
    """String constants of a file that look like a verb about one of our nouns."""
    shape = re.compile(rf"({'|'.join(NOUNS)})\.[a-z_]+")
    constants = (
        node.value for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Constant)
    )
    return {value for value in constants if isinstance(value, str) and shape.fullmatch(value)}


@pytest.mark.parametrize(
    "feature",
    [
        "accounts",
        "broadcasts",
        "consent",
        "conversation",
        "customers",
        "fanpages",
        "forgetting",
        "inbox",
        "installation",
        "moving",
        "sending",
    ],
)
def test_every_deed_that_is_written_down_has_its_sentence(feature):
    files = (APP.parent / "core" / feature).rglob("*.py")  # capabilities.py names modules of `installation`
    written = set().union(*(verbs_in(file) for file in files if file.name != "capabilities.py"))
    assert written
    assert written - set(DEEDS) == set()


def test_every_deed_belongs_to_a_filter():
    assert {verb.split(".")[0] for verb in DEEDS} == set(NOUNS)


def test_a_stranger_cannot_read_the_log(log):
    assert "Sale" not in shown(opened(None, page="activity"))


def test_changed_settings_are_told_by_the_names_of_their_dialogs_and_only_those(panel, arrange, now):
    """None was set before: what is still not set now is not told."""
    arrange.fanpage()
    rules = LaunchRules(weekdays_off=(0, 6), days_off=("2027-02-06",), needs_second_person=True)
    with transaction() as db:
        told = {"before": None, "after": rules.as_text()}
        activity_log.record(db, LAN, "fanpage.set_launch_rules", now=now, subject="Hoa", **told)
    html = shown(panel("activity"))
    assert "now: Days of the week without broadcasts: Mon, Sun; Days off: 6 Feb 2027; A second" in html
    assert "approves: yes" in html
    assert "Quiet" not in html
    vietnamese = shown(opened(an_operator(arrange, "admin", "mai", language="vi"), page="activity"))
    assert "nay là: Ngày trong tuần không gửi tin nhắn hàng loạt: Th 2, CN" in vietnamese


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"asks_a_day": None}, {"asks_a_day": 0}, True),  # not said, and no such limit
        ({"asks_holders": None}, {"asks_holders": False}, True),
        ({"quiet_from": "", "asks_a_day": 2}, {"quiet_from": "", "asks_a_day": 2}, False),
        ({"asks_a_day": 2}, {"asks_a_day": 0}, True),
        (
            None,
            {"asks_a_day": 0},
            False,
        ),  # a setting that was not there before is told when it says something
        ({}, {"asks_a_day": 0}, False),
        ({}, {"asks_a_day": 3}, True),
        ({"asks_a_day": 3}, None, True),
    ],
)
def test_a_setting_is_changed_when_its_value_is_another(before, after, told):
    assert (only_changed(before, after) != ({}, {})) is told


def test_a_changed_draft_is_shown_in_its_words(panel, fresh_database, now):
    before = {"kind": "text", "text": "Hàng <b>cũ</b>"}
    after = {"kind": "cards", "cards": [{"title": "Áo dài", "buttons": [{"kind": "url", "title": "Xem"}]}]}
    limits = {"before": {"asks_a_day": 2}, "after": {"asks_a_day": 3}}
    with transaction() as db:
        activity_log.record(db, LAN, "broadcast.change", now=now, subject="Sale", before=before, after=after)
        activity_log.record(db, LAN, "fanpage.set_limits", now=now, subject="Hoa", **limits)
        activity_log.record(db, LAN, "topic.edit", now=now, subject="Váy", before="", after="Hàng mới")
    html = shown(panel("activity"))
    assert "before: “Hàng &lt;b&gt;cũ&lt;/b&gt;”, now: “Áo dài / Xem”" in html
    limit = "Most requests to one customer within 24 hours"
    assert f"before: {limit}: 2, now: {limit}: 3" in html
    assert "before: –, now: “Hàng mới”" in html
    assert "{" not in html
