"""The command line: `python -m core COMMAND`. Logs go to standard error, answers to standard output."""

from __future__ import annotations

import logging
import sys

import typer

from core import logs
from core.commands import (
    alert,
    backup,
    bench,
    broadcast,
    doctor,
    error_handling,
    events,
    fanpage,
    forget,
    keys,
    message,
    move,
    operator,
    optin,
    processes,
    promise,
    topic,
)
from core.installation.private_files import make_files_private

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Notify Once: one-time notification campaigns on Facebook Messenger.",
)
app.add_typer(operator.app, name="operator")
app.add_typer(fanpage.app, name="fanpage")
app.add_typer(topic.app, name="topic")
app.add_typer(optin.app, name="optin")
app.add_typer(message.app, name="message")
app.add_typer(promise.app, name="promise")
app.add_typer(broadcast.app, name="broadcast")
app.add_typer(alert.app, name="alert")
app.add_typer(events.app, name="events")
app.add_typer(bench.app, name="bench")
for command in (processes.migrate, processes.worker, processes.simulator, processes.run, processes.demo):
    app.command()(command)
app.command()(doctor.doctor)
app.command()(forget.forget)
app.command()(move.move)
app.command()(move.stop)
app.command()(move.hold)
app.command()(move.release)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(backup.carry_over)
app.command()(keys.rekey)
app.command()(keys.accept_key)


def main() -> None:
    make_files_private()
    logs.configure(logging.WARNING)
    sys.exit(error_handling.run(app, sys.argv[1:]))


if __name__ == "__main__":
    main()
