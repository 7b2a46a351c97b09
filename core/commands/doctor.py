"""`doctor`: settings, database, clock, fanpages, webhook reachability."""

from __future__ import annotations

import typer

from core import doctor as checks
from core.commands.answers import Json, answer, command


@command
def doctor(as_json: Json = False) -> None:
    """Look for what would keep messages from going out; exit code 1 when something is wrong."""
    problems = checks.problems()
    answer(as_json, {"ok": not problems, "problems": problems}, "\n".join(problems) or "All is well.")
    if problems:
        raise typer.Exit(1)
