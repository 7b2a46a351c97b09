"""The line to Messenger that each fanpage uses: one per process, made anew when its token changes."""

from __future__ import annotations

import threading
from functools import lru_cache

from sqlalchemy import select
from sqlmodel import col

from core.database import reading
from core.errors import N_, NotFound, WrongState
from core.messenger.client import Messenger
from core.messenger.transport import Transport
from core.sealing import unseal
from core.settings import kept_secret, settings
from core.tables import Fanpage

DEMO_SECRET_FILE = "demo-app.secret"  # what the simulator's app and our demo share
POOL_SIZE = 256  # as many calls at once as the worker has threads
CONNECT_SECONDS, READ_SECONDS = 3.05, 20.0

_Key = tuple[str, str, bool, str, str]
_lines: dict[int, tuple[_Key, Messenger]] = {}
_lock = threading.Lock()


def messenger_for(fanpage_id: int) -> Messenger:
    """Cheap to ask each time. NotFound, WrongState without a token, CannotOpen under another key."""
    columns = (col(Fanpage.page_id), col(Fanpage.token_sealed), col(Fanpage.is_demo))
    with reading() as db:
        row = db.execute(select(*columns).where(col(Fanpage.id) == fanpage_id)).one_or_none()
    if row is None:
        raise NotFound(N_("This fanpage is no longer connected."))
    page_id, token_sealed, is_demo = row
    if token_sealed is None:
        raise WrongState(N_("This fanpage has no access token; an admin has to connect it again."))
    base_url, _ = _server(is_demo)
    key: _Key = (page_id, token_sealed, is_demo, base_url, settings().graph_version)
    with _lock:
        known = _lines.get(fanpage_id)
        if known is not None and known[0] == key:
            return known[1]
        # The old line is left to those who still use it: closing it could cut a call short.
        _lines[fanpage_id] = (key, open_line(page_id, unseal(token_sealed), is_demo=is_demo))
        return _lines[fanpage_id][1]


def open_line(page_id: str, token: str, *, is_demo: bool) -> Messenger:
    """A line for a token that is not kept yet."""
    base_url, app_secret = _server(is_demo)
    return Messenger(
        page_id,
        token,
        base_url=base_url,
        version=settings().graph_version,
        app_secret=app_secret,
        transport=_transport(base_url),
    )


@lru_cache(maxsize=8)
def _transport(base_url: str) -> Transport:
    """All fanpages use the same connections: a mixed call goes by any of them, and two hundred slow fanpages
    would each have to open one anew for every few calls."""
    return Transport(
        base_url, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, pool_size=POOL_SIZE
    )


def _server(is_demo: bool) -> tuple[str, str]:
    if is_demo:
        return f"http://127.0.0.1:{settings().simulator_port}", kept_secret(DEMO_SECRET_FILE)
    return settings().graph_url, settings().app_secret.get_secret_value()
