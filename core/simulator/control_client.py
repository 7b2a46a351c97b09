"""The client of the simulator's control API, for tests, the demo and the phone page."""

from __future__ import annotations

from typing import Any

import requests


class SimulatorUnreachable(Exception):
    """The simulator is not running."""


class NotPossibleForPerson(Exception):
    """The person cannot do this on their phone now, or something unknown was named."""


class SimulatorClient:
    """A connection to a running simulator."""

    def __init__(self, base_url: str, *, timeout_seconds: float = 30.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> SimulatorClient:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    # Pages

    def pages(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/pages")["pages"])

    def page(self, page_id: str) -> dict[str, Any]:
        """The page as the platform knows it, without its secrets."""
        return next((page for page in self.pages() if page["page_id"] == page_id), {"profile": {}})

    def save_page(self, page_id: str, **values: Any) -> dict[str, Any]:
        """A page made or changed: name, token, app_secret, verify_token, webhook_url, subscribed_fields, …"""
        return self._call("POST", "/pages", {"page_id": page_id, **values})

    def remove_page(self, page_id: str) -> None:
        self._call("DELETE", f"/pages/{page_id}")

    def verify_webhook(self, page_id: str) -> bool:
        return bool(self._call("POST", f"/pages/{page_id}/verify")["verified"])

    def issue_tokens(self, page_id: str, count: int = 1, **more: Any) -> list[dict[str, str]]:
        """[{psid, token}]; with `psids` for these people, else each for a new person."""
        return list(self._call("POST", f"/pages/{page_id}/tokens", {"count": count, **more})["tokens"])

    def books(self, page_id: str, *, since: float = 0, short: bool = False) -> dict[str, Any]:
        return self._call("GET", f"/books/{page_id}?since={since}&short={int(short)}")

    # People

    def people(self, page_id: str) -> list[dict[str, Any]]:
        return list(self._call("GET", f"/people?page_id={page_id}")["people"])

    def add_people(self, page_id: str, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return list(self._call("POST", "/people", {"page_id": page_id, "people": people})["people"])

    def change_person(self, psid: str, **values: Any) -> dict[str, Any]:
        return self._call("PATCH", f"/people/{psid}", values)

    def thread(self, psid: str) -> dict[str, Any]:
        """{person, bubbles}"""
        return self._call("GET", f"/people/{psid}/thread")

    def delete_thread(self, psid: str) -> None:
        self._call("DELETE", f"/people/{psid}/thread")

    def act(self, psid: str, act: str, **values: Any) -> dict[str, Any]:
        """Let a person do one of the things in `core.simulator.actions.PERSON_ACTIONS`."""
        return self._call("POST", f"/people/{psid}/{act}", values)

    def act_all(self, acts: list[dict[str, Any]]) -> None:
        """Many acts at once: [{psid, act, …}], in order."""
        self._call("POST", "/acts", {"acts": acts})

    def date_earlier(self, page_id: str, seconds: float) -> None:
        """Dates the notifications a page has sent by token earlier."""
        self._call("POST", f"/pages/{page_id}/earlier", {"seconds": seconds})

    def say(self, psid: str, text: str, **more: Any) -> dict[str, Any]:
        return self.act(psid, "say", text=text, **more)

    def notify_me(self, psid: str, **more: Any) -> dict[str, Any]:
        return self.act(psid, "notify_me", **more)

    def policy(self, page_id: str, action: str, reason: str | None = None, **more: Any) -> None:
        """Meta's word on a page: "warning", "block" or "unblock"; `old_spelling` for the hyphen, `at`."""
        named = {} if reason is None else {"reason": reason}
        self._call("POST", f"/pages/{page_id}/policy", {"action": action, **named, **more})

    # The platform's moods

    def fault(self, name: str, **more: Any) -> None:
        """Switches a misbehaviour on: share, count, after, value, page_id."""
        self._call("POST", "/faults", {"name": name, **more})

    def end_faults(self, name: str | None = None) -> None:
        self._call("DELETE", f"/faults/{name}" if name else "/faults")

    def usage(self, percent: float | None = None, minutes: float = 0) -> None:
        self._call("POST", "/usage", {"percent": percent, "minutes": minutes})

    def settings(self, **changes: Any) -> dict[str, Any]:
        return self._call("POST", "/settings", changes)

    def go_ahead(self, seconds: float) -> float:
        """Puts the simulator's clock forward; its time now."""
        return float(self._call("POST", "/clock", {"ahead_seconds": seconds})["now"])

    def emit(self, page_id: str, events: list[dict[str, Any]], **more: Any) -> None:
        self._call("POST", "/emit", {"page_id": page_id, "events": events, **more})

    def webhooks_delivered(self, page_id: str, timeout: float = 10) -> dict[str, Any]:
        """Waits until no webhook event is waiting; how deliveries went."""
        return self._call("POST", f"/webhooks/{page_id}", {"timeout": timeout})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._session.request(
                method, f"{self.base_url}/control{path}", json=body, timeout=self._timeout
            )
        except requests.ConnectionError as problem:
            raise SimulatorUnreachable(f"no simulator at {self.base_url}") from problem
        try:
            told: dict[str, Any] = answer.json()
        except requests.JSONDecodeError:
            raise SimulatorUnreachable(f"the simulator failed with HTTP {answer.status_code}") from None
        if answer.status_code != 200:
            raise NotPossibleForPerson(str(told.get("error", answer.status_code)))
        return told
