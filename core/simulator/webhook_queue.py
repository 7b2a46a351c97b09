"""The waiting webhook events of a page: signed over the exact bytes, bundled, retried, at least once."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from core.messenger import signature
from core.simulator.behaviour import Behaviour
from core.simulator.entities import Page
from core.simulator.faults import Fault, Faults
from core.simulator.store import Store

_numbers = itertools.count(1)
EVENTS_PER_ENTRY = 10  # so that receivers must walk both lists


class Surroundings(Protocol):
    """What the deliveries need of the world that holds them."""

    behaviour: Behaviour
    faults: Faults
    store: Store
    pages: dict[str, Page]

    @property
    def lock(self) -> AbstractContextManager[Any]: ...

    def now(self) -> float: ...

    def keep_page(self, page: Page) -> None: ...


@dataclass
class OutgoingEvent:
    """A webhook event that waits to be delivered; `due` is in seconds of the world's clock."""

    key: str
    page_id: str
    list_name: str  # messaging, standby or changes
    body: str  # ASCII JSON
    due: float

    @classmethod
    def fresh(cls, page_id: str, event: dict[str, Any], list_name: str, now: float) -> OutgoingEvent:
        return cls(f"{now:017.6f}-{next(_numbers):012d}", page_id, list_name, _ascii(event), now)


def _ascii(value: object) -> str:
    """As the platform writes JSON: non-ASCII as \\uXXXX, and `/` as `\\/`."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


@dataclass
class DispatchReport:
    """How the deliveries to a page's webhook went."""

    waiting: int = 0
    delivered: int = 0
    posts: int = 0
    failures: int = 0
    last_error: str = ""
    failing_since: float | None = None
    unsubscribed: bool = False  # by the platform, after an hour of failures


class PageQueue:
    """The waiting events of one page, and the thread that delivers them."""

    def __init__(self, world: Surroundings, page_id: str) -> None:
        self.world, self.page_id = world, page_id
        self.report = DispatchReport()
        self.changed = threading.Condition()
        self.events: dict[str, OutgoingEvent] = {}
        self._tries = 0
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._keep, name="simulator-dispatcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with self.changed:
            self._stopping = True
            self.changed.notify_all()
        if self._thread:
            self._thread.join()
            self._thread = None

    def add(self, event: OutgoingEvent) -> None:
        with self.changed:
            self.events[event.key] = event
            self.changed.notify_all()

    def _keep(self) -> None:
        session = requests.Session()
        session.trust_env = False
        while not self._stopping:
            self._wait_for_events()
            if not self._stopping and (events := self._due()):
                self._nap(self._deliver(session, events))
        session.close()

    def _wait_for_events(self) -> None:
        with self.changed:
            if not self.events:
                self.changed.wait_for(lambda: self.events or self._stopping)
            elif not self._due():
                self.changed.wait(0.05)  # all of them are late on purpose
        self._nap(self.world.behaviour.webhook_linger_seconds)

    def _due(self) -> list[OutgoingEvent]:
        now, most = self.world.now(), self.world.behaviour.webhook_bundle
        with self.changed:
            return list(itertools.islice((each for each in self.events.values() if each.due <= now), most))

    def _nap(self, seconds: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self._stopping, timeout=seconds)

    def _deliver(self, session: requests.Session, events: list[OutgoingEvent]) -> float:
        """One POST; returns how long to wait before the next."""
        page = self.world.pages[self.page_id]
        self.report.posts += 1
        problem = _post_events(session, page, self._as_sent(events), self._secret(page), self.world)
        if problem is None:
            self._tries, self.report.failing_since = 0, None
            self.report.delivered += len(events)
            self._done(events)
            return 0.0
        return self._failed(page, problem)

    def _failed(self, page: Page, problem: str) -> float:
        now, behaviour = self.world.now(), self.world.behaviour
        self.report.failures += 1
        self.report.last_error = problem
        with self.changed:
            self.report.failing_since = self.report.failing_since or now
            self.changed.notify_all()
        if now - self.report.failing_since >= behaviour.webhook_unsubscribe_after_seconds:
            self._unsubscribe(page)
            return 0.0
        pauses = behaviour.webhook_retry_seconds
        self._tries += 1
        return float(pauses[min(self._tries, len(pauses)) - 1])

    def _unsubscribe(self, page: Page) -> None:
        """End the subscription as the platform does: what was waiting is lost, and nobody can
        ask for it again."""
        self.report.unsubscribed, self.report.failing_since, self._tries = True, None, 0
        with self.world.lock:
            page.subscribed_fields = []
            self.world.keep_page(page)
        self._done(list(self.events.values()))

    def _done(self, events: list[OutgoingEvent]) -> None:
        with self.changed:
            for event in events:
                self.events.pop(event.key, None)
                self.world.store.drop("event", event.key)
            self.changed.notify_all()

    def _as_sent(self, events: list[OutgoingEvent]) -> list[OutgoingEvent]:
        sent = []
        for event in events:
            sent += [event] * (2 if self._hit("webhook_duplicate") else 1)
        return sent[::-1] if self._hit("webhook_reorder") else sent

    def _secret(self, page: Page) -> str:
        return "somebody-else" if self._hit("webhook_bad_signature") else page.app_secret

    def _hit(self, name: str) -> Fault | None:
        return self.world.faults.hit(self.page_id, {name: ""})


def _post_events(
    session: requests.Session, page: Page, events: list[OutgoingEvent], secret: str, world: Surroundings
) -> str | None:
    body = _envelope(page.page_id, events, int(world.now() * 1000)).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "facebookexternalua",
        "X-Hub-Signature-256": signature.sign(secret, body),
    }
    try:
        answer = session.post(
            page.webhook_url,
            data=body,
            headers=headers,
            timeout=world.behaviour.webhook_timeout_seconds,
            allow_redirects=False,
        )
    except requests.RequestException as problem:
        return type(problem).__name__
    return None if answer.status_code == 200 else f"HTTP {answer.status_code}"


def _envelope(page_id: str, events: list[OutgoingEvent], time_ms: int) -> str:
    entries = []
    for list_name in dict.fromkeys(each.list_name for each in events):
        bodies = [each.body for each in events if each.list_name == list_name]
        for start in range(0, len(bodies), EVENTS_PER_ENTRY):
            chunk = ",".join(bodies[start : start + EVENTS_PER_ENTRY])
            entries.append(f'{{"id":{json.dumps(page_id)},"time":{time_ms},"{list_name}":[{chunk}]}}')
    return f'{{"object":"page","entry":[{",".join(entries)}]}}'
