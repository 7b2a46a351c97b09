"""`fanpage …`: connect, check, list."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.commands.input_output import Json, database_command, print_answer, read_line, warn
from core.commands.lookup import fanpage_named
from core.errors import Invalid, problem
from core.fanpages import actions, health_actions, otn_switch, queries, time_zone
from core.fanpages.queries import FanpageView
from core.fanpages.rules import describe_problem, is_zone
from core.fanpages.send_rate import CALM_RATE
from core.fanpages.time_zone import PlannedBroadcast, ZoneChangeKeeps
from core.messenger.reasons import describe

app = typer.Typer(no_args_is_help=True, help="The Facebook Pages we send for.")


@app.command()
@database_command
def connect(
    page_id: Annotated[str, typer.Option(metavar="ID", help="The page's id on Facebook.")],
    name: Annotated[str, typer.Option(help="Its name in the panel.")],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the access token from stdin.")
    ] = False,
    rate: Annotated[int | None, typer.Option(help="Messages per second, 1 to 300.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not ask the Graph API.")] = False,
    zone: Annotated[str | None, typer.Option(help="Time zone, like Asia/Ho_Chi_Minh.")] = None,
    as_json: Json = False,
) -> None:
    """Connect a fanpage, or update it; the token comes on standard input, never as an argument."""
    if not token_stdin:
        raise Invalid([problem("token", "Pass --token-stdin and give the access token on standard input.")])
    if rate is not None and rate > CALM_RATE:
        warn(f"Above {CALM_RATE} messages per second sustained, Messenger may stop the fanpage.")
    connected = actions.connect(
        COMMAND_LINE,
        page_id=page_id,
        name=name,
        token=read_line().strip(),
        rate=rate,
        i_know=True,  # naming the rate on the command line says so; the note above tells the risk
        check=not no_check,
        zone=zone,
        now=utc_now(),
    )
    for code in connected.problems:
        warn(f"Note: {describe_problem(code)}")
    if connected.stopped_code:
        warn(f"Note: {_stopped(connected)}")
    data = {"id": connected.id, "page_id": connected.page_id, "name": connected.name, "rate": connected.rate}
    print_answer(as_json, data, f"Connected {connected.name} as fanpage {connected.id}.")


@app.command()
@database_command
def check(as_json: Json = False) -> None:
    """Health of each fanpage, asked of the Graph API now."""
    found = [_checked(fanpage) for fanpage in queries.list_fanpages()]
    lines = [f"{f['page_id']}: {'ok' if f['ok'] else '; '.join(f['problems'])}" for f in found]
    print_answer(as_json, {"fanpages": found}, "\n".join(lines) or "No fanpage is connected yet.")


def _checked(fanpage: FanpageView) -> dict[str, Any]:
    problems = health_actions.check_health(fanpage.id, now=utc_now())
    if fanpage.stopped_code:
        problems = [f"stopped:{fanpage.stopped_code}", *problems]
    return {"page_id": fanpage.page_id, "ok": not problems, "problems": problems}


def _stopped(fanpage: FanpageView) -> str:
    return f"{describe(fanpage.stopped_code or '')} Then run: python -m core fanpage resume {fanpage.page_id}"


@app.command()
@database_command
def resume(
    fanpage: Annotated[str, typer.Argument(metavar="ID", help="Page id.")], as_json: Json = False
) -> None:
    """After a repair: check again, and let what Messenger's stop had paused go on."""
    found = fanpage_named(fanpage)
    resumed = actions.resume_after_repair(COMMAND_LINE, found.id, now=utc_now())
    data = {"id": found.id, "page_id": found.page_id, "resumed": resumed}
    print_answer(as_json, data, f"{found.name} may send again; {resumed} broadcasts go on.")


@app.command("otn-off")
@database_command
def otn_off(
    fanpage: Annotated[str, typer.Argument(metavar="ID", help="Page id.")], as_json: Json = False
) -> None:
    """Switch one-time notifications off: nobody is asked, no broadcast goes out; opt-ins stay."""
    found = fanpage_named(fanpage)
    otn_switch.switch_otn_off(COMMAND_LINE, found.id, now=utc_now())
    print_answer(
        as_json,
        {"id": found.id, "page_id": found.page_id, "otn": False},
        f"One-time notifications of {found.name} are off.",
    )


@app.command("otn-on")
@database_command
def otn_on(
    fanpage: Annotated[str, typer.Argument(metavar="ID", help="Page id.")], as_json: Json = False
) -> None:
    """Switch one-time notifications on again; what that had paused goes on."""
    found = fanpage_named(fanpage)
    resumed = otn_switch.switch_otn_on(COMMAND_LINE, found.id, now=utc_now())
    print_answer(
        as_json,
        {"id": found.id, "page_id": found.page_id, "otn": True, "resumed": resumed},
        f"One-time notifications of {found.name} are on; {resumed} broadcasts go on.",
    )


@app.command()
@database_command
def zone(
    fanpage: Annotated[str, typer.Argument(metavar="ID", help="Page id.")],
    name: Annotated[str, typer.Argument(metavar="ZONE", help="Like Asia/Ho_Chi_Minh.")],
    keep: Annotated[
        ZoneChangeKeeps | None,
        typer.Option(help="What planned broadcasts keep: their moment, or their local time."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change the time zone; refused without --keep while broadcasts are planned."""
    found = fanpage_named(fanpage)
    planned = time_zone.list_planned(found.id, name) if is_zone(name) else []
    changed = time_zone.change_zone(COMMAND_LINE, found.id, name, keep=keep, now=utc_now())
    after = [_moved(each, keep, found.timezone, name) for each in planned]
    data = {"id": found.id, "page_id": found.page_id, "timezone": changed.timezone, "planned": after}
    lines = [f"{each['name']}: {each['was']} is now {each['due_at']}" for each in after]
    print_answer(as_json, data, "\n".join([f"{found.name} keeps the time of {changed.timezone}.", *lines]))


def _moved(planned: PlannedBroadcast, keep: ZoneChangeKeeps | None, old: str, new: str) -> dict[str, Any]:
    starts = planned.moved_due_at if keep == ZoneChangeKeeps.LOCAL_TIME else planned.due_at
    was, due_at = _local(planned.due_at, old), _local(starts, new)
    return {"id": planned.id, "name": planned.name, "was": was, "due_at": due_at}


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


@app.command("list")
@database_command
def list_them(as_json: Json = False) -> None:
    """The fanpages and whether they may send."""
    known = queries.list_fanpages()
    data = [
        {"id": f.id, "page_id": f.page_id, "name": f.name, "rate": f.rate, "stopped": f.stopped_code}
        for f in known
    ]
    lines = [f"{f.id}  {f.page_id}  {f.name}  {f.rate}/s  {f.stopped_code or 'ready'}" for f in known]
    print_answer(as_json, {"fanpages": data}, "\n".join(lines) or "No fanpage is connected yet.")
