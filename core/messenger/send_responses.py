"""Reads what the platform answers to a send: accepted, or a Failure. An answer that is not clearly one of the
two leaves the message in doubt."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import orjson

from core.messenger.errors import PERMISSIONS, Failure, NextStep, classify
from core.messenger.redaction import without_secrets
from core.text.normalise import storable


@dataclass(frozen=True)
class Accepted:
    """The platform accepted the message."""

    mid: str


Answer = Accepted | Failure


def read_send(status: int, parsed: object, secrets: tuple[str, ...], *, by_token: bool) -> Answer:
    """Read the answer to a single send. `by_token` says that it spent a one-time token; `secrets` are removed
    from what a Failure keeps."""
    if status == 200 and isinstance(parsed, dict) and (mid := _identifier(parsed.get("message_id"))):
        return Accepted(mid)
    return read_refusal(status, parsed, secrets, by_token=by_token)


def read_batch(status: int, parsed: object, count: int, secrets: tuple[str, ...]) -> list[Answer]:
    """Read the answer to a batch of sends by token: one answer for each message, in their order.

    If the number of items is not that of the messages, nobody knows which answers which: all are in doubt.
    """
    if status != 200 or not isinstance(parsed, list) or len(parsed) != count:
        return [_refused_whole(status, parsed, secrets)] * count
    return [_read_item(item, secrets) for item in parsed]


def read_mixed(status: int, parsed: object, count: int, secrets: tuple[str, ...]) -> list[Answer] | Failure:
    """Read the answer to a batch with messages of several fanpages. A single Failure means that the platform
    refused the call as a whole: nothing was sent and nothing is known about any message, since the call's own
    token may be the bad one."""
    if status == 200 and isinstance(parsed, list) and len(parsed) == count:
        return [_read_item(item, secrets) for item in parsed]
    failure = read_refusal(status, parsed, secrets, by_token=False)
    by_platform = isinstance(parsed, dict) and isinstance(parsed.get("error"), dict)
    return failure if by_platform and failure.step != NextStep.IN_DOUBT else [failure] * count


def read_refusal(status: int | None, parsed: object, secrets: tuple[str, ...], *, by_token: bool) -> Failure:
    """Read an answer that is not an acceptance."""
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if isinstance(error, dict):
        return classify(status, error, by_token=by_token, secrets=secrets)
    text = parsed if isinstance(parsed, str) else json.dumps(parsed, ensure_ascii=False)
    return replace(classify(status, None, by_token=by_token), detail=without_secrets(text, secrets))


def json_or_text(body: bytes | str) -> object:
    """The value that a body holds as JSON, or the body as a text when it is not JSON."""
    try:
        return orjson.loads(body)
    except ValueError:  # it takes no halves of characters, and `json` does
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body if isinstance(body, str) else body.decode("utf-8", "replace")


def _read_item(item: object, secrets: tuple[str, ...]) -> Answer:
    if item is None:  # left out, or not finished in the batch's time
        return Failure(NextStep.IN_DOUBT, "not_answered")
    status = item.get("code") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(status, int):
        return read_refusal(None, item, secrets, by_token=True)
    inner = item.get("body")
    return read_send(status, json_or_text(inner) if isinstance(inner, str) else inner, secrets, by_token=True)


def _refused_whole(status: int, parsed: object, secrets: tuple[str, ...]) -> Failure:
    """The refusal of a whole batch, which is never about one person or one token."""
    failure = read_refusal(status, parsed, secrets, by_token=False)
    if NextStep.END_DELIVERY in (failure.step, failure.person_step):
        reason = "permission" if failure.code in PERMISSIONS else "call_refused"
        return replace(failure, step=NextStep.STOP_FANPAGE, reason=reason, person_step=None)
    return failure


def _identifier(value: object) -> str | None:
    """Ids are strings, numbers in old samples."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return storable(str(value)) or None
