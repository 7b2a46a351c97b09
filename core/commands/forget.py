"""`forget`: erases a person for good."""

from __future__ import annotations

from typing import Annotated

import typer

from core.accounts.rules import COMMAND_LINE
from core.backups.former_databases import find_former_databases
from core.clock import utc_now
from core.commands.input_output import Json, database_command, print_answer
from core.commands.lookup import fanpage_named
from core.forgetting.actions import forget as forget_person
from core.forgetting.queries import fanpages_that_know
from core.text.identifiers import read_id, unwrapped


@database_command
def forget(
    psid: Annotated[str, typer.Argument(metavar="PSID")],
    fanpage: Annotated[
        str | None, typer.Option(metavar="ID", help="Without it: whichever fanpage knows the person.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Erase a person for good; totals stay. No old file and no late webhook brings them back."""
    known = [] if fanpage else fanpages_that_know(read_id(psid) or unwrapped(psid))
    chosen = known or [fanpage_named(fanpage).id]
    forgotten = sum(forget_person(COMMAND_LINE, each, psid, now=utc_now()) for each in chosen)
    said = (
        "Forgotten: {n} customer. Backups made before still name them{files}."
        if forgotten
        else ("No customer has this PSID; should an old file or a late webhook bring it, it stays outside.")
    )
    files = "".join(f", and so does {former.file}" for former in find_former_databases())
    print_answer(as_json, {"forgotten": forgotten}, said.format(n=forgotten, files=files))
