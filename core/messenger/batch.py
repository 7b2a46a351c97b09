"""Writes the `batch` field of a Graph batch call: messages by one-time token, of one fanpage or of several.

An item of a mixed batch carries its fanpage's access token and proof in its own body and names the fanpage in
its address, so that a platform which overlooked the token would refuse the item instead of sending it for
another fanpage.

Everything is percent-encoded twice, as the body of an item and as a field of a form. That costs more than
anything else about a message, so what many messages share is encoded once.
https://developers.facebook.com/docs/graph-api/batch-requests
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.messenger.percent_encoding import encode_form, percent_encode
from core.messenger.wire import Body, Message, send_to_token, with_metadata

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")  # the same in JSON and however often it is quoted


class SharedMessage:
    """A `message` object that goes to many people, encoded once for all of them."""

    __slots__ = ("_json", "encoded")

    def __init__(self, message: Message) -> None:
        self._json = json.dumps(message)
        self.encoded = _twice(self._json[:-1] + (", " if message else ""))  # metadata follows

    @property
    def message(self) -> Message:
        """The message as an object of its own."""
        found: Message = json.loads(self._json)
        return found

    def with_words(self, words: Mapping[str, str]) -> SharedMessage:
        """The message for one of them, who gets other words for these; nothing is encoded anew, so all must
        be of letters, digits, hyphens and underscores."""
        made = SharedMessage.__new__(SharedMessage)
        made._json, made.encoded = self._json, self.encoded
        for old, new in words.items():
            made._json, made.encoded = made._json.replace(old, new), made.encoded.replace(old, new)
        return made


@dataclass(frozen=True, slots=True, repr=False)
class TokenSend:
    """One message to the holder of a one-time token. No repr: the token is a secret."""

    token: str
    shared: SharedMessage
    metadata: str

    def body(self) -> Body:
        """The body of the same message as a single send."""
        return send_to_token(self.token, with_metadata(self.shared.message, self.metadata))


def batch_field(sends: Sequence[TokenSend]) -> str:
    """The `batch=…` field for messages of one fanpage; every item uses the access token of the call."""
    return mixed_batch_field([(_BY_OUTER_TOKEN, send) for send in sends])


def mixed_batch_field(items: Sequence[tuple[str, TokenSend]]) -> str:
    """The `batch=…` field for messages of several fanpages, each with the `item_start` of its fanpage."""
    return _BATCH + _NEXT.join([_item(start, send) for start, send in items]) + _END


def item_start(page_id: str, credentials: Mapping[str, str | bytes]) -> str:
    """The beginning of every item of a fanpage: its address and credentials, encoded once for all items."""
    url = json.dumps(f"{percent_encode(page_id)}/messages")
    return (
        percent_encode(f'{{"method": "POST", "relative_url": {url}, "body": "{encode_form(credentials)}&')
        + _RECIPIENT
    )


def _item(start: str, send: TokenSend) -> str:
    token, metadata = _in_json(send.token), _in_json(send.metadata)
    return f"{start}{token}{_MESSAGE}{send.shared.encoded}{_METADATA}{metadata}{_ITEM_END}"


def _in_json(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _twice(json.dumps(text)[1:-1])


def _twice(text: str) -> str:
    return percent_encode(
        percent_encode(text)
    )  # JSON needs no escape between the two: a quoted text has no quotation marks


_BATCH, _NEXT, _END = "batch=" + percent_encode("["), percent_encode(", "), percent_encode("]")
_RECIPIENT = percent_encode("recipient=") + _twice('{"one_time_notif_token": "')
_BY_OUTER_TOKEN = percent_encode('{"method": "POST", "relative_url": "me/messages", "body": "') + _RECIPIENT
_MESSAGE = _twice('"}') + percent_encode("&message=")
_METADATA = _twice('"metadata": "')
_ITEM_END = _twice('"}') + percent_encode('&messaging_type=UPDATE"}')
