"""`doctor`: settings, database, clock, fanpages, webhook reachability."""

from __future__ import annotations

import typer

from core.commands.input_output import Json, command, print_answer
from core.operations import doctor as checks


@command
def doctor(as_json: Json = False) -> None:
    """Look for what would keep messages from going out; exit code 1 when something is wrong."""
    problems, warnings = checks.find_problems(), checks.find_warnings()
    answer = {"ok": not problems, "problems": problems, "warnings": warnings}
    print_answer(as_json, answer, "\n".join([*(problems or ["All is well."]), *warnings]))
    if problems:
        raise typer.Exit(1)
