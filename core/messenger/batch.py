"""The `batch` field of a Graph batch call: messages that spend one-time tokens.

Everything in it is percent-encoded twice, as an item's body and as a form's field. That costs more than all
else about a message, so what many messages share is encoded once.
https://developers.facebook.com/docs/graph-api/batch-requests
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.messenger.quoting import quoted
from core.messenger.wire import Body, Message, send_to_token, with_metadata

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")  # the same in JSON and however often it is quoted


class SharedMessage:
    """A `message` object that goes to many, with all of its encoding done."""

    __slots__ = ("encoded", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.encoded = _twice(json.dumps(message)[:-1] + (", " if message else ""))  # metadata follows


@dataclass(frozen=True, slots=True, repr=False)
class TokenSend:
    """One message to the holder of a one-time token. No repr: the token is a secret."""

    token: str
    shared: SharedMessage
    metadata: str

    def body(self) -> Body:
        """The same as the body of a plain send."""
        return send_to_token(self.token, with_metadata(self.shared.message, self.metadata))


def batch_field(sends: Sequence[TokenSend]) -> str:
    """`batch=…`, ready to stand in a form body."""
    return _BATCH + _NEXT.join([_item(send) for send in sends]) + _END


def _item(send: TokenSend) -> str:
    token, metadata = _in_json(send.token), _in_json(send.metadata)
    return f"{_ITEM}{token}{_MESSAGE}{send.shared.encoded}{_METADATA}{metadata}{_ITEM_END}"


def _in_json(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _twice(json.dumps(text)[1:-1])


def _twice(text: str) -> str:
    return quoted(quoted(text))  # JSON needs no escape between the two: a quoted text has no quotation marks


_BATCH, _NEXT, _END = "batch=" + quoted("["), quoted(", "), quoted("]")
_ITEM = (
    quoted('{"method": "POST", "relative_url": "me/messages", "body": "recipient=')
    + _twice('{"one_time_notif_token": "')
)  # fmt: skip
_MESSAGE = _twice('"}') + quoted("&message=")
_METADATA = _twice('"metadata": "')
_ITEM_END = _twice('"}') + quoted('&messaging_type=UPDATE"}')
