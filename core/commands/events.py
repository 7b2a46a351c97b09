"""`events …`: what Messenger has told us, what became of it, and replaying it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from core.accounts.rules import COMMAND_LINE
from core.clock import parse_iso, utc_now
from core.commands.input_output import LARGEST_ID, Id, Json, database_command, print_answer
from core.commands.lookup import fanpage_named
from core.errors import Invalid, problem
from core.inbox import actions, event_queries
from core.inbox.event_filters import EventFilter
from core.inbox.event_queries import EventView
from core.inbox.rules import EventState
from core.messenger.event_kinds import EventKind
from core.settings import settings

app = typer.Typer(no_args_is_help=True, help="Webhook events: what came, and what became of it.")
State = Annotated[EventState | None, typer.Option(help="Only events in this state.")]
Kind = Annotated[EventKind | None, typer.Option(help="Only events of this kind, in either channel.")]
FanpageId = Annotated[str | None, typer.Option(metavar="ID", help="Only those of this fanpage.")]
Since = Annotated[str | None, typer.Option(metavar="ISO8601", help="Received at this time or later.")]
Until = Annotated[str | None, typer.Option(metavar="ISO8601", help="Received before this time.")]


@app.command("list")
@database_command
def list_them(
    state: State = None,
    kind: Kind = None,
    fanpage: FanpageId = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many are listed at most.")] = 50,
    as_json: Json = False,
) -> None:
    """The latest events, and what became of them."""
    found = event_queries.list_events(_filter(state, kind, fanpage, since, until), limit=limit)
    lines = [f"{e.id}  {e.received_at:%Y-%m-%d %H:%M:%S}  {e.kind}  {e.state}  {e.note or ''}" for e in found]
    print_answer(as_json, {"events": [_document(each) for each in found]}, "\n".join(lines) or "None.")


@app.command("show")
@database_command
def show(event_id: Id, as_json: Json = False) -> None:
    """One event with its body; tokens are left out."""
    event, body = event_queries.get_event(event_id), event_queries.masked_body(event_id)
    said = "\n".join(f"{name}: {value}" for name, value in _document(event).items() if value is not None)
    print_answer(as_json, {**_document(event), "body": _as_json(body)}, f"{said}\n{body}")


@app.command("replay")
@database_command
def replay(
    event_id: Annotated[
        int | None,
        typer.Argument(metavar="[ID]", max=LARGEST_ID, help="One event; none: all that failed."),
    ] = None,
    state: State = None,
    kind: Kind = None,
    fanpage: FanpageId = None,
    since: Since = None,
    until: Until = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only count.")] = False,
    as_json: Json = False,
) -> None:
    """Apply events again: those that failed, one, or those of a filter. Nobody is answered twice."""
    asked = _filter(state, kind, fanpage, since, until)
    chosen = None if asked == EventFilter() else asked
    if event_id is not None and chosen:
        raise Invalid([problem("id", "Name one event, or a filter, not both.")])
    count = (
        actions.count_replay_of(event_id)
        if event_id is not None
        else actions.count_replay(COMMAND_LINE.fanpage_ids, chosen)
    )
    if yes and event_id is not None:
        actions.replay_one(COMMAND_LINE, event_id, now=utc_now())
    elif yes:
        actions.replay(COMMAND_LINE, chosen, now=utc_now())
    said = f"{count.in_full:,} that had no effect yet, {count.again:,} to be recorded again."
    ending = "They are applied within seconds." if yes else "Nothing is done yet; to do it: --yes"
    print_answer(as_json, {**asdict(count), "replayed": yes}, f"{said} {ending}")


def _filter(
    state: EventState | None,
    kind: EventKind | None,
    fanpage: str | None,
    since: str | None,
    until: str | None,
) -> EventFilter:
    found = fanpage_named(fanpage) if fanpage else None
    zone = found.timezone if found else settings().timezone
    return EventFilter(
        state=state,
        kind=kind,
        page_id=found.page_id if found else None,
        since=_time("since", since, zone),
        until=_time("until", until, zone),
    )


def _time(field: str, text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_iso(text, zone)
    except (ValueError, OverflowError):
        raise Invalid(
            [problem(field, "{text} is no time; write it like 2026-11-30T14:00", text=text)]
        ) from None


def _document(event: EventView) -> dict[str, Any]:
    return asdict(event)


def _as_json(body: str) -> Any:
    """The body as JSON; as text, if it was too long to be shown whole."""
    try:
        return json.loads(body)
    except ValueError:
        return body
