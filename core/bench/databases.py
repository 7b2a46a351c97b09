"""Makes a fresh database for a benchmark and removes it afterwards."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text

from core.db.engine import forget_engines
from core.settings import database_url, override_settings


@contextmanager
def fresh_database(server_url: str | None) -> Iterator[None]:
    """Point this process's settings at a new SQLite file, or at a new database on the named
    server, while the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        server_url = database_url(server_url) if server_url else None
        name = f"otn_bench_{secrets.token_hex(4)}"
        if server_url:
            url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
            _execute(server_url, f"CREATE DATABASE {name}")
        else:
            url = f"sqlite:///{folder}/bench.db"
        try:
            override_settings(data_dir=folder, database_url=url)
            forget_engines()
            yield
        finally:
            forget_engines()
            if server_url:
                _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server_url: str, statement: str) -> None:
    server = create_engine(server_url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    with server.connect() as connection:
        connection.execute(text(statement))
    server.dispose()
