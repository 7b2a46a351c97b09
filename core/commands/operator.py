"""`operator …`: people who sign in to the panel."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from core.accounts import actions
from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.commands.answers import Json, command, print_answer
from core.errors import Invalid, problem

app = typer.Typer(no_args_is_help=True, help="People who sign in to the panel.")


@app.command()
@command
def add(
    name: str,
    role: Annotated[str, typer.Option(help="viewer, editor, sender or admin.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an operator; the password comes on standard input, never as an argument."""
    if not password_stdin:
        raise Invalid([problem("password", "Pass --password-stdin and give the password on standard input.")])
    password = sys.stdin.readline().rstrip("\r\n")
    made = actions.add_operator(COMMAND_LINE, name, role, password, now=utc_now())
    print_answer(
        as_json, {"id": made.id, "name": made.name, "role": made.role}, f"{made.name} is {made.role}."
    )
