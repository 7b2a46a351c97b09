"""`alert …`: what people outside the panel are told."""

from __future__ import annotations

import typer

from core.accounts.rules import COMMAND_LINE
from core.alerts import actions
from core.clock import utc_now
from core.commands.input_output import Json, command, print_answer

app = typer.Typer(no_args_is_help=True, help="What people outside the panel are told.")


@app.callback()
def group() -> None:
    """Alerts by e-mail, webhook and whatever else is set up."""


@app.command("test")
@command
def send_test(as_json: Json = False) -> None:
    """Send a test alert now by each channel that is set up (OTN_ALERT_EMAIL, OTN_ALERT_URL)."""
    sent = actions.send_test(COMMAND_LINE, now=utc_now())
    print_answer(as_json, {"sent": sent}, f"Sent by: {', '.join(sent)}. Look whether it has arrived.")
