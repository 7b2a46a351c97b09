"""The connection to Messenger of each fanpage: one in a process, made anew when the token changes."""

from __future__ import annotations

import threading
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import col

from core.clicks.short_links import link_address
from core.db import bulk
from core.db.engine import reading
from core.db.tables import Fanpage
from core.encryption import decrypt
from core.errors import N_, NotFound, WrongState
from core.messenger.client import Messenger
from core.messenger.transport import Transport
from core.settings import kept_secret, settings

DEMO_SECRET_FILE = "demo-app.secret"  # what the simulator's app and our demo share
POOL_SIZE = 256  # as many calls at once as the worker has threads
CONNECT_SECONDS, READ_SECONDS = 3.05, 20.0


class _Row(NamedTuple):
    page_id: str
    token_sealed: str | None
    is_demo: bool


_Key = tuple[_Row, str, str]
_connections: dict[int, tuple[_Key, Messenger]] = {}
_lock = threading.Lock()


def messenger_for(fanpage_id: int) -> Messenger:
    """The connection of a fanpage. It is kept, so asking is cheap. Raises NotFound, WrongState when there is
    no token, CannotDecrypt when the token was encrypted with another key, and what its server's secret raises
    that cannot be read."""
    connection = find_connections([fanpage_id])[fanpage_id]
    if isinstance(connection, Exception):
        raise connection
    return connection


def find_connections(fanpage_ids: Collection[int]) -> dict[int, Messenger | Exception]:
    """The connections of several fanpages, by one read; an error stands for each that cannot be made."""
    columns = (col(Fanpage.id), col(Fanpage.page_id), col(Fanpage.token_sealed), col(Fanpage.is_demo))
    with reading() as db:
        rows = db.execute(select(*columns).where(col(Fanpage.id).in_(bulk.among(sorted(fanpage_ids)))))
        found = {row[0] or 0: _Row(*row[1:]) for row in rows}
    return {fanpage_id: _connection(fanpage_id, found.get(fanpage_id)) for fanpage_id in fanpage_ids}


def _connection(fanpage_id: int, row: _Row | None) -> Messenger | Exception:
    if row is None:
        return NotFound(N_("This fanpage is no longer connected."))
    if row.token_sealed is None:
        return WrongState(N_("This fanpage has no access token; an admin has to connect it again."))
    try:
        base_url, _ = _server(row.is_demo)
        key: _Key = (row, base_url, settings().graph_version)
        with _lock:
            known = _connections.get(fanpage_id)
            if known is None or known[0] != key:
                # The former one is not closed: somebody may be using it for a call.
                connection = open_connection(row.page_id, decrypt(row.token_sealed), is_demo=row.is_demo)
                _connections[fanpage_id] = known = (key, connection)
            return known[1]
    except Exception as problem:  # whatever it is, the other fanpages have theirs
        return problem


def forget_connections() -> None:
    """Make every connection anew when it is next asked for, as after a start of the process."""
    with _lock:
        _connections.clear()


def open_connection(page_id: str, token: str, *, is_demo: bool) -> Messenger:
    """Make a connection for a token that is not stored yet."""
    base_url, app_secret = _server(is_demo)
    return Messenger(
        page_id,
        token,
        base_url=base_url,
        version=settings().graph_version,
        app_secret=app_secret,
        transport=_transport(base_url),
        link_address=link_address(is_demo=is_demo),
    )


@lru_cache(maxsize=8)
def _transport(base_url: str) -> Transport:
    """All fanpages share the HTTP connections to a server: otherwise two hundred slow fanpages would each
    have to open one anew for every few calls."""
    return Transport(
        base_url, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, pool_size=POOL_SIZE
    )


def _server(is_demo: bool) -> tuple[str, str]:
    if is_demo:
        return f"http://127.0.0.1:{settings().simulator_port}", kept_secret(DEMO_SECRET_FILE)
    return settings().graph_url, settings().app_secret.get_secret_value()
