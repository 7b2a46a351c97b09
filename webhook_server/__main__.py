"""`python -m webhook_server`: the server on OTN_WEBHOOK_PORT, with JSON logs."""

from __future__ import annotations

import logging
import sys

import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from core.db import migrations
from core.errors import OperatorError
from core.installation import key_check
from core.installation.private_files import make_files_private
from core.settings import describe_refusal, settings
from webhook_server import logs
from webhook_server.connections import LimitedProtocol, allow_file_handles

STOP_SECONDS = 10
KEEP_ALIVE_SECONDS = 75  # longer than a proxy keeps a connection, so that we never close one that it uses


def main() -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    logs.configure()
    make_files_private()
    allow_file_handles()
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # says where it listens, and that it has ended
    try:
        host, port = settings().webhook_host, settings().webhook_port
        migrations.refuse_unless_current()
        key_check.refuse_another_key()
    except (OperatorError, ValidationError) as refused:
        sys.exit(f"Error: {describe_refusal(refused)}")
    except SQLAlchemyError:
        pass  # the database is gone for the moment: the server says so itself
    uvicorn.run(
        "webhook_server.main:app",
        host=host,
        http=LimitedProtocol,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the signature says who asks; addresses are not used
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    main()
