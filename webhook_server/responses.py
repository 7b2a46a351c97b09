"""The responses of the webhook server: short JSON documents."""

from __future__ import annotations

import json

from starlette.responses import Response

_REFUSALS = {
    "too_large": (413, "The body is longer than 16 MB."),
    "too_slow": (408, "The body did not arrive within ten seconds."),
    "bad_signature": (403, "X-Hub-Signature-256 does not match the body: check OTN_APP_SECRET."),
    "foreign": (403, "The demo's signature is good for demo fanpages only."),
    "malformed": (400, "The body is no webhook of the platform: no JSON, or no list of entries."),
    "unavailable": (503, "The events could not be stored; send them again."),
    "bad_verify_token": (403, "hub.verify_token is not OTN_VERIFY_TOKEN."),
}


def json_response(status: int, content: object, **headers: str) -> Response:
    """A response with a JSON document as its body."""
    return Response(json.dumps(content), status, headers, "application/json")


_STORED = json_response(200, {"status": "stored"})
STORED_START = {"type": "http.response.start", "status": 200, "headers": _STORED.raw_headers}
STORED_BODY = {"type": "http.response.body", "body": _STORED.body}


def refusal_response(reason: str) -> Response:
    """The response for a refused request; `reason` is one of the keys of `_REFUSALS`."""
    status, message = _REFUSALS[reason]
    headers = {"Retry-After": "1"} if status == 503 else {}
    if status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not read
    return json_response(status, {"error": {"code": reason, "message": message}}, **headers)
