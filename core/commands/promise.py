"""`promise …`: check."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from core.commands.input_output import Json, command, print_answer
from core.conversation.promises import PromiseWarning, find_warnings
from core.errors import Invalid, problem

app = typer.Typer(no_args_is_help=True, help="The promises by which customers are asked “Notify me?”.")
Text = Annotated[str | None, typer.Argument(metavar="TEXT", help="The title of the request.")]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read titles from standard input, one a line.")]
Topic = Annotated[str, typer.Option("--topic", metavar="NAME", help="Its topic's name, for what it covers.")]


@app.callback()
def group() -> None:
    """A group even while it has one command."""


@app.command()
@command
def check(text: Text = None, from_stdin: Stdin = False, topic: Topic = "", as_json: Json = False) -> None:
    """Warn of rewards for the tap, vagueness, shouting and what the topic does not cover."""
    checked = [(each, find_warnings(each, topic)) for each in _texts(text, from_stdin)]
    results = [{"text": each, "warnings": [_warning(one) for one in found]} for each, found in checked]
    print_answer(
        as_json, {"results": results}, "\n".join(_for_people(each, found) for each, found in checked)
    )


def _texts(text: str | None, from_stdin: bool) -> list[str]:
    if (text is None) is not from_stdin:
        raise Invalid([problem("text", "Give either one TEXT or --stdin.")])
    if text is None:
        lines = sys.stdin.buffer.read().decode("utf-8-sig", "replace").removesuffix("\n").split("\n")
        return [line.removesuffix("\r") for line in lines] if lines != [""] else []
    return [text.encode("utf-8", "replace").decode()]


def _warning(warning: PromiseWarning) -> dict[str, str]:
    return {"rule": warning.rule, "reason": warning.reason.message}


def _for_people(text: str, found: list[PromiseWarning]) -> str:
    said = [f"  {warning.rule}: {warning.reason.message}" for warning in found] or ["  no warnings"]
    return "\n".join([text, *said])
