"""All senders, by the name that a broadcast keeps."""

from __future__ import annotations

import structlog

from core.sending.senders.inside_window import InsideWindow
from core.sending.senders.one_time_token import OneTimeToken
from core.sending.senders.opt_in_saver import OptInSaver
from core.sending.senders.sender import Sender

log = structlog.get_logger(__name__)

_BY_TOKEN, _IN_WINDOW = OneTimeToken(), InsideWindow()
SENDERS: dict[str, Sender] = {
    each.name: each for each in (_BY_TOKEN, _IN_WINDOW, OptInSaver(_BY_TOKEN, _IN_WINDOW))
}


def find(name: str) -> Sender | None:
    """The sender of this name, or None for one that only a newer version knows: what it would send waits for
    a worker of that version."""
    found = SENDERS.get(name)
    if found is None:
        log.error("sender_not_found", sender=name)
    return found
