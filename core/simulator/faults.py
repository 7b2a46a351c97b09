"""Faults of the platform that can be switched on by name, for a share of the calls.

A share is met exactly, not by chance: 0.3 of ten sends are three sends. `after` lets so many pass first,
`count` ends the fault after so many hits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from core.simulator.entities import GraphError

# One whole HTTP request (a single send, or a batch of up to 50).
REQUEST_FAULTS = {
    "latency": "answers after `value` seconds",
    "http_500_before": "HTTP 500, nothing taken",
    "http_500_after": "everything taken, then HTTP 500",
    "drop_before": "connection lost, nothing taken",
    "drop_after": "everything taken, then the connection is lost",
    "bad_json": "everything taken, then HTTP 200 with a page of HTML",
    "bad_json_before": "HTTP 200 with a page of HTML, nothing taken",
    "html_502_before": "HTTP 502 with a page of HTML, as of a proxy, nothing taken",
    "html_502_after": "everything taken, then HTTP 502 with a page of HTML",
    "html_403_before": "HTTP 403 with a page of HTML, as of a filter on the way, nothing taken",
    "hang_before": "no answer for `value` seconds, then connection lost, nothing taken",
    "hang_after": "everything taken, then no answer for `value` seconds",
    "refuse_all": "the whole request is refused with value {code, subcode, status}",
    "no_message_id": "everything taken, then HTTP 200 with an empty object",
    "batch_1357046": "batch: everything taken, then error 1/1357046",
    "batch_empty": "batch: everything taken, then HTTP 200 with an empty list",
    "batch_longer": "batch: everything taken, then an item more than was asked",
}
# A batch with items that carry access tokens of their own.
MIXED_FAULTS = {
    "mixed_refused": "such a batch is refused as a whole with value {code, subcode, status}, or 100",
    "mixed_tokens_ignored": "every item goes by the token of the batch",
}
# One message of a request. (code, subcode, status) of what is answered.
REFUSALS: dict[str, tuple[int, int | None, int]] = {
    "temporary": (1200, None, 400),
    "unknown_1": (1, None, 400),
    "outage_2": (2, None, 400),
    "unknown_temporary": (2, None, 500),
    "app_limit_4": (4, None, 400),
    "rate_613": (613, None, 400),
    "busy_80006": (80006, None, 400),
    "token_invalid": (190, None, 400),
    "restricted": (10, 1893063, 400),
    "session_102": (102, None, 400),
    "limit_341": (341, None, 400),
    "no_object_33": (100, 33, 400),
    "blocked": (551, 1545041, 400),
    "blocked_551": (551, None, 400),
    "blocked_230": (230, None, 400),
    "not_receiving_200": (200, None, 400),
    "abuse_warning": (613, 2018338, 400),
    "unknown_code": (99999, 9999999, 400),
}
MESSAGE_FAULTS = {
    **{name: f"refuses with {code}/{subcode}" for name, (code, subcode, _) in REFUSALS.items()},
    "refuse": "refuses with value {code, subcode, status}",
    "message_500_before": "HTTP or item status 500, not taken",
    "message_500_after": "taken, then HTTP or item status 500",
    "batch_null": "batch: the item is null, not taken",
    "batch_null_after": "batch: the item is null though it was taken",
    "batch_short": "batch: the item is missing from the answer though it was taken",
}
# The fanpage's app or its permission: strikes sends, and the edges that need the same permission.
ACCOUNT_FAULTS = {
    "permission_gone": "refuses sends and the messenger profile with value {code, subcode, status}, or 230",
}
PROFILE_FAULTS = {
    **ACCOUNT_FAULTS,
    "profile_refused": "refuses the messenger profile only, with value {code, subcode, status}",
}
PROFILE_WRITE_FAULTS = {
    "profile_write_refused": "refuses to change the messenger profile, with value {code, subcode, status}",
    "profile_500_after": "the messenger profile is changed, and 500 answered",
}
MESSAGE_FAULTS.update(ACCOUNT_FAULTS)
WEBHOOK_FAULTS = {
    "webhook_duplicate": "an event is delivered twice",
    "webhook_reorder": "the events of a delivery come in reverse",
    "webhook_late": "an event is delivered `value` seconds late",
    "webhook_bad_signature": "a delivery is signed with another secret",
    "webhook_lost": "an event is never delivered",
}
KNOWN = {
    **REQUEST_FAULTS,
    **MIXED_FAULTS,
    **MESSAGE_FAULTS,
    **PROFILE_FAULTS,
    **PROFILE_WRITE_FAULTS,
    **WEBHOOK_FAULTS,
}


@dataclass
class Fault:
    """A fault that is switched on."""

    name: str
    share: float = 1.0
    count: int | None = None
    after: int = 0
    value: Any = None
    page_id: str | None = None
    psid: str | None = None  # only sends to this person
    hits: int = 0
    _owed: float = field(default=0.0, repr=False)

    def fires(self) -> bool:
        """Whether it strikes this time; asking counts as an occasion."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.count is not None and self.hits >= self.count:
            return False
        self._owed += self.share
        if self._owed < 1 - 1e-9:
            return False
        self._owed -= 1
        self.hits += 1
        return True


class Faults:
    """The faults that are switched on now."""

    def __init__(self) -> None:
        self._active: dict[str, Fault] = {}
        self._lock = threading.Lock()

    def switch_on(self, name: str, **more: Any) -> Fault:
        if name not in KNOWN:
            raise ValueError(f"no fault is called {name!r}; known: {', '.join(sorted(KNOWN))}")
        fault = Fault(name, **more)
        with self._lock:
            self._active[name] = fault
        return fault

    def switch_off(self, name: str | None = None) -> None:
        """Switch off one fault, or all of them."""
        with self._lock:
            if name is None:
                self._active.clear()
            else:
                self._active.pop(name, None)

    def list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {key: value for key, value in asdict(each).items() if key != "_owed"}
                for each in self._active.values()
            ]

    def hit(
        self, page_id: str, among: dict[str, str], psid: Callable[[], str | None] = lambda: None
    ) -> Fault | None:
        """The first active fault among these that strikes now; `psid` is whom a message is for."""
        if not self._active:
            return None
        with self._lock:
            for fault in self._active.values():
                mine = fault.name in among and fault.page_id in (None, page_id)
                mine = mine and (fault.psid is None or fault.psid == psid())
                if mine and fault.fires():
                    return fault
        return None


# With the code of each when none is given.
_SCRIPTED = {
    "refuse": 1,
    "refuse_all": 1,
    "permission_gone": 230,
    "profile_refused": 230,
    "profile_write_refused": 230,
    "mixed_refused": 100,
}


def graph_error_of(fault: Fault) -> GraphError | None:
    """The error that a fault answers with, or None for a fault of another sort."""
    if fault.name in _SCRIPTED:
        given: dict[str, Any] = fault.value or {}
        code, subcode = given.get("code", _SCRIPTED[fault.name]), given.get("subcode")
        status = given.get("status", 400)
    elif fault.name in REFUSALS:
        code, subcode, status = REFUSALS[fault.name]
    elif fault.name == "message_500_before":
        code, subcode, status = 1, None, 500
    else:
        return None
    return GraphError(code, f"(#{code}) Scripted by the fault {fault.name}.", subcode=subcode, status=status)
