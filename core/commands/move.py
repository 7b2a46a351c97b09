"""`move`, `hold`, `release`, `accept-key`: where an installation is, whether it sends, and its key."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.commands.answers import Json, command, print_answer, refuse, warn
from core.db import holding
from core.db.holding import HoldCode
from core.errors import OperatorError
from core.installation import key_check
from core.moving.move import Move, MoveResult, abandon
from core.operations import hold_actions
from core.settings import settings

AFTERWARDS = """Now, in this order:
  1. set OTN_DATABASE_URL to the new database for every process (in .env);
  2. keep the same OTN_SECRET_KEY, or carry {key} along: the tokens are sealed with it;
  3. restart the panel, the webhook servers and the workers. The old ones refuse to do anything: the webhook
     server there answers 503, so that Messenger repeats what it brings."""


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
def hold(as_json: Json = False) -> None:
    """Send nothing until `release`: for a database restored from a backup, before anything runs."""
    hold_actions.hold_restored(COMMAND_LINE, now=utc_now())
    print_answer(as_json, {"held": True}, "Held: nothing is sent until you run: python -m core release")


@command
def release(
    although_moved: Annotated[
        bool,
        typer.Option(
            help="Go back to a database that has been moved away from; what the new one sent is lost."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a held installation send: one restored from a backup, or left by a move that broke off."""
    found = holding.current_hold()
    if found and found.code == HoldCode.LEAVING:
        abandon(COMMAND_LINE, now=utc_now())
    else:
        hold_actions.release_hold(COMMAND_LINE, now=utc_now(), although_moved=although_moved)
    print_answer(as_json, {"released": True}, "Released: the installation sends again.")


@command
def accept_key(
    forgotten_may_return: Annotated[
        bool,
        typer.Option(help="Give up the list of forgotten people, if OTN_APP_SECRET does not open it."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make this process's key the installation's, when the former one is lost for good."""
    again = key_check.accept_key(COMMAND_LINE, now=utc_now(), forgotten_may_return=forgotten_may_return)
    said = "This key is the installation's now. What the former one sealed stays closed: opt-ins collected "
    said += f"until now cannot be used, and {again} fanpages must be connected again. Restart every process."
    print_answer(as_json, {"accepted": True, "connect_again": again}, said)


def _address(to: str | None) -> str:
    if to == "-":
        return sys.stdin.readline().strip()
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
    key = settings().data_dir / "secret.key"
    return "\n".join([*lines, AFTERWARDS.format(key=key)])
