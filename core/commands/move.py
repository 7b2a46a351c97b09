"""`move`, `stop`, `hold`, `release`: where an installation is, and whether it sends."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from core.accounts.rules import COMMAND_LINE
from core.backups import queries as backups
from core.backups import restored
from core.clock import utc_now
from core.commands.input_output import Json, command, database_command, print_answer, read_line, refuse, warn
from core.db import holding
from core.db.holding import HoldCode
from core.errors import OperatorError
from core.installation import hold_actions
from core.moving.move import Move, MoveResult, abandon
from core.settings import settings

AFTERWARDS = """Now, in this order:
  1. set OTN_DATABASE_URL to the new database for every process (in .env);
  2. keep the same OTN_SECRET_KEY, or carry {key} along: the tokens are sealed with it;
  3. on other machines, give all processes one folder {pictures} with what is in it here: it is not in the
     database;
  4. restart the panel, the webhook servers and the workers. The old ones refuse to do anything: the webhook
     server there answers 503, so that Messenger repeats what it brings.
The database here and its nightly backups still name people who are forgotten later: a worker that runs with
this data folder deletes them after 30 days. If none does, delete them when nothing in them is needed."""


@command
def move(
    to: Annotated[
        str | None,
        typer.Option(help="The new database; - reads it from standard input. Unset: OTN_MOVE_TO."),
    ] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for what is on the wire.", min=0.0, max=3600.0)
    ] = 90.0,
    as_json: Json = False,
) -> None:
    """Move this installation from SQLite to an empty PostgreSQL, also in the middle of a broadcast."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        moved = Move(COMMAND_LINE, _address(to), clock=utc_now, say=warn, wait_seconds=wait).run()
    except KeyboardInterrupt:
        raise refuse(as_json, "interrupted", "The move was interrupted.") from None
    going_on = [{"id": id_, "name": name, "left": left} for id_, name, left in moved.going_on]
    document = {
        "to": moved.place,
        "rows": moved.rows,
        "total": sum(moved.rows.values()),
        "going_on": going_on,
    }
    print_answer(as_json, document, _text(moved))


@command
def stop(as_json: Json = False) -> None:
    """Stop every send of this installation at once, for all fanpages, until `release`."""
    hold_actions.stop_sending(COMMAND_LINE, now=utc_now())
    print_answer(
        as_json, {"held": True}, "Stopped: nothing leaves for any fanpage until: python -m core release"
    )


@command
def hold(as_json: Json = False) -> None:
    """Send nothing until `release`: for a database restored from a backup, before anything runs."""
    restored.hold_restored(COMMAND_LINE, now=utc_now())
    print_answer(as_json, {"held": True}, "Held: nothing is sent until you run: python -m core release")


@database_command
def release(
    although_moved: Annotated[
        bool,
        typer.Option(
            help="Go back to a database that has been moved away from; what the new one sent is lost."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option(help="Also if broadcasts go on of which nobody knows what was sent already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a held installation send: one that was stopped, restored from a backup, or left by a move that
    broke off."""
    found = holding.current_hold()
    if found and found.code == HoldCode.RESTORED and not yes:
        _refuse_unsure(as_json)
    if found and found.code == HoldCode.LEAVING:
        abandon(COMMAND_LINE, now=utc_now())
    else:
        hold_actions.release_hold(COMMAND_LINE, now=utc_now(), although_moved=although_moved)
    print_answer(as_json, {"released": True}, "Released: the installation sends again.")


def _refuse_unsure(as_json: bool) -> None:
    """Say which broadcasts go on, and that some of their messages may have been sent since the backup."""
    unsure = backups.find_unsure_broadcasts()
    if not unsure:
        return
    last = backups.find_last_backup()
    since = f"since the backup of {last.made_at:%Y-%m-%d %H:%M} UTC" if last else "since the backup"
    lines = [f"These go on after the release, and may have been sent {since}:"]
    for each in unsure:
        due = f", due {each.due_at:%Y-%m-%d %H:%M} UTC" if each.due_at else ""
        lines.append(f"  broadcast {each.id} ({each.name}): {each.state}{due}, {each.queued:,} queued")
    lines.append("Cancel in the panel what must not go out again; then: python -m core release --yes")
    raise refuse(as_json, "unsure", "\n".join(lines))


def _address(to: str | None) -> str:
    if to == "-":
        return read_line().strip()
    given = to or settings().move_to.get_secret_value()
    if not given:
        raise OperatorError("Say where to: --to postgresql+psycopg://… , --to - or OTN_MOVE_TO.")
    return given


def _text(moved: MoveResult) -> str:
    lines = [
        f"Moved to {moved.place}: {sum(moved.rows.values()):,} rows, each table and every balance checked."
    ]
    for broadcast_id, name, left in moved.going_on:
        lines.append(f"Broadcast {broadcast_id} ({name}) goes on there by itself: {left:,} to go.")
    data = settings().data_dir
    afterwards = AFTERWARDS.format(key=data / "secret.key", pictures=data / "pictures")
    return "\n".join([*lines, afterwards])
