"""The simulated world: pages, people, their threads, and the platform's own record of one-time tokens.

Everything is in memory under one lock, and changes are passed to the store.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from core.simulator.behaviour import Behaviour
from core.simulator.dispatcher import WebhookDispatcher
from core.simulator.entities import (
    IssuedToken,
    NotPossible,
    Page,
    PostComment,
    SendRecord,
    SimulatedPerson,
    ThreadMessage,
)
from core.simulator.faults import Faults
from core.simulator.quota import QuotaCounter
from core.simulator.scheduler import Scheduler
from core.simulator.store import Store
from core.simulator.webhook_queue import OutgoingEvent


class World:
    """`World(path)` continues what the file holds; `World()` lives in memory only."""

    def __init__(self, path: str = ":memory:", clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.ahead_seconds = 0.0  # how far the control API has put the clock forward
        self.lock = threading.RLock()
        self.behaviour = Behaviour()
        self.faults = Faults()
        self.quota = QuotaCounter(self.behaviour)
        self.store = Store(path)
        self.scheduler = Scheduler(self.now)
        self.dispatcher = WebhookDispatcher(self)
        self.pages: dict[str, Page] = {}
        self.people: dict[str, SimulatedPerson] = {}
        self.tokens: dict[str, IssuedToken] = {}
        self.threads: dict[str, list[ThreadMessage]] = defaultdict(list)
        self.bubbles: dict[str, ThreadMessage] = {}
        self.comments: dict[str, PostComment] = {}
        self.sends: list[SendRecord] = []
        self.counts: dict[str, int] = defaultdict(int)  # people per page
        self.requests = 0  # HTTP requests to the messages edge or a batch
        self.base_url = ""  # where it is served
        self._page_of_token: dict[str, str] = {}
        self._load()

    def start(self) -> None:
        self.scheduler.start()
        self.dispatcher.start()

    def stop(self) -> None:
        self.scheduler.stop()
        self.dispatcher.stop()
        self.store.close()

    def now(self) -> float:
        return self._clock() + self.ahead_seconds

    def go_ahead(self, seconds: float) -> None:
        """Put the world's clock forward, so that windows close and tokens age."""
        self.ahead_seconds += seconds
        self.scheduler.wake()
        self.dispatcher.wake()

    def later(self, seconds: float, task: Callable[[], None]) -> None:
        """Do something after about so many seconds, varied by the jitter; at once when they are 0."""
        if seconds <= 0:
            task()
            return
        spread = self.behaviour.jitter
        self.scheduler.at(self.now() + seconds * random.uniform(1 - spread, 1 + spread), task)

    # Pages and people

    def add_page(self, page_id: str, name: str, token: str, **more: Any) -> Page:
        """Add a page, or change what is given of one that is there."""
        with self.lock:
            page = self.pages.get(page_id)
            if page is None:
                page = self.pages[page_id] = Page(page_id, name, token, **more)
            else:
                self._page_of_token.pop(page.token, None)
                for key, value in {"name": name, "token": token, **more}.items():
                    setattr(page, key, value)
            self._page_of_token[page.token] = page_id
            self.keep_page(page)
            return page

    def remove_page(self, page_id: str) -> None:
        """Remove a page with its people, their threads and tokens."""
        with self.lock:
            page = self.pages.pop(page_id)
            self._page_of_token.pop(page.token, None)
            self.store.drop("page", page_id)
            for psid in [each.psid for each in self.people.values() if each.page_id == page_id]:
                self.forget_thread(psid)
                del self.people[psid]
                self.store.drop("person", psid)
            for word in [each.token for each in self.tokens.values() if each.page_id == page_id]:
                del self.tokens[word]
                self.store.drop("token", word)
            self.counts[page_id] = 0
            self.sends = [each for each in self.sends if each.page_id != page_id]

    def page_by_token(self, token: str) -> Page | None:
        return self.pages.get(self._page_of_token.get(token, ""))

    def page(self, page_id: str) -> Page:
        if page_id not in self.pages:
            raise NotPossible(f"no page {page_id!r}")
        return self.pages[page_id]

    def add_person(
        self, page_id: str, first_name: str, psid: str | None = None, **more: Any
    ) -> SimulatedPerson:
        with self.lock:
            self.page(page_id)
            psid = psid or self._fresh_psid()
            if psid not in self.people:
                self.counts[page_id] += 1
            person = self.people[psid] = SimulatedPerson(psid, page_id, first_name, **more)
            self.keep_person(person)
            return person

    def person(self, psid: str) -> SimulatedPerson:
        if psid not in self.people:
            raise NotPossible(f"no person {psid!r}")
        return self.people[psid]

    def _fresh_psid(self) -> str:
        while True:
            # 17 digits, beyond what a double holds exactly: a client that parses ids as numbers fails here.
            psid = str(random.randint(2 * 10**16, 10**17 - 1))
            if psid not in self.people:
                return psid

    # Bubbles and tokens

    def add_bubble(
        self,
        person: SimulatedPerson,
        message: dict[str, Any],
        *,
        by_page: bool,
        at: float | None = None,
        token: str | None = None,
    ) -> ThreadMessage:
        bubble = ThreadMessage(
            number=len(self.bubbles) + 1,
            mid="m_" + secrets.token_urlsafe(72),
            page_id=person.page_id,
            psid=person.psid,
            by_page=by_page,
            at=self.now() if at is None else at,
            message=message,
            token=token,
        )
        self._file_bubble(bubble)
        self.keep_bubble(bubble)
        return bubble

    def issue_token(
        self, person: SimulatedPerson, *, payload: str = "", title: str = "", at: float | None = None
    ) -> IssuedToken:
        length = max(self.behaviour.token_length, 24)
        with self.lock:
            word = secrets.token_urlsafe(length)[:length]
            when = self.now() if at is None else at
            token = self.tokens[word] = IssuedToken(word, person.page_id, person.psid, when, payload, title)
            self.keep_token(token)
            return token

    def forget_thread(self, psid: str) -> None:
        """Delete a thread, as the person does on their phone. Tokens stay as they are."""
        with self.lock:
            person = self.person(psid)
            for bubble in self.threads.pop(psid, []):
                self.bubbles.pop(bubble.mid)
                self.store.drop("bubble", bubble.mid)
            person.met = False
            self.keep_person(person)

    def date_earlier(self, page_id: str, seconds: float) -> int:
        """Date every message that a page has sent by token earlier. Returns how many those were."""
        with self.lock:
            used = [each for each in self.tokens.values() if each.page_id == page_id and each.used_at]
            for token in used:
                token.used_at = (token.used_at or 0) - seconds
                self.keep_token(token)
                if bubble := self.bubbles.get(token.mid or ""):
                    bubble.at -= seconds
                    self.keep_bubble(bubble)
            return len(used)

    # Webhooks

    def emit(self, page: Page, field: str, event: dict[str, Any], *, list_name: str = "messaging") -> None:
        """Queue one event for the page's webhook, if its app has subscribed to that field."""
        if page.webhook_url and field in page.subscribed_fields:
            self.dispatcher.post(OutgoingEvent.fresh(page.page_id, event, list_name, self.now()))

    # The store

    def keep_page(self, page: Page) -> None:
        self.store.put("page", page.page_id, vars(page))

    def keep_person(self, person: SimulatedPerson) -> None:
        self.store.put("person", person.psid, vars(person))

    def keep_bubble(self, bubble: ThreadMessage) -> None:
        self.store.put("bubble", bubble.mid, vars(bubble))

    def keep_comment(self, comment: PostComment) -> None:
        self.store.put("comment", comment.comment_id, vars(comment))

    def keep_token(self, token: IssuedToken) -> None:
        self.store.put("token", token.token, vars(token))

    def _load(self) -> None:
        bubbles: list[ThreadMessage] = []
        for kind, _key, body in self.store.load():
            if kind == "page":
                page = self.pages[body["page_id"]] = Page(**body)
                self._page_of_token[page.token] = page.page_id
            elif kind == "person":
                person = self.people[body["psid"]] = SimulatedPerson(**body)
                self.counts[person.page_id] += 1
            elif kind == "token":
                self.tokens[body["token"]] = IssuedToken(**body)
            elif kind == "comment":
                self.comments[body["comment_id"]] = PostComment(**body)
            elif kind == "bubble":
                bubbles.append(ThreadMessage(**body))
            elif kind == "event":
                self.dispatcher.post(OutgoingEvent(**body), fresh=False)
        for bubble in sorted(bubbles, key=lambda each: each.number):
            self._file_bubble(bubble)

    def _file_bubble(self, bubble: ThreadMessage) -> None:
        self.threads[bubble.psid].append(bubble)
        self.bubbles[bubble.mid] = bubble
        if bubble.by_page:
            self.sends.append(SendRecord(bubble.at, bubble.page_id, bubble.psid, bubble.token, bubble.mid))
