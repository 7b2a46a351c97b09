"""`broadcast …`: create, dry run, launch, pause, resume, cancel, show, export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from core.accounts.exporting import record_export
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, draft_rules, dry_run_queries, queries
from core.broadcasts.drafts import find_problems, get_draft
from core.broadcasts.queries import BroadcastView
from core.broadcasts.results_export import csv_report, workbook_report
from core.broadcasts.rules import alike_reason
from core.clock import parse_iso, utc_now
from core.commands.input_output import Id, Json, Workbook, answer_file, database_command, print_answer
from core.commands.lookup import topic_named
from core.db import holding
from core.errors import Invalid, problem

BestBefore = Annotated[
    str | None,
    typer.Option(
        metavar="ISO8601|none",
        help="Nothing is sent later; none: without limit. Else 12 hours after the start, unless chosen.",
    ),
]
People = Annotated[
    int | None,
    typer.Option(help="How many customers it reaches, where the fanpage asks whoever launches for it."),
]
_ALIKE = (
    "The last customers were all refused for the same reason ({reason}), so it is probably not about them: "
    "the broadcast paused itself. Nobody was marked as unreachable for that, and their opt-ins can be used "
    "again. Check the fanpage, the message and where the opt-ins came from; resume, then retry the failed."
)

app = typer.Typer(no_args_is_help=True, help="Broadcasts: one message to who opted in to a topic.")


@app.command()
@database_command
def create(
    topic: Annotated[str, typer.Option(help="Name of the topic.")],
    text: Annotated[str, typer.Option(help="What it says; {{first_name|you}} greets by name.")],
    name: Annotated[str, typer.Option(help="Name in the panel.")] = "",
    at: Annotated[
        str | None, typer.Option(metavar="ISO8601", help="When it starts; no zone: the fanpage's.")
    ] = None,
    best_before: BestBefore = None,
    people: People = None,
    fanpage: Annotated[str | None, typer.Option(metavar="ID")] = None,
    as_json: Json = False,
) -> None:
    """Make a draft, or with --at schedule it."""
    topic_id, owner = topic_named(topic, fanpage)
    due_at, late = _time("at", at, owner.timezone), _best_before(best_before, owner.timezone)
    now = utc_now()
    broadcast_id = actions.create_broadcast(
        COMMAND_LINE,
        topic_id=topic_id,
        content={"kind": "text", "text": text},
        name=name,
        due_at=due_at,
        best_before=late,
        now=now,
    )
    if due_at:
        actions.schedule(COMMAND_LINE, broadcast_id, at=due_at, version=1, typed_count=people, now=now)
    made = queries.get_broadcast(broadcast_id)
    _say_state(broadcast_id, made.state, as_json, version=made.version)


@app.command("dry-run")
@database_command
def dry_run(broadcast_id: Id, as_json: Json = False) -> None:
    """Who would get it and who would not, by reason; and what keeps it from being sent."""
    draft = get_draft(broadcast_id)
    run = dry_run_queries.dry_run(draft.topic_id, draft.filters, now=utc_now())
    problems = [found.message for found in find_problems(draft, at=None, now=utc_now())]
    data = {
        "audience": run.audience,
        "eligible": run.eligible,
        "left_out": run.left_out,
        "seconds_at_rate": run.seconds_at_rate,
        "problems": problems,
    }
    wrong = "".join(f"\nIt cannot be sent as it is: {problem}" for problem in problems)
    left_out = "".join(f"\n  left out, {reason}: {people}" for reason, people in run.left_out.items())
    print_answer(as_json, data, f"{run.eligible} of {run.audience} would get it.{left_out}{wrong}")


@app.command()
@database_command
def launch(
    broadcast_id: Id,
    version: Annotated[
        int | None, typer.Option(help="The version you approve, as create and show print it.")
    ] = None,
    best_before: BestBefore = None,
    people: People = None,
    as_json: Json = False,
) -> None:
    """Start now; the worker sends. It sends exactly the version you name, or refuses and says what changed.

    Without --version that is the one kept when this command starts: a change a moment before is approved with
    it, unseen. Who has looked at a version names it.
    """
    looked_at = queries.get_broadcast(broadcast_id)
    approved = looked_at.version if version is None else version
    late = _best_before(best_before, looked_at.timezone)
    state = actions.launch(
        COMMAND_LINE, broadcast_id, best_before=late, version=approved, typed_count=people, now=utc_now()
    )
    _say_state(broadcast_id, state, as_json)


@app.command()
@database_command
def pause(broadcast_id: Id, as_json: Json = False) -> None:
    """Stop sending for now."""
    _step(actions.pause, broadcast_id, as_json)


@app.command()
@database_command
def resume(broadcast_id: Id, as_json: Json = False) -> None:
    """Go on sending."""
    _step(actions.resume, broadcast_id, as_json)


@app.command()
@database_command
def cancel(broadcast_id: Id, as_json: Json = False) -> None:
    """End it; unused opt-ins go back."""
    _step(actions.cancel, broadcast_id, as_json)


@app.command()
@database_command
def show(broadcast_id: Id, as_json: Json = False) -> None:
    """State, counts by state, reasons."""
    shown = queries.get_broadcast(broadcast_id)
    data = _figures(shown) | _held()
    print_answer(as_json, data, "\n".join(f"{key}: {value}" for key, value in data.items()))


@app.command()
@database_command
def export(broadcast_id: Id, xlsx: Workbook = None, as_json: Json = False) -> None:
    """CSV on standard output, a row per delivery (with --json, too); or a workbook."""
    shown = queries.get_broadcast(broadcast_id)
    name = f"broadcast-{broadcast_id}.{'xlsx' if xlsx else 'csv'}"
    record_export(COMMAND_LINE, name, [shown.fanpage_id], now=utc_now())
    zone = shown.timezone
    answer_file(as_json, csv_report(broadcast_id), xlsx, lambda: workbook_report(broadcast_id, zone=zone))


def _step(action: Callable[..., str], broadcast_id: int, as_json: bool) -> None:
    _say_state(broadcast_id, action(COMMAND_LINE, broadcast_id, now=utc_now()), as_json)


def _say_state(broadcast_id: int, state: str, as_json: bool, **more: int) -> None:
    held = _held()
    said = "".join(f"\n{why}" for why in held.values())
    which = "".join(f" ({name} {value})" for name, value in more.items())
    data = {"id": broadcast_id, "state": state} | more | held
    print_answer(as_json, data, f"Broadcast {broadcast_id} is {state}{which}.{said}")


def _held() -> dict[str, str]:
    """Why nothing is sent, whatever the state says."""
    found = holding.current_hold()
    return {"held": found.message} if found else {}


def _figures(shown: BroadcastView) -> dict[str, Any]:
    return {
        "id": shown.id,
        "name": shown.name,
        "topic": shown.topic,
        "state": shown.state,
        "version": shown.version,
        "approved_version": shown.approved_version,
        "approved_by": shown.approved_by or None,
        "approved_at": _iso(shown.approved_at),
        "audience": shown.audience,
        "audience_complete": shown.is_complete,
        **shown.counts,
        "reasons": shown.reasons,
        "delivered": shown.delivered,
        "read": shown.read,
        "due_at": _iso(shown.due_at),
        "best_before": _iso(shown.best_before),
        "started_at": _iso(shown.started_at),
        "finished_at": _iso(shown.finished_at),
        "pause_code": shown.pause_code,
        **_why_paused(shown),
    }


def _why_paused(shown: BroadcastView) -> dict[str, str]:
    reason = alike_reason(shown.pause_code)
    return {"pause_reason": _ALIKE.format(reason=reason)} if reason else {}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _best_before(text: str | None, zone: str) -> draft_rules.BestBefore:
    if text is None:
        return draft_rules.USUAL
    return None if text.strip().lower() == "none" else _time("best_before", text, zone)


def _time(field: str, text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_iso(text, zone)
    except (ValueError, OverflowError):
        said = "{text} is no time; write it like 2026-12-24T09:00 or 2026-12-24T09:00+07:00."
        raise Invalid([problem(field, said, text=text)]) from None
