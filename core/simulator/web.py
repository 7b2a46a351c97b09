"""HTTP of the pretend Graph API: parameters in, batches taken apart, faults of whole requests, headers."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from core.simulator import graph
from core.simulator.entities import Page, Refusal
from core.simulator.faults import REQUEST_FAULTS, Fault, refusal
from core.simulator.graph import Answer, Call
from core.simulator.world import World

BATCH_LIMIT = 50
JAVASCRIPT = "text/javascript; charset=UTF-8"  # how Graph labels its JSON
OF_BATCHES = {name: "" for name in REQUEST_FAULTS if name != "latency"}
OF_SINGLES = {name: "" for name in OF_BATCHES if not name.startswith("batch_")}
PAGE = "<html><body>Sorry, something went wrong.</body></html>"


class LostConnection(Response):
    """Promises a body and hangs up before it is whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers = [(b"content-type", b"application/json"), (b"content-length", b"200")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"rec', "more_body": True})


async def graph_endpoint(request: Request) -> Response:
    world: World = request.app.state.world
    try:
        params = await _params(request)
    except Refusal as problem:
        return _json(problem.status, graph.error_body(problem))
    path = graph.path_parts(request.url.path)
    if request.method == "POST" and not path:
        return await _sending(world, params, lambda: _batch(world, params), batch=True)
    call = Call(request.method, path, params)
    if request.method == "POST" and path[1:] == ["messages"]:
        return await _sending(world, params, lambda: graph.answer(world, call), batch=False)
    found = graph.answer(world, call)
    await world.store.committed()
    return _json(found.status, found.body)


async def _params(request: Request) -> dict[str, Any]:
    """Query, then body (JSON object or form), then the Authorization header."""
    params: dict[str, Any] = dict(request.query_params)
    if request.method in ("POST", "DELETE"):
        params |= _body_params(request.headers.get("content-type", ""), await request.body())
        if "multipart/form-data" in request.headers.get("content-type", ""):
            params |= {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        params.setdefault("access_token", token.strip())
    return params


def _body_params(kind: str, body: bytes) -> dict[str, Any]:
    if "multipart/form-data" in kind or not body:
        return {}
    if "json" not in kind:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        given = json.loads(body)
    except ValueError:
        raise Refusal(100, "(#100) The request body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise Refusal(100, "(#100) The request body must be a JSON object.")
    return given


async def _sending(world: World, params: dict[str, Any], take: Any, *, batch: bool) -> Response:
    """A request that sends: counted, slowed down or struck by a fault, committed before it is answered."""
    world.requests += 1
    page = world.page_by_token(str(params.get("access_token", "")))
    page_id = page.page_id if page else ""
    if slow := world.faults.hit(page_id, {"latency": ""}):
        await asyncio.sleep(float(slow.value or 0))
    fault = world.faults.hit(page_id, OF_BATCHES if batch else OF_SINGLES)
    if fault is None:
        found: Answer = take()
        await world.store.committed()
        return _json(found.status, found.body, _usage(world, page))
    if not fault.name.endswith("_before") and fault.name != "refuse_all":
        found = take()
        await world.store.committed()
        if isinstance(found.body, list) and fault.name == "batch_longer":
            return _json(200, [*found.body, None])
    if fault.name.startswith("hang"):
        await asyncio.sleep(float(fault.value or 1))
    return _struck(fault)


def _struck(fault: Fault) -> Response:
    """The answer that a strike leaves, or none."""
    name = fault.name.removesuffix("_before").removesuffix("_after")
    if problem := refusal(fault):
        return _json(problem.status, graph.error_body(problem))
    if name in ("drop", "hang"):
        return LostConnection()
    if name in ("bad_json", "html_502", "html_403"):
        return HTMLResponse(PAGE, 200 if name == "bad_json" else int(name.removeprefix("html_")))
    if name in ("no_message_id", "batch_empty"):
        return _json(200, {} if name == "no_message_id" else [])
    if name == "batch_1357046":
        problem = Refusal(1, "Invalid JSON reply", subcode=1357046)
    else:
        problem = Refusal(1, "An unknown error occurred", status=500)
    return _json(problem.status, graph.error_body(problem))


def _batch(world: World, params: dict[str, Any]) -> Answer:
    try:
        graph.authorised(world, params)
        items = _batch_items(world, params.get("batch"))
    except Refusal as problem:
        return Answer(problem.status, graph.error_body(problem))
    with_headers = str(params.get("include_headers", "true")).lower() != "false"
    answers = [_batch_item(world, item, params) for item in items]
    return Answer(200, [_item_body(each, with_headers) for each in answers if each.fault != "batch_short"])


def _batch_items(world: World, batch: Any) -> list[Any]:
    if isinstance(batch, str):
        try:
            batch = json.loads(batch)
        except ValueError:
            batch = None
    if not isinstance(batch, list) or not batch:
        raise Refusal(100, "(#100) Param batch must be a non-empty array.", kind="GraphBatchException")
    if len(batch) > BATCH_LIMIT:
        code = world.behaviour.batch_too_large_code
        text = f"(#{code}) Too many requests in batch message. Maximum batch size is {BATCH_LIMIT}"
        raise Refusal(code, text, kind="GraphBatchException")
    return batch


def _batch_item(world: World, item: Any, outer: dict[str, Any]) -> Answer:
    try:
        return graph.answer(world, _item_call(item, outer))
    except Refusal as problem:
        return Answer(problem.status, graph.error_body(problem))


def _item_call(item: Any, outer: dict[str, Any]) -> Call:
    if not isinstance(item, dict) or not isinstance(item.get("relative_url"), str):
        raise Refusal(100, "(#100) Each batch item must have a relative_url.", kind="GraphBatchException")
    body = item.get("body", "")
    if not isinstance(body, str):
        # Documented: a URL-encoded string, never an object.
        raise Refusal(100, "(#100) The body of a batch item must be a string.", kind="GraphBatchException")
    url = urlsplit(item["relative_url"])
    own = dict(parse_qsl(url.query)) | dict(parse_qsl(body, keep_blank_values=True))
    inherited = {key: outer[key] for key in ("access_token", "appsecret_proof") if key in outer}
    if "access_token" in own:
        inherited = {}  # its own token, its own proof
    method = str(item.get("method", "GET")).upper()
    return Call(method, graph.path_parts(url.path), inherited | own, in_batch=True)


def _item_body(answer: Answer, with_headers: bool) -> dict[str, Any] | None:
    if answer.fault:
        return None
    headers = {"headers": [{"name": "Content-Type", "value": JAVASCRIPT}]} if with_headers else {}
    body = json.dumps(answer.body, separators=(",", ":"))
    return {"code": answer.status, **headers, "body": body}


def _usage(world: World, page: Page | None) -> dict[str, str]:
    if page is None:
        return {}
    return world.meter.headers(page.page_id, world.now(), world.counts[page.page_id])


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    trace = {
        "facebook-api-version": "v26.0",
        "x-fb-trace-id": secrets.token_urlsafe(8),
        "x-fb-rev": "1029384756",
    }
    return JSONResponse(body, status, {**trace, **(headers or {})}, media_type=JAVASCRIPT)
