"""`migrate`, `worker`, `simulator`, `run`, `demo`: what brings the product up."""

from __future__ import annotations

from core import logs
from core.backups.restored import hold_unreleased_copy
from core.clock import utc_now
from core.commands.input_output import Json, command, print_answer
from core.db import holding, migrations
from core.installation import key_check


@command
def migrate(as_json: Json = False) -> None:
    """Bring the database up to date; safe to repeat."""
    revision = migrations.upgrade()
    print_answer(as_json, {"revision": revision}, f"The database is at revision {revision}.")


@command
def worker(as_json: Json = False) -> None:  # noqa: ARG001
    """Start and send what is due; SIGTERM ends it within five seconds."""
    from core import worker as process

    migrations.refuse_unless_current()
    holding.refuse_if_moved()
    key_check.refuse_another_key()
    logs.configure()
    hold_unreleased_copy(now=utc_now())
    process.run()


@command
def simulator(as_json: Json = False) -> None:  # noqa: ARG001
    """A simulated Messenger on OTN_SIMULATOR_PORT, for the demo and for trying things out."""
    from core.simulator import serve

    logs.configure()
    serve()


@command
def run(as_json: Json = False) -> None:  # noqa: ARG001
    """Everything on one machine; the demo while no fanpage is connected."""
    from core.operations import supervisor

    supervisor.run()


@command
def demo(as_json: Json = False) -> None:  # noqa: ARG001
    """Everything on one machine, with the demo fanpage, whatever else is connected."""
    from core.operations import supervisor

    supervisor.run(demo=True)
