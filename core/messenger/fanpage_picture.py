"""Fetches the profile picture of a fanpage, without its access token: the address is a public one.

https://developers.facebook.com/docs/graph-api/reference/page/picture/ and …/profile-picture-source/
Assumed: that a Page access token with our permissions may ask. Whoever may not has no picture.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from core.messenger.client import Messenger
from core.messenger.transport import HttpAnswer, Transport

SIDE = 200  # pixels, as asked for; phones show less
_CONNECT_SECONDS, _READ_SECONDS = 3.05, 10.0


def fetch_picture(messenger: Messenger) -> bytes | None:
    """The file of the fanpage's picture; None while it has none. Raises GraphRefused when the platform does
    not say where it is, and OSError when it is not there."""
    side = str(SIDE)
    said = messenger.get(f"{messenger.page_id}/picture", redirect="0", width=side, height=side).get("data")
    if not isinstance(said, dict) or said.get("is_silhouette"):
        return None
    url = str(said.get("url") or "")
    if urlsplit(url).scheme not in ("https", urlsplit(messenger.root).scheme):
        raise OSError("the picture lies at no web address")
    return _download(url)


def _download(url: str) -> bytes:
    transport = Transport(url, connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, pool_size=1)
    try:
        answer = transport.call("GET", url, headers={})
    finally:
        transport.close()
    if not isinstance(answer, HttpAnswer) or answer.status != 200:
        raise OSError("the picture was not given")
    return answer.body
