"""A platform in memory for the sending tests: takes each token once, misbehaves as told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.messenger.batch import TokenSend
from core.messenger.client import GraphRefused
from core.messenger.connection_check import EDGE
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer

USED = Failure(NextStep.TOKEN_REFUSED, "token_refused", 400, 100)
Fault = Callable[[str, int], str | Failure | None]


@dataclass(eq=False)
class Platform:
    """`fault(token, nth try)`: a Failure before acceptance, "lost" for acceptance without an answer, None."""

    fault: Fault = lambda _token, _nth: None
    accepted: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    texts: list[tuple[str, str]] = field(default_factory=list)
    by_psid: Callable[[dict], Failure | None] = lambda _body: None
    to_psids: list[dict] = field(default_factory=list)
    typing: list[str] = field(default_factory=list)
    line_trouble: Failure | None = None  # what any question gets
    profile_trouble: Failure | None = None  # what the question that needs pages_messaging gets
    asked: Counter[str] = field(default_factory=Counter)
    dead: Failure | None = None  # whatever goes by its access token is refused with it
    mixed: list[list[Platform]] = field(default_factory=list)  # whose messages its calls held, when several's
    root: str = "in memory"
    link_address: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def show_typing(self, psid: str, *, on_left: Callable[[], object]) -> None:
        on_left()
        self.typing.append(psid)

    def send_batch(self, sends: list[TokenSend]) -> list[Answer]:
        return [self.send(each.body()) for each in sends]

    def send_mixed(self, items: Sequence[tuple[Platform, TokenSend]]) -> list[Answer] | Failure:
        self.mixed.append([connection for connection, _ in items])
        return self.dead or [connection.send(each.body()) for connection, each in items]

    def send(self, body: dict) -> Answer:
        with self._lock:
            if self.dead:
                return self.dead
            if "id" in body["recipient"]:
                self.to_psids.append(body)
                if refused := self.by_psid(body):
                    return refused
                return Accepted(f"m_reply_{len(self.to_psids)}")
            token = body["recipient"]["one_time_notif_token"]
            self.tries[token] += 1
            fault = self.fault(token, self.tries[token])
            if isinstance(fault, Failure):
                return fault
            if self.accepted[token]:
                return USED
            self.accepted[token] += 1
            self.texts.append((token, body["message"].get("text", "")))
            if fault == "lost":
                return Failure(NextStep.IN_DOUBT, "connection_lost")
            return Accepted(f"m_{token}")

    def get(self, path: str, **params: str) -> dict[str, str]:
        """A harmless question: whether the connection works."""
        self.asked[path] += 1
        trouble = self.dead or self.line_trouble or (self.profile_trouble if path == EDGE else None)
        if trouble:
            raise GraphRefused(trouble)
        return {"id": "100000000000001"}

    def usage(self) -> None:
        return None

    def profile(self, psid: str) -> None:
        return None
