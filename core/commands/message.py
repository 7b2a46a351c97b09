"""`message …`: add one from a JSON file, show one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.commands.input_output import Id, Json, database_command, print_answer, read_file
from core.commands.lookup import fanpage_named
from core.conversation import actions, message_files, queries
from core.errors import Invalid, problem
from core.text.text_files import decode

app = typer.Typer(no_args_is_help=True, help="Chatbot messages with their blocks and entry points.")


@app.command()
@database_command
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE.json")],
    fanpage: Annotated[str | None, typer.Option(metavar="ID")] = None,
    as_json: Json = False,
) -> None:
    """Make a message; the file's form is in docs/message-files.md."""
    owner = fanpage_named(fanpage)
    try:
        data = json.loads(decode(read_file(file), what=str(file)))
    except (OSError, ValueError, RecursionError) as unreadable:
        text = "{file} cannot be read as JSON: {why}"
        raise Invalid([problem("file", text, file=str(file), why=str(unreadable))]) from None
    draft = message_files.draft_from_json(owner.id, data)
    message_id = actions.save_message(
        COMMAND_LINE,
        owner.id,
        name=draft.name,
        blocks=list(draft.blocks),
        entry_points=list(draft.entry_points),
        translations=draft.translations,
        now=utc_now(),
    )
    print_answer(as_json, {"id": message_id}, f"Message {message_id}: {draft.name}")


@app.command()
@database_command
def show(message_id: Id, as_json: Json = False) -> None:
    """A message in the form that `message add` reads."""
    view = queries.get_message(message_id)
    data = message_files.to_json(view, queries.get_translations(view))
    print_answer(as_json, data, json.dumps(data, ensure_ascii=False, indent=2))
