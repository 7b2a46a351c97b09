"""`backup` and `restore`: a copy of the database, and putting one back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from core.accounts.rules import COMMAND_LINE
from core.backups import actions
from core.backups.carrying_over import CarriedOver
from core.backups.restoring import RestoreResult
from core.backups.restoring import restore as put_back
from core.clock import utc_now
from core.commands.input_output import Json, command, print_answer, read_line, warn
from core.settings import read_secret_file, settings

File = Annotated[Path, typer.Argument(metavar="FILE")]


@command
def backup(file: File, as_json: Json = False) -> None:
    """Copy the database into a new file, also while everything runs, and check the copy."""
    made = actions.make_backup(COMMAND_LINE, file, now=utc_now())
    document = {"file": str(file), "bytes": made.bytes, "opt_ins": made.opt_ins, "revision": made.revision}
    said = f"{file}: {made.bytes:,} bytes, {made.opt_ins:,} opt-ins, opened and checked.\n{_about_key()}"
    print_answer(as_json, document, said)


@command
def restore(
    file: File,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The key the backup was sealed with, if another.")
    ] = None,
    without_carrying_over: Annotated[
        bool, typer.Option(help="Also if the database that is there cannot be read: nothing is carried over.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the database. It sends nothing until `release`."""
    done = put_back(
        file,
        now=utc_now(),
        say=warn,
        key=read_secret_file(key) if key else None,
        without_carrying_over=without_carrying_over,
    )
    document = {
        "file": str(file),
        "opt_ins": done.content.opt_ins,
        "former": str(done.former) if done.former else None,
        "pictures": done.pictures,
        "carried_over": _carried(done.carried) if done.carried else None,
        "held": True,
    }
    print_answer(as_json, document, "\n".join(_text(done)))


@command
def carry_over(
    former: Annotated[
        str,
        typer.Option("--from", metavar="-", help="The PostgreSQL used until now; -: on standard input."),
    ],
    as_json: Json = False,
) -> None:
    """Carry over into a held, restored PostgreSQL what must not be unlearned, from the former one."""
    address = read_line().strip() if former == "-" else former
    done = actions.carry_over_from(COMMAND_LINE, address, now=utc_now())
    print_answer(as_json, _carried(done), "\n".join(_carried_text(done)))


def _carried(done: CarriedOver) -> dict[str, object]:
    return {**asdict(done), "cancelled": list(done.cancelled)}


def _carried_text(done: CarriedOver) -> list[str]:
    first = (
        f"Carried over: {done.forgotten:,} people erased again, {done.withdrawals:,} withdrawals, "
        f"{done.tokens:,} tokens that may not be used again, {done.events:,} events that were not applied "
        "yet, and all users as they are now (everybody signs in anew)."
    )
    gone_on = [f"Cancelled, since it had gone on since the backup: {name}" for name in done.cancelled]
    return [
        first,
        *gone_on,
        "Opt-ins given since the backup are not in it; they stay in the former database.",
    ]


def _text(done: RestoreResult) -> list[str]:
    lines = []
    if done.former:
        lines.append(f"The database that was there is now {done.former}; it is deleted after 30 days.")
    if done.pictures:
        lines.append(f"{done.pictures:,} pictures that were missing here are put back.")
    if done.carried:
        lines += _carried_text(done.carried)
    lines.append("Restored and held: nothing is sent until you run: python -m core release")
    return lines


def _about_key() -> str:
    if settings().secret_key.get_secret_value():
        return "Keep OTN_SECRET_KEY apart from it: without that key nothing in the backup can be sent."
    key = settings().data_dir / "secret.key"
    return f"Keep a copy of {key} apart from it: without that key nothing in the backup can be sent."
