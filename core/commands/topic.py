"""`topic …`: add, list."""

from __future__ import annotations

from typing import Annotated

import typer

from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.commands.input_output import Json, database_command, print_answer
from core.commands.lookup import fanpage_named
from core.consent import actions, queries
from core.fanpages import queries as fanpages

app = typer.Typer(no_args_is_help=True, help="What customers agree to hear about once.")
FanpageId = Annotated[str | None, typer.Option(metavar="ID", help="Page id; needed when there are several.")]


@app.command()
@database_command
def add(name: str, fanpage: FanpageId = None, as_json: Json = False) -> None:
    """Make a topic."""
    topic_id = actions.create_topic(COMMAND_LINE, fanpage_named(fanpage).id, name=name, now=utc_now())
    made = queries.get_topic(topic_id, now=utc_now())
    print_answer(as_json, {"id": made.id, "name": made.name}, f"Topic {made.id}: {made.name}")


@app.command("list")
@database_command
def list_them(fanpage: FanpageId = None, as_json: Json = False) -> None:
    """Topics with their opt-ins by state."""
    owners = [fanpage_named(fanpage)] if fanpage else fanpages.list_fanpages()
    topics = [t for owner in owners for t in queries.list_topics(owner.id, now=utc_now())]
    data = [
        {
            "id": t.id,
            "name": t.name,
            "available": t.available,
            "reserved": t.reserved,
            "spent": t.spent,
            "expired": t.expired,
        }
        for t in topics
    ]
    lines = [f"{t.id}  {t.name}: {t.available} available, {t.spent} spent" for t in topics]
    print_answer(as_json, {"topics": data}, "\n".join(lines) or "No topics yet.")
