"""Logs: one JSON object per line on standard error, no secrets, no local variables."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

# Events of work that is tried again several times a second while the database is away, for every fanpage,
# and what any stranger can cause.
THROTTLED = frozenset(
    {
        "database_unavailable",
        "intake_failed",
        "job_not_ended",
        "not_settled_together",
        "queue_lost",
        "queue_not_looked_after",
        "single_sign_on_broken",
        "single_sign_on_failed",
        "single_sign_out_failed",
        "slice_not_ended",
        "webhook_verification_refused",
    }
)
REPEAT_SECONDS = 60.0
# The first warns of every request that is no HTTP, or wants an upgrade that there is not; the second gives a
# traceback for every message of a websocket that it cannot read.
_TELL_OF_STRANGERS = ("uvicorn.error", "streamlit.web.server.starlette.starlette_websocket")
_DETAIL = re.compile(r"DETAIL:.*?(?=\n\[SQL|\n\(Background|\nCONTEXT:|\nHINT:|\Z)", re.DOTALL)
_WELL_FORMED = re.compile(
    r"[0-9A-Za-z_.=:+/-]{8,128}"
)  # what balancers make: UUIDs, hex, "Root=1-67891233-abc"


class ThrottleRepeats:
    """A structlog processor that drops a line of certain events (those of `THROTTLED`, or all) when one of
    the same `trouble`, if it has any, was logged within the last minute; the next line says in `left_out` how
    many were dropped."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, of_all: bool = False) -> None:
        self._clock = clock
        self._of_all = of_all
        self._logged_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, _logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
        event = str(line.get("event"))
        if event not in THROTTLED and not self._of_all:
            return line
        event = f"{event} {line.get('trouble', '')}"
        with self._lock:
            now = self._clock()
            if now - self._logged_at.get(event, float("-inf")) < REPEAT_SECONDS:
                self._left_out[event] = self._left_out.get(event, 0) + 1
                raise structlog.DropEvent
            self._logged_at[event] = now
            left_out = self._left_out.pop(event, 0)
        return {**line, "left_out": left_out} if left_out else line


class ThrottledLibrary(logging.Filter):
    """Lets through one line of each text and kind of error a minute of a library that tells of what any
    stranger sends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._throttle = ThrottleRepeats(clock, of_all=True)

    def filter(self, record: logging.LogRecord) -> bool:
        trouble = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        try:
            left_out = self._throttle(None, "", {"event": record.msg, "trouble": trouble}).get("left_out")
        except structlog.DropEvent:
            return False
        if left_out:
            record.msg = f"{record.msg} (and {left_out} times more since the last such line)"
        return True


def cut_details(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor that takes out of errors what PostgreSQL quotes of a row, such as a PSID."""
    found = line.get("exception")
    for each in found if isinstance(found, list) else []:
        each["exc_value"] = _DETAIL.sub("DETAIL: [removed]", str(each.get("exc_value", "")))
    return line


class NeverFailing:
    """A stream that loses what cannot be written: a full disk or a reader that has gone must not end the
    thread that wanted to say so."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        with suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or keep it for the next time."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def begin_request(given: str = "") -> str:
    """Give what this thread or task does from now on an id, which each of its log lines carries, and return
    it: `given`, which a proxy made, when it is well-formed, else a new one."""
    request_id = given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(6)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def request_id() -> str:
    """The id of what this thread or task does; it gets one when it has none."""
    return structlog.contextvars.get_contextvars().get("request_id") or begin_request()


def configure(level: int = logging.INFO) -> None:
    """Set up logging as JSON lines on standard error. Every process calls it; the last call counts."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        cut_details,
    ]
    as_json = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[ThrottleRepeats(), *shared, as_json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", NeverFailing(sys.stderr))),
    )
    _route_libraries(shared, as_json)


def _route_libraries(shared: list[Any], as_json: Any) -> None:
    """Write the log lines of libraries in the same form as ours."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, as_json],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for known in [each for each in root.handlers if isinstance(each.formatter, type(formatter))]:
        root.removeHandler(known)
    root.addHandler(handler)
    for name in _TELL_OF_STRANGERS:
        library = logging.getLogger(name)
        if not any(isinstance(each, ThrottledLibrary) for each in library.filters):
            library.addFilter(ThrottledLibrary())
    # At INFO it tells of each websocket, with all of its address.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    # APScheduler says "maximum number of running instances reached" at each tick that finds one running.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    # The pool says at each attempt that it cannot connect, and to which address; we say it ourselves.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
