"""The public command line: its JSON, its exit codes, its refusals. Other people's scripts depend on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from core.__main__ import app
from core.accounts.passwords import password_matches
from core.accounts.queries import find_password_hash, get_operator_named
from core.accounts.rules import Actor, Role
from core.accounts.sign_in import begin_sign_in
from core.broadcasts import scheduled_jobs
from core.broadcasts.drafts import get_draft, keep_draft
from core.clock import utc_now
from core.commands import input_output
from core.db import holding
from core.db.engine import forget_engines, reading, transaction
from core.db.holding import HoldCode
from core.db.tables import Activity, Broadcast, Topic
from core.inbox import processing
from core.settings import settings
from core.spreadsheets.reading import read_table
from tests.databases import TestDatabase, use
from tests.inbox.platform import read, tap
from tests.spreadsheets.made import workbook

PAGE = "108877665544332"
KEYS = {"id", "name", "topic", "state", "audience", "queued", "sending", "sent", "failed", "skipped"} | {
    "unknown",
    "cancelled",
    "reasons",
    "started_at",
    "finished_at",
}


def call(*arguments: str, stdin: str | None = None, code: int = 0) -> dict[str, Any]:
    """Run a command with --json: exactly one JSON document on standard output, and this exit code."""
    result = CliRunner().invoke(app, [*arguments, "--json"], input=stdin)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def plain(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def shop(fresh_database: TestDatabase) -> dict[str, Any]:
    connected = call(
        "fanpage", "connect", "--page-id", PAGE, "--name", "Tiệm Hoa Mai", "--token-stdin", "--no-check",
        "--rate", "300", stdin="a-page-token\n",
    )  # fmt: skip
    assert connected == {"id": 1, "page_id": PAGE, "name": "Tiệm Hoa Mai", "rate": 300}
    call("topic", "add", "Hàng mới")
    return connected


@pytest.fixture
def opt_ins(shop: dict[str, Any], tmp_path: Path) -> Path:
    file = tmp_path / "opt-ins.csv"
    at = (utc_now() - timedelta(days=3)).isoformat()
    rows = [f"2500000000000{n:04},token-{n},{at},Báo tôi khi có hàng mới" for n in range(20)]
    file.write_text("\n".join(["psid,token,consented_at,promise", *rows]), "utf-8")
    return file


def test_migrate_can_be_repeated(fresh_database: TestDatabase) -> None:
    assert call("migrate") == call("migrate")


def test_import_keeps_the_good_lists_the_bad_and_repeats_harmlessly(opt_ins: Path) -> None:
    with opt_ins.open("a", encoding="utf-8") as file:
        file.write("\n,no-psid,2026-11-01T00:00:00Z\n")
    first = call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    assert (first["imported"], first["duplicates"], len(first["rejected"])) == (20, 0, 1)
    assert first["rejected"][0]["row"] == 22
    again = call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    assert (again["imported"], again["duplicates"]) == (0, 20)
    assert call("topic", "list")["topics"] == [
        {"id": 1, "name": "Hàng mới", "available": 20, "reserved": 0, "spent": 0, "expired": 0}
    ]


def test_an_export_is_csv_with_a_mark_or_a_workbook_in_a_file(opt_ins: Path, tmp_path: Path) -> None:
    call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    assert plain("optin", "export", "--topic", "Hàng mới").startswith("\ufeffpsid,customer,topic,")
    file = tmp_path / "opt-ins.xlsx"
    asked = ("optin", "export", "--topic", "Hàng mới", "--xlsx")
    assert call(*asked, str(file)) == {"file": str(file)}
    psids = [cells[0] for _number, cells in read_table(file.read_bytes()).rows([])]
    assert psids == [f"2500000000000{n:04}" for n in range(20)]
    assert call(*asked, str(tmp_path), code=1)["error"]["code"] == "invalid"
    assert exported()[:2] == [("command line", "opt-ins.csv"), ("command line", "opt-ins.xlsx")]


def exported() -> list[tuple[str, str]]:
    """By whom and what, as the activity log has it."""
    with reading() as db:
        made = select(Activity.actor, Activity.subject).where(Activity.verb == "export.make")
        return [tuple(row) for row in db.execute(made.order_by(Activity.id))]


def test_a_workbook_is_imported_like_csv(shop: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "opt-ins.xlsx"
    at = (utc_now() - timedelta(days=3)).isoformat()
    file.write_bytes(workbook([["PSID", "Token", "Đồng ý lúc", "x"], ["'2501", "t", at], [2.5e16, "u", at]]))
    done = call("optin", "import", str(file), "--topic", "Hàng mới")
    assert (done["imported"], done["cleaned"], [bad["row"] for bad in done["rejected"]]) == (1, 1, [3])
    assert "Columns that are not imported: x." in done["notes"]


def test_the_export_holds_no_token(opt_ins: Path) -> None:
    call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    exported = plain("optin", "export", "--topic", "Hàng mới")
    assert len(exported.strip().splitlines()) == 21
    assert "token-1" not in exported


def test_a_no_is_remembered_whatever_is_imported_after_it(opt_ins: Path) -> None:
    someone = "25000000000000003"
    assert call("optin", "withdraw", someone) == {"withdrawn": 0}
    assert call("optin", "withdraw", someone, "--topic", "Hàng mới", "--fanpage", PAGE) == {"withdrawn": 0}

    first = call("optin", "import", str(opt_ins), "--topic", "Hàng mới")

    assert (first["imported"], first["withdrawn"]) == (20, 1)
    assert call("topic", "list")["topics"][0]["available"] == 19
    assert "withdrawn" not in call("optin", "import", str(opt_ins), "--topic", "Hàng mới")


def test_withdrawing_ends_what_is_open_once(opt_ins: Path) -> None:
    call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    someone = "25000000000000003"
    assert call("optin", "withdraw", someone, "--topic", "Hàng mới") == {"withdrawn": 1}
    assert call("optin", "withdraw", someone) == {"withdrawn": 0}
    assert call("optin", "withdraw", "Lan", code=1)["error"]["code"] == "invalid"
    assert call("optin", "withdraw", someone, "--topic", "Hàng cũ", code=1)["error"]["code"] == "not_found"


def test_a_broadcast_from_draft_to_cancelled(opt_ins: Path, tmp_path: Path) -> None:
    call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    made = call("broadcast", "create", "--topic", "Hàng mới", "--text", "Hàng đã về", "--name", "Đợt 1")
    assert made == {"id": 1, "state": "draft", "version": 1}
    assert call("broadcast", "dry-run", "1") == {
        "audience": 20,
        "eligible": 20,
        "left_out": {},
        "problems": [],
        "seconds_at_rate": 0.1,
    }
    assert call("broadcast", "launch", "1") == {"id": 1, "state": "scheduled"}
    scheduled_jobs.start_due(now=utc_now())
    assert call("broadcast", "pause", "1")["state"] == "paused"
    assert call("broadcast", "resume", "1")["state"] == "sending"
    assert call("broadcast", "cancel", "1")["state"] == "cancelled"
    shown = call("broadcast", "show", "1")
    assert set(shown) >= KEYS
    assert (shown["audience"], shown["cancelled"], shown["reasons"]) == (20, 20, {"cancelled": 20})
    assert len(plain("broadcast", "export", "1").strip().splitlines()) == 21
    file = tmp_path / "broadcast.xlsx"
    call("broadcast", "export", "1", "--xlsx", str(file))
    assert len(list(read_table(file.read_bytes()).rows([]))) == 20
    assert exported() == [("command line", "broadcast-1.csv"), ("command line", "broadcast-1.xlsx")]


@pytest.fixture
def sending(opt_ins: Path) -> None:
    call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    call("broadcast", "create", "--topic", "Hàng mới", "--text", "Hàng đã về")
    call("broadcast", "launch", "1")
    scheduled_jobs.start_due(now=utc_now())


def test_a_broadcast_that_paused_itself_says_why(sending) -> None:
    assert "pause_reason" not in call("broadcast", "show", "1")
    with transaction() as db:
        row = db.get_one(Broadcast, 1)
        row.state, row.pause_code = "paused", "alike:unknown_error"
    shown = call("broadcast", "show", "1")
    assert shown["pause_code"] == "alike:unknown_error"
    assert "resume, then retry the failed" in shown["pause_reason"]


def held(code: HoldCode) -> None:
    with transaction() as db:
        holding.place_hold(db, code, now=utc_now(), place="db.example/otn")


@pytest.mark.parametrize("code", [HoldCode.LEAVING, HoldCode.MOVED, HoldCode.ARRIVING])
def test_what_is_sending_is_not_launched_once_more_on_an_installation_that_moves(sending, code) -> None:
    held(code)
    refused = call("broadcast", "launch", "1", code=1)["error"]
    assert refused["code"] == "held"
    assert "db.example/otn" in refused["message"]


@pytest.mark.parametrize("code", HoldCode)
def test_a_broadcast_of_a_held_installation_says_why_nothing_is_sent(sending, code) -> None:
    assert "held" not in call("broadcast", "show", "1")
    held(code)
    shown = call("broadcast", "show", "1")
    assert (shown["state"], shown["held"]) == ("sending", holding.current_hold().message)
    assert shown["held"] in plain("broadcast", "show", "1")


def test_a_launch_on_a_restored_installation_says_that_it_waits_for_the_release(sending) -> None:
    held(HoldCode.RESTORED)
    launched = call("broadcast", "launch", "1")
    assert launched["state"] == "sending"
    assert "core release" in launched["held"]
    assert launched["held"] in plain("broadcast", "launch", "1")


@pytest.mark.sqlite
def test_the_hold_of_a_move_that_broke_off_says_what_lifts_it_and_that_lifts_it(sending) -> None:
    held(HoldCode.LEAVING)
    assert "python -m core release" in call("broadcast", "show", "1")["held"]
    assert call("release") == {"released": True}
    assert call("broadcast", "launch", "1") == {"id": 1, "state": "sending"}


def test_a_time_makes_it_scheduled_and_nonsense_makes_nothing(shop: dict[str, Any]) -> None:
    create = ("broadcast", "create", "--topic", "Hàng mới", "--text", "Hàng đã về")
    assert call(*create, "--at", "2030-01-01T09:00")["state"] == "scheduled"
    assert call("broadcast", "show", "1")["due_at"] == "2030-01-01T02:00:00+00:00"  # the fanpage's zone
    for bad in (["--at", "2001-01-01T09:00"], ["--at", "soon"], ["--best-before", "32nd of May"]):
        assert call(*create, *bad, code=1)["error"]["code"] == "invalid"
    late = ["--at", "2030-01-01T09:00", "--best-before", "2030-01-01T08:00"]
    assert call(*create, *late, code=1)["error"]["code"] == "invalid"
    assert call("broadcast", "show", "2", code=1)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["broadcast", "show", "77"], "not_found"),
        (["broadcast", "launch", "77"], "not_found"),
        (["message", "show", "77"], "not_found"),
        (["topic", "add", "  "], "invalid"),
        (["topic", "add", "Hàng mới"], "invalid"),
        (["topic", "add", "Khác", "--fanpage", "404"], "not_found"),
        (["broadcast", "create", "--topic", "Không có", "--text", "x"], "not_found"),
        (["broadcast", "create", "--topic", "Hàng mới", "--text", ""], "invalid"),
        (["optin", "import", "no-such-file.csv", "--topic", "Hàng mới"], "invalid"),
        (["message", "add", "no-such-file.json"], "invalid"),
        (["fanpage", "connect", "--page-id", PAGE, "--name", "x"], "invalid"),
        (["operator", "add", "lan", "--role", "editor"], "invalid"),
    ],
)
def test_a_refusal_is_one_json_document_and_exit_code_one(shop, arguments: list[str], code: str) -> None:
    refused = call(*arguments, code=1)
    assert refused["error"]["code"] == code
    assert refused["error"]["message"]


@pytest.mark.parametrize(
    "arguments",
    [["broadcast", "show"], ["broadcast", "show", "x"], ["broadcast", "show", "9" * 30], ["nonsense"]],
)
def test_wrong_usage_is_exit_code_two(fresh_database: TestDatabase, arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


@pytest.fixture
def never_migrated(databases, tmp_path, monkeypatch) -> Iterator[None]:
    made = databases.blank(tmp_path)
    use(monkeypatch, tmp_path, made.url)
    yield
    forget_engines()
    settings.cache_clear()
    databases.done(made)


@pytest.mark.parametrize("arguments", [["topic", "list"], ["worker"]])
def test_a_database_that_was_never_migrated_says_what_to_run(never_migrated, arguments) -> None:
    assert "migrate" in call(*arguments, code=1)["error"]["message"]


def test_a_wrong_setting_is_named(monkeypatch, fresh_database) -> None:
    monkeypatch.setenv("OTN_TIMEZONE", "Asia/Atlantis")
    settings.cache_clear()
    assert "OTN_TIMEZONE" in call("topic", "list", code=1)["error"]["message"]


def test_operators_and_messages(shop: dict[str, Any], tmp_path: Path) -> None:
    made = call(
        "operator", "add", "Lan", "--role", "sender", "--password-stdin", stdin="hoa mai vàng rực rỡ 88\n"
    )
    assert (made["name"], made["role"]) == ("lan", "sender")
    file = tmp_path / "message.json"
    file.write_text(
        json.dumps(
            {
                "name": "Chào khách",
                "blocks": [
                    {"kind": "text", "text": "Chào {{first_name|bạn}}!"},
                    {
                        "kind": "otnr",
                        "title": "Báo tôi khi có hàng mới",
                        "topic": "Hàng mới",
                        "after": "Cảm ơn!",
                    },
                ],
                "entry_points": [{"kind": "keyword", "match": "contains", "value": "khuyến mãi"}],
            }
        ),
        "utf-8",
    )
    message_id = call("message", "add", str(file))["id"]
    shown = call("message", "show", str(message_id))
    assert [block["kind"] for block in shown["blocks"]] == ["text", "otnr"]
    assert shown["entry_points"] == [{"kind": "keyword", "match": "contains", "value": "khuyến mãi"}]


def test_an_archived_topic_is_not_broadcast_on(shop: dict[str, Any]) -> None:
    words = ("broadcast", "create", "--topic", "Hàng mới", "--text", "Hàng đã về")
    assert call(*words)["id"] == 1
    with transaction() as db:
        db.get(Topic, 1).archived_at = utc_now()
    assert "archived" in call("broadcast", "dry-run", "1")["problems"][0]
    assert "cannot be sent as it is" in plain("broadcast", "dry-run", "1")
    assert "archived" in call("broadcast", "launch", "1", code=1)["error"]["message"]
    assert call("broadcast", "show", "1")["state"] == "draft"
    assert "error" in call(*words, code=1)


def test_another_time_zone_asks_what_is_planned_keeps(shop: dict[str, Any]) -> None:
    at = (utc_now() + timedelta(days=2)).strftime("%Y-%m-%dT09:00")
    call("broadcast", "create", "--topic", "Hàng mới", "--text", "Hàng đã về", "--at", at, "--name", "Tết")
    refused = call("fanpage", "zone", PAGE, "Asia/Dubai", code=1)["error"]
    assert refused["code"] == "wrong_state"
    assert "--keep" in refused["message"]
    changed = call("fanpage", "zone", PAGE, "Asia/Dubai", "--keep", "local-time")
    planned = [{"id": 1, "name": "Tết", "was": f"{at}+07:00", "due_at": f"{at}+04:00"}]
    assert changed == {"id": 1, "page_id": PAGE, "timezone": "Asia/Dubai", "planned": planned}
    moved = call("fanpage", "zone", PAGE, "Asia/Ho_Chi_Minh", "--keep", "moment")
    assert moved["planned"][0]["due_at"] == f"{at.replace('09:00', '12:00')}+07:00"
    assert call("fanpage", "zone", PAGE, "Asia/Nowhere", code=1)["error"]["code"] == "invalid"


CREATE = ("broadcast", "create", "--topic", "Hàng mới", "--text", "Hàng đã về")


def test_a_launch_names_the_version_it_approves(opt_ins: Path) -> None:
    call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    looked_at = call(*CREATE)["version"]
    began = get_draft(1)
    changed = replace(began, content={"kind": "text", "text": "Hàng khác"})
    keep_draft(Actor(None, "lan", Role.EDITOR), changed, began=began, now=utc_now())
    refused = call("broadcast", "launch", "1", "--version", str(looked_at), code=1)["error"]
    assert refused["code"] == "changed"
    assert "message changed by lan at" in refused["message"]
    shown = call("broadcast", "show", "1")
    assert (shown["state"], shown["version"], shown["approved_version"]) == ("draft", 2, None)
    assert call("broadcast", "launch", "1", "--version", "2")["state"] == "scheduled"
    shown = call("broadcast", "show", "1")
    assert (shown["approved_version"], shown["approved_by"]) == (2, "command line")


def test_a_launch_without_a_version_approves_the_one_it_finds(opt_ins: Path) -> None:
    call(*CREATE)
    assert call("broadcast", "launch", "1")["state"] == "scheduled"
    assert call("broadcast", "show", "1")["approved_version"] == 1


@pytest.mark.parametrize(
    ("made", "launched", "hours"),
    [
        ((), (), 12),
        (("--best-before", "none"), (), None),
        ((), ("--best-before", "none"), None),
        (("--best-before", "none"), ("--best-before", "2031-01-01T00:00Z"), "2031-01-01T00:00:00+00:00"),
    ],
)
def test_the_command_line_has_the_panels_best_before(opt_ins: Path, made, launched, hours) -> None:
    call(*CREATE, *made)
    assert call("broadcast", "show", "1")["best_before"] is None
    call("broadcast", "launch", "1", *launched)
    shown = call("broadcast", "show", "1")
    if hours == 12:
        start, late = (datetime.fromisoformat(shown[name]) for name in ("due_at", "best_before"))
        assert late - start == timedelta(hours=12)
    else:
        assert shown["best_before"] == hours


def test_a_planned_one_has_it_twelve_hours_after_its_start(opt_ins: Path) -> None:
    made = call(*CREATE, "--at", "2031-01-01T09:00Z")
    assert (made["state"], made["version"]) == ("scheduled", 1)
    assert call("broadcast", "show", "1")["best_before"] == "2031-01-01T21:00:00+00:00"


def test_a_person_is_forgotten_and_no_file_brings_them_back(opt_ins: Path) -> None:
    call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    gone = "25000000000000003"
    assert call("forget", gone) == {"forgotten": 1}
    assert call("forget", gone, "--fanpage", PAGE) == {"forgotten": 0}
    assert "stays outside" in plain("forget", "25000000000009999")
    again = call("optin", "import", str(opt_ins), "--topic", "Hàng mới")
    assert (again["imported"], again["duplicates"], len(again["rejected"])) == (0, 19, 1)
    assert (again["rejected"][0]["row"], "forgotten" in again["rejected"][0]["reason"]) == (5, True)
    assert call("forget", "", code=1)["error"]["code"] == "invalid"
    assert call("forget", gone, "--fanpage", "999", code=1)["error"]["code"] == "not_found"


def test_webhook_events_are_listed_shown_and_replayed(fresh_database: TestDatabase) -> None:
    now = utc_now()
    taps = (tap("25", now, "token-1"), tap("26", now, "token-2"))
    processing.store_events(read(*taps, received_at=now, page_id="999"))
    processing.apply_pending(limit=10, now=now)
    listed = call("events", "list", "--kind", "opt_in", "--since", "2026-01-01")["events"]
    assert [(each["psid"], each["state"]) for each in listed] == [("26", "ignored"), ("25", "ignored")]
    shown = call("events", "show", "1")
    assert shown["body"]["optin"]["one_time_notif_token"] == "[removed]"
    assert "token-1" not in plain("events", "show", "1")
    assert call("events", "replay") == {"in_full": 0, "again": 0, "replayed": False}
    assert "Nothing is done yet" in plain("events", "replay", "--state", "ignored")
    assert call("events", "replay", "1", "--yes", code=1)["error"]["code"] == "wrong_state"
    assert call("events", "show", "99", code=1)["error"]["code"] == "not_found"
    assert call("events", "list", "--until", "tomorrow", code=1)["error"]["code"] == "invalid"
    assert call("events", "replay", "1", "--state", "failed", code=1)["error"]["code"] == "invalid"


def test_promises_are_checked_without_a_database() -> None:
    found = call("promise", "check", "Báo tôi khi nồi chiên về", "--topic", "Váy hoa")
    assert [warning["rule"] for warning in found["results"][0]["warnings"]] == ["off_topic"]
    assert "Váy hoa" in found["results"][0]["warnings"][0]["reason"]
    many = call("promise", "check", "--stdin", stdin="Bấm để nhận quà\r\n\nBáo tôi khi váy về\n")
    assert [(each["text"], [one["rule"] for one in each["warnings"]]) for each in many["results"]] == [
        ("Bấm để nhận quà", ["reward"]),
        ("", []),
        ("Báo tôi khi váy về", []),
    ]
    assert call("promise", "check", "--stdin", stdin="") == {"results": []}
    assert "no warnings" in plain("promise", "check", "Báo tôi khi váy về")
    assert call("promise", "check", code=1)["error"]["code"] == "invalid"
    assert call("promise", "check", "quà", "--stdin", stdin="quà", code=1)["error"]["code"] == "invalid"


def test_an_admin_who_is_locked_out_is_let_in_from_the_machine(shop: dict[str, Any]) -> None:
    call("operator", "add", "lan", "--role", "admin", "--password-stdin", stdin="hoa mai vàng rực rỡ 88\n")
    for _guess in range(5):
        begin_sign_in("lan", "203.0.113.9", now=utc_now())
    assert call("operator", "unlock", "lan") == {"forgotten_attempts": 5}
    begin_sign_in("anybody", "203.0.113.9", now=utc_now())
    assert call("operator", "unlock", "--address", "203.0.113.9") == {"forgotten_attempts": 1}
    for wrong in ([], ["lan", "--address", "203.0.113.9"], ["--address", "lan"]):
        assert call("operator", "unlock", *wrong, code=1)["error"]["code"] == "invalid"
    fresh = call("operator", "reset-password", "Lan")
    assert fresh["name"] == "lan"
    assert password_matches(fresh["password"], find_password_hash("lan"))


def test_operators_are_limited_to_some_fanpages(shop: dict[str, Any]) -> None:
    words = "hoa mai vàng rực rỡ 88\n"
    call("operator", "add", "lan", "--role", "admin", "--fanpage", PAGE, "--password-stdin", stdin=words)
    assert get_operator_named("lan").fanpage_ids is not None
    assert call("operator", "fanpages", "lan", "--all") == {"name": "lan", "all": True, "fanpages": []}
    call("operator", "add", "chi", "--role", "admin", "--password-stdin", stdin=words)
    assert call("operator", "fanpages", "lan", "--fanpage", PAGE)["fanpages"] == [PAGE]
    for wrong in ((), ("--all", "--fanpage", PAGE), ("--fanpage", "404")):
        assert call("operator", "fanpages", "lan", *wrong, code=1)["error"]["message"]


def test_one_command_stops_every_send_and_release_lets_it_go_on(sending) -> None:
    assert call("stop") == {"held": True}
    assert call("stop") == {"held": True}
    assert "All sending was stopped by command line" in call("broadcast", "show", "1")["held"]
    assert call("release") == {"released": True}
    assert "held" not in call("broadcast", "show", "1")


def test_one_time_notifications_are_switched_off_and_on(sending) -> None:
    assert call("fanpage", "otn-off", PAGE)["otn"] is False
    assert call("broadcast", "show", "1")["state"] == "paused"
    assert "turned off" in call("broadcast", "resume", "1", code=1)["error"]["message"]
    assert call("fanpage", "otn-on", PAGE)["resumed"] == 1


@pytest.mark.parametrize(
    "command",
    [("optin", "import", "FILE", "--topic", "Hàng mới"), ("message", "add", "FILE")],
)
def test_a_file_that_is_too_long_to_be_meant_is_not_read_whole(shop, monkeypatch, tmp_path, command):
    monkeypatch.setattr(input_output, "FILE_LIMIT", 1)
    (tmp_path / "backup.db").write_bytes(b"0" * 1_000_001)
    error = call(*(str(tmp_path / "backup.db") if part == "FILE" else part for part in command), code=1)[
        "error"
    ]
    assert (error["code"], "longer than 1 MB" in error["message"]) == ("invalid", True)


def test_standard_input_without_an_end_is_not_read_whole(fresh_database):
    stdin = "x" * (input_output.LINE_LIMIT + 1)
    refused = call("operator", "add", "lan", "--role", "admin", "--password-stdin", stdin=stdin, code=1)
    assert "More came" in refused["error"]["message"]


@pytest.mark.parametrize("command", [("events", "replay"), ("events", "show"), ("broadcast", "show")])
def test_a_number_that_no_database_keeps_is_wrong_usage(fresh_database, command):
    result = CliRunner().invoke(app, [*command, "9" * 20, "--json"])
    assert result.exit_code == 2
