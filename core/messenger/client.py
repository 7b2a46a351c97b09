"""The Graph API client of a fanpage. A send never raises: it is accepted, or a Failure says what to do next.

The access token travels in a header or a form field, never in a URL.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from urllib3.filepost import encode_multipart_formdata

from core.messenger.batch import TokenSend, batch_field, item_start, mixed_batch_field
from core.messenger.errors import Failure, NextStep, is_inconclusive
from core.messenger.message_limits import BATCH_LIMIT
from core.messenger.percent_encoding import encode_form
from core.messenger.redaction import without_secrets
from core.messenger.send_responses import (
    Answer,
    json_or_text,
    read_batch,
    read_mixed,
    read_refusal,
    read_send,
)
from core.messenger.signature import appsecret_proof
from core.messenger.token_facts import TokenFacts, read_token_facts
from core.messenger.transport import HttpAnswer, NoAnswer, Transport
from core.messenger.usage import Usage, read_usage, retry_after, tells_usage
from core.messenger.wire import Body, token_spent_by, typing
from core.text.normalise import storable


@dataclass(frozen=True)
class Profile:
    """What the platform says about a person; anything may be missing."""

    first_name: str | None
    last_name: str | None
    locale: str | None


class GraphRefused(Exception):
    """A call other than a send did not succeed. The text of the error is safe to log."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(f"{failure.reason}: {failure.detail}")


class Messenger:
    """The client of one fanpage. It may be used from several threads."""

    def __init__(
        self,
        page_id: str,
        token: str,
        *,
        base_url: str,
        version: str,
        app_secret: str = "",
        connect_timeout: float = 3.05,
        read_timeout: float = 20.0,
        pool_size: int = 16,
        transport: Transport | None = None,
        link_address: str = "",
    ) -> None:
        """Timeouts are in seconds. A given `transport` is shared with other clients, so `close`
        leaves it open. `link_address` is where our short links in its messages lead, if any."""
        self.page_id = page_id
        self.link_address = link_address
        self._token = token
        self._proof = appsecret_proof(app_secret, token) if app_secret else ""
        self._secrets = (token, app_secret, self._proof)
        self.root = f"{base_url.rstrip('/')}/{version}"
        self._closes_transport = transport is None
        self._transport = transport or Transport(
            base_url, connect_timeout=connect_timeout, read_timeout=read_timeout, pool_size=pool_size
        )
        credentials: dict[str, str | bytes] = {"access_token": _bytes(token)}
        if self._proof:
            credentials["appsecret_proof"] = self._proof
        self._batch_form = encode_form({**credentials, "include_headers": "false"})
        self._item_start = item_start(page_id, credentials)
        self._usage: Usage | None = None
        self._asks_locale = True

    def __repr__(self) -> str:
        return f"Messenger(page_id={self.page_id!r}, root={self.root!r})"

    def close(self) -> None:
        """Close the connections, unless they are shared."""
        if self._closes_transport:
            self._transport.close()

    def usage(self) -> Usage | None:
        """How much of the call allowance was used, as the platform said last; None before it says so."""
        return self._usage

    def send(self, body: Body) -> Answer:
        """Send one message."""
        token = token_spent_by(body)
        secrets = (*self._secrets, token) if token else self._secrets
        answer = self._call_json("POST", f"{self.page_id}/messages", {}, body)
        if isinstance(answer, NoAnswer):
            return _failure(answer, secrets)
        return _with_wait(
            read_send(answer.status, json_or_text(answer.body), secrets, by_token=token is not None), answer
        )

    def show_typing(self, psid: str, *, on_left: Callable[[], object]) -> None:
        """Show a person that we are typing. Nothing depends on it: what the platform answers is not read.
        `on_left` is called when it is on its way, before it is answered; never if it could not leave."""
        data = json.dumps(typing(psid)).encode()
        self._call("POST", f"{self.page_id}/messages", {}, data, "application/json", on_left)

    def send_batch(self, sends: Sequence[TokenSend]) -> list[Answer]:
        """Send at most 50 messages in one call. Returns one answer for each, in their order. A single message
        goes as a plain send."""
        if len(sends) > BATCH_LIMIT:
            raise ValueError(f"a batch takes at most {BATCH_LIMIT} messages")
        if len(sends) <= 1:
            return [self.send(each.body()) for each in sends]
        secrets = self._secrets + tuple([each.token for each in sends])
        answer = self._with_usage(self._call_batch(batch_field(sends)))
        if isinstance(answer, NoAnswer):
            return [_failure(answer, secrets)] * len(sends)
        read = read_batch(answer.status, json_or_text(answer.body), len(sends), secrets)
        return [_with_wait(each, answer) for each in read]

    def send_mixed(self, items: Sequence[tuple[Messenger, TokenSend]]) -> list[Answer] | Failure:
        """Send messages of several fanpages in one call, each by its own fanpage's token; this client's token
        is that of the call. Returns one answer for each message, in their order, or a single Failure when the
        call as a whole was refused (see `read_mixed`). All clients must have the same `root`."""
        answer = self._call_batch(mixed_batch_field([(each._item_start, send) for each, send in items]))
        secrets = _secrets_of(items)
        if isinstance(answer, NoAnswer):
            return [_failure(answer, secrets)] * len(items)
        for each in {messenger for messenger, _ in items} if tells_usage(answer.headers) else ():
            each._keep_usage(answer, page_id=each.page_id)
        read = read_mixed(answer.status, json_or_text(answer.body), len(items), secrets)
        if isinstance(read, Failure):
            return read
        return [
            _with_wait(said, answer, page_id=each.page_id)
            for said, (each, _) in zip(read, items, strict=True)
        ]

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """Read an object or an edge. Raises GraphRefused."""
        return self._ask("GET", path, params, None)

    def post(self, path: str, json_body: dict[str, Any] | None = None, **params: str) -> dict[str, Any]:
        """Write to an edge. `params` travel in the URL, so none of them may be a secret. Raises
        GraphRefused."""
        return self._ask("POST", path, params, json_body or {})

    @property
    def signs_calls(self) -> bool:
        """Whether calls carry a proof of the app secret."""
        return bool(self._proof)

    def token_facts(self) -> TokenFacts | None:
        """What the platform says about the access token, or None when it does not tell. As an item of a
        batch, which keeps the token out of the address of a call."""
        url = "debug_token?" + urlencode({"input_token": self._token})
        answer = self._call_batch(urlencode({"batch": json.dumps([{"method": "GET", "relative_url": url}])}))
        parsed = json_or_text(answer.body) if isinstance(answer, HttpAnswer) else None
        return read_token_facts(parsed)

    def upload_image(self, data: bytes, media_type: str) -> str:
        """Hand over an image, and return the id by which messages of this fanpage show it for 90 days. Raises
        GraphRefused."""
        about = {"attachment": {"type": "image", "payload": {"is_reusable": True}}}
        name = f"image.{media_type.rpartition('/')[2]}"
        body, content_type = encode_multipart_formdata(
            {"message": json.dumps(about), "filedata": (name, data, media_type)}
        )
        said = self._read(self._call("POST", f"{self.page_id}/message_attachments", {}, body, content_type))
        return str(said.get("attachment_id") or "")

    def delete(self, path: str, json_body: dict[str, Any]) -> dict[str, Any]:
        """Delete from an edge what the body names. Raises GraphRefused."""
        return self._ask("DELETE", path, {}, json_body)

    def profile(self, psid: str) -> Profile | None:
        """The name and locale of a person, or None when the platform refuses them, which is normal.
        Raises GraphRefused when now is not the time to ask (`is_inconclusive`)."""
        try:
            return _profile(self._names(psid))
        except GraphRefused as refusal:
            if is_inconclusive(refusal.failure):
                raise
            return None

    def _names(self, psid: str) -> dict[str, Any]:
        """Ask for the names and the locale, or without the locale where the platform has not approved it."""
        if self._asks_locale:
            try:
                return self.get(psid, fields="first_name,last_name,locale")
            except GraphRefused as refusal:
                if is_inconclusive(refusal.failure):
                    raise
        names = self.get(psid, fields="first_name,last_name")
        self._asks_locale = False
        return names

    def _ask(
        self, method: str, path: str, params: dict[str, str], json_body: dict[str, Any] | None
    ) -> dict[str, Any]:
        return self._read(self._call_json(method, path, params, json_body))

    def _read(self, answer: HttpAnswer | NoAnswer) -> dict[str, Any]:
        if isinstance(answer, NoAnswer):
            raise GraphRefused(_failure(answer, self._secrets))
        parsed = json_or_text(answer.body)
        if answer.status == 200 and isinstance(parsed, dict) and "error" not in parsed:
            return parsed
        failure = read_refusal(answer.status, parsed, self._secrets, by_token=False)
        raise GraphRefused(_with_wait_time(failure, answer))

    def _call_json(
        self, method: str, path: str, params: dict[str, str], json_body: dict[str, Any] | None
    ) -> HttpAnswer | NoAnswer:
        if json_body is None:
            return self._call(method, path, params, None, "")
        return self._call(method, path, params, json.dumps(json_body).encode(), "application/json")

    def _call(
        self,
        method: str,
        path: str,
        params: dict[str, str],
        data: bytes | None,
        content_type: str,
        on_left: Callable[[], object] | None = None,
    ) -> HttpAnswer | NoAnswer:
        query = urlencode({**params, "appsecret_proof": self._proof} if self._proof else params)
        url = f"{self.root}/{quote(path, safe='/', errors='replace')}" + (f"?{query}" if query else "")
        headers: dict[str, str | bytes] = {"Authorization": b"Bearer " + _bytes(self._token)}
        if content_type:
            headers["Content-Type"] = content_type
        answer = self._transport.call(method, url, headers=headers, data=data, on_left=on_left)
        return self._with_usage(answer)

    def _call_batch(self, field: str) -> HttpAnswer | NoAnswer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        data = f"{self._batch_form}&{field}".encode("ascii")
        return self._transport.call("POST", f"{self.root}/", headers=headers, data=data)

    def _with_usage(self, answer: HttpAnswer | NoAnswer) -> HttpAnswer | NoAnswer:
        if isinstance(answer, HttpAnswer):
            self._keep_usage(answer)
        return answer

    def _keep_usage(self, answer: HttpAnswer, *, page_id: str | None = None) -> None:
        self._usage = read_usage(answer.headers, time.monotonic(), page_id=page_id) or self._usage


def _secrets_of(items: Sequence[tuple[Messenger, TokenSend]]) -> tuple[str, ...]:
    """All secrets of a call. The platform may repeat any of them in the answer to any item."""
    of_fanpages = [secret for each in {messenger for messenger, _ in items} for secret in each._secrets]
    return (*of_fanpages, *[send.token for _, send in items])


def _failure(lost: NoAnswer, secrets: tuple[str, ...]) -> Failure:
    return Failure(lost.step, lost.reason, detail=without_secrets(lost.text, secrets))


def _with_wait(answer: Answer, http: HttpAnswer, *, page_id: str | None = None) -> Answer:
    """The answer to a send; a refusal that asks to slow down says for how long."""
    return _with_wait_time(answer, http, page_id=page_id) if isinstance(answer, Failure) else answer


def _with_wait_time(failure: Failure, http: HttpAnswer, *, page_id: str | None = None) -> Failure:
    """Add to a request to slow down for how long, as far as the platform says so."""
    if failure.step != NextStep.SLOW_DOWN:
        return failure
    usage = read_usage(http.headers, 0.0, page_id=page_id)
    wait = retry_after(http.headers) or (usage.regain_seconds if usage else 0.0)
    return replace(failure, retry_after_seconds=wait or None)


def _profile(found: dict[str, Any]) -> Profile:
    first, last, locale = (found.get(key) for key in ("first_name", "last_name", "locale"))
    return Profile(_name(first), _name(last), _name(locale))


def _name(value: object) -> str | None:
    return (storable(value)[:100] or None) if isinstance(value, str) else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
