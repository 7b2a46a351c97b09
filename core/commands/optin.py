"""`optin …`: import, export and withdraw the opt-ins of a topic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.accounts.exporting import record_export
from core.accounts.rules import COMMAND_LINE
from core.clock import utc_now
from core.commands.input_output import Json, Workbook, answer_file, database_command, print_answer, read_file
from core.commands.lookup import fanpage_named, topic_named
from core.consent import imports
from core.consent.opt_in_export import csv_opt_ins, workbook_opt_ins
from core.consent.opt_in_queries import OptInFilter
from core.consent.withdrawal_actions import withdraw_person
from core.errors import Invalid, problem

app = typer.Typer(no_args_is_help=True, help="Opt-ins: one tap, one token, one message.")
TopicName = Annotated[str, typer.Option(help="Name of the topic.")]
FanpageId = Annotated[str | None, typer.Option(metavar="ID")]


@app.command("import")
@database_command
def import_them(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    topic: TopicName,
    fanpage: FanpageId = None,
    as_json: Json = False,
) -> None:
    """Read psid,token,consented_at[,promise] from CSV or .xlsx; bad rows are listed, good ones kept."""
    topic_id, owner = topic_named(topic, fanpage)
    try:
        content = read_file(file)
    except OSError as unreadable:
        text = "{file} cannot be read: {why}"
        raise Invalid([problem("file", text, file=str(file), why=unreadable.strerror or "error")]) from None
    done = imports.import_opt_ins(COMMAND_LINE, owner.id, topic_id=topic_id, data=content, now=utc_now())
    rejected = [{"row": r.row, "reason": r.reason} for r in done.rejected]
    notes = [note.message for note in done.notes]
    data = {
        "imported": done.imported,
        "duplicates": done.duplicates,
        "rejected": rejected,
        "cleaned": done.cleaned,
        "notes": notes,
    }
    if done.withdrawn:
        data["withdrawn"] = done.withdrawn  # of the imported
    listed = "".join(f"\n  row {r['row']}: {r['reason']}" for r in rejected)
    noted = "".join(f"\n{note}" for note in notes)
    no = f" ({done.withdrawn} of them withdrawn by their customers, never used)" if done.withdrawn else ""
    text = f"{done.imported} imported{no}, {done.duplicates} known already, {len(rejected)} rejected."
    print_answer(as_json, data, text + listed + noted)


@app.command()
@database_command
def withdraw(
    psid: Annotated[str, typer.Argument(metavar="PSID")],
    topic: Annotated[str | None, typer.Option(help="Name of the topic; without it, all topics.")] = None,
    fanpage: FanpageId = None,
    as_json: Json = False,
) -> None:
    """The customer said no; remembered also when nothing is open, until they tap anew themselves."""
    topic_id, owner = topic_named(topic, fanpage) if topic else (None, fanpage_named(fanpage))
    ended = withdraw_person(COMMAND_LINE, owner.id, psid, topic_id=topic_id, now=utc_now())
    print_answer(as_json, {"withdrawn": ended}, f"{ended} opt-ins withdrawn; the no is remembered.")


@app.command()
@database_command
def export(topic: TopicName, fanpage: FanpageId = None, xlsx: Workbook = None, as_json: Json = False) -> None:
    """CSV on standard output (with --json, too), or a workbook; tokens stay sealed in the database."""
    topic_id, owner = topic_named(topic, fanpage)
    chosen, now = OptInFilter(topic_id=topic_id), utc_now()
    record_export(COMMAND_LINE, f"opt-ins.{'xlsx' if xlsx else 'csv'}", [owner.id], now=now)
    csv = csv_opt_ins(owner.id, chosen, now=now)
    answer_file(as_json, csv, xlsx, lambda: workbook_opt_ins(owner.id, chosen, now=now))
