"""The HTTP side of the simulated Graph API: parameters, batches, faults of whole requests, headers."""

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
from core.simulator.entities import GraphError, Page
from core.simulator.faults import MIXED_FAULTS, REQUEST_FAULTS, Fault, graph_error_of
from core.simulator.graph import Call, GraphAnswer
from core.simulator.world import World

BATCH_LIMIT = 50
CREDENTIALS = ("access_token", "appsecret_proof")
JAVASCRIPT = "text/javascript; charset=UTF-8"  # how Graph labels its JSON
OF_BATCHES = {name: "" for name in REQUEST_FAULTS if name != "latency"}
OF_SINGLES = {name: "" for name in OF_BATCHES if not name.startswith("batch_")}
PAGE = "<html><body>Sorry, something went wrong.</body></html>"


class LostConnection(Response):
    """A response whose connection is closed before its body is complete."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers = [(b"content-type", b"application/json"), (b"content-length", b"200")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"rec', "more_body": True})


async def graph_endpoint(request: Request) -> Response:
    """Answer any request to the Graph API."""
    world: World = request.app.state.world
    try:
        params = await _params(request)
    except GraphError as problem:
        return _json(problem.status, graph.error_body(problem))
    path = graph.path_parts(request.url.path)
    if request.method == "POST" and not path and _only_reads(params.get("batch")):
        found = _batch(world, params)
        return _json(found.status, found.body)
    if request.method == "POST" and not path:
        return await _sending(world, params, lambda: _batch(world, params), batch=True)
    call = Call(request.method, path, params)
    if request.method == "POST" and path[1:] == ["messages"]:
        return await _sending(world, params, lambda: graph.answer_call(world, call), batch=False)
    found = graph.answer_call(world, call)
    await world.store.committed()
    return _json(found.status, found.body)


async def _params(request: Request) -> dict[str, Any]:
    """The parameters of a request, from its query, its body (JSON object or form) and its
    Authorization header."""
    params: dict[str, Any] = dict(request.query_params)
    if request.method in ("POST", "DELETE"):
        params |= _body_params(request.headers.get("content-type", ""), await request.body())
        if "multipart/form-data" in request.headers.get("content-type", ""):
            params |= await _form_params(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        params.setdefault("access_token", token.strip())
    return params


async def _form_params(request: Request) -> dict[str, Any]:
    """The fields of a multipart form; a file stands there as its media type and its size."""
    async with request.form() as form:
        return {
            key: value if isinstance(value, str) else {"media_type": value.content_type, "size": value.size}
            for key, value in form.items()
        }


def _body_params(kind: str, body: bytes) -> dict[str, Any]:
    if "multipart/form-data" in kind or not body:
        return {}
    if "json" not in kind:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        given = json.loads(body)
    except ValueError:
        raise GraphError(100, "(#100) The request body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise GraphError(100, "(#100) The request body must be a JSON object.")
    return given


async def _sending(world: World, params: dict[str, Any], take: Any, *, batch: bool) -> Response:
    """Handle a request that sends messages. Faults may slow it down or strike it; what it changes is
    committed before it is answered."""
    world.requests += 1
    page = world.page_by_token(str(params.get("access_token", "")))
    page_id = page.page_id if page else ""
    if slow := world.faults.hit(page_id, {"latency": ""}):
        await asyncio.sleep(float(slow.value or 0))
    fault = world.faults.hit(page_id, OF_BATCHES if batch else OF_SINGLES)
    if fault is None:
        found: GraphAnswer = take()
        await world.store.committed()
        pages = found.pages or ([page] if page else [])
        return _json(found.status, found.body, _usage(world, pages))
    if not fault.name.endswith("_before") and fault.name != "refuse_all":
        found = take()
        await world.store.committed()
        if isinstance(found.body, list) and fault.name == "batch_longer":
            return _json(200, [*found.body, None])
    if fault.name.startswith("hang"):
        await asyncio.sleep(float(fault.value or 1))
    return _struck(fault)


def _struck(fault: Fault) -> Response:
    """The response to a request that a fault strikes."""
    name = fault.name.removesuffix("_before").removesuffix("_after")
    if problem := graph_error_of(fault):
        return _json(problem.status, graph.error_body(problem))
    if name in ("drop", "hang"):
        return LostConnection()
    if name in ("bad_json", "html_502", "html_403"):
        return HTMLResponse(PAGE, 200 if name == "bad_json" else int(name.removeprefix("html_")))
    if name in ("no_message_id", "batch_empty"):
        return _json(200, {} if name == "no_message_id" else [])
    if name == "batch_1357046":
        problem = GraphError(1, "Invalid JSON reply", subcode=1357046)
    else:
        problem = GraphError(1, "An unknown error occurred", status=500)
    return _json(problem.status, graph.error_body(problem))


def _only_reads(batch: Any) -> bool:
    """Whether a batch sends nothing, so that no fault of sends strikes it."""
    try:
        items = json.loads(batch) if isinstance(batch, str) else batch
        return bool(items) and all(str(each.get("method", "GET")).upper() == "GET" for each in items)
    except (ValueError, TypeError, AttributeError):
        return False


def _batch(world: World, params: dict[str, Any]) -> GraphAnswer:
    try:
        _check_outer_token(world, params)
        calls = [_item_call(item) for item in _batch_items(world, params.get("batch"))]
        _strike_mixed(world, params, calls)
    except GraphError as problem:
        return GraphAnswer(problem.status, graph.error_body(problem))
    for call in calls:
        _fall_back_to_outer_token(call, params)
    with_headers = str(params.get("include_headers", "true")).lower() != "false"
    answers = [_item_answer(world, call) for call in calls]
    bodies = [_item_body(each, with_headers) for each in answers if each.fault != "batch_short"]
    return GraphAnswer(200, bodies, pages=_pages(world, calls))


def _check_outer_token(world: World, params: dict[str, Any]) -> None:
    """Check the token of the batch. Documented: it is needed even if every item brings its own. Assumed: it
    has to be valid."""
    try:
        graph.authorised(world, params)
    except GraphError:
        if world.behaviour.batch_needs_outer_token or not params.get("access_token"):
            raise


def _strike_mixed(world: World, params: dict[str, Any], calls: list[Call | GraphError]) -> None:
    """Apply the faults of batches whose items carry access tokens of their own."""
    mixed = [each for each in calls if isinstance(each, Call) and "access_token" in each.params]
    outer = world.page_by_token(str(params.get("access_token", "")))
    fault = world.faults.hit(outer.page_id if outer else "", MIXED_FAULTS) if mixed else None
    if fault and (problem := graph_error_of(fault)):
        raise problem
    for call in mixed if fault else ():
        for name in CREDENTIALS:
            call.params.pop(name, None)


def _fall_back_to_outer_token(call: Call | GraphError, outer: dict[str, Any]) -> None:
    """Give an item without a token the token and the proof of the batch."""
    if isinstance(call, Call) and "access_token" not in call.params:
        call.params = {name: outer[name] for name in CREDENTIALS if name in outer} | call.params


def _pages(world: World, calls: list[Call | GraphError]) -> list[Page]:
    tokens = [str(each.params.get("access_token")) for each in calls if isinstance(each, Call)]
    return [page for token in dict.fromkeys(tokens) if (page := world.page_by_token(token))]


def _batch_items(world: World, batch: Any) -> list[Any]:
    if isinstance(batch, str):
        try:
            batch = json.loads(batch)
        except ValueError:
            batch = None
    if not isinstance(batch, list) or not batch:
        raise GraphError(100, "(#100) Param batch must be a non-empty array.", kind="GraphBatchException")
    if len(batch) > BATCH_LIMIT:
        code = world.behaviour.batch_too_large_code
        text = f"(#{code}) Too many requests in batch message. Maximum batch size is {BATCH_LIMIT}"
        raise GraphError(code, text, kind="GraphBatchException")
    return batch


def _item_answer(world: World, call: Call | GraphError) -> GraphAnswer:
    if isinstance(call, GraphError):
        return GraphAnswer(call.status, graph.error_body(call))
    return graph.answer_call(world, call)


def _item_call(item: Any) -> Call | GraphError:
    """The call of an item, with the parameters that it brings itself, or the error for a malformed item."""
    if not isinstance(item, dict) or not isinstance(item.get("relative_url"), str):
        return GraphError(100, "(#100) Each batch item must have a relative_url.", kind="GraphBatchException")
    body = item.get("body", "")
    if not isinstance(body, str):
        # Documented: a URL-encoded string, never an object.
        return GraphError(
            100, "(#100) The body of a batch item must be a string.", kind="GraphBatchException"
        )
    url = urlsplit(item["relative_url"])
    own = dict(parse_qsl(url.query)) | dict(parse_qsl(body, keep_blank_values=True))
    method = str(item.get("method", "GET")).upper()
    return Call(method, graph.path_parts(url.path), own, in_batch=True)


def _item_body(answer: GraphAnswer, with_headers: bool) -> dict[str, Any] | None:
    if answer.fault:
        return None
    headers = {"headers": [{"name": "Content-Type", "value": JAVASCRIPT}]} if with_headers else {}
    body = json.dumps(answer.body, separators=(",", ":"))
    return {"code": answer.status, **headers, "body": body}


def _usage(world: World, pages: list[Page]) -> dict[str, str]:
    return world.quota.headers({each.page_id: world.counts[each.page_id] for each in pages}, world.now())


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    trace = {
        "facebook-api-version": "v26.0",
        "x-fb-trace-id": secrets.token_urlsafe(8),
        "x-fb-rev": "1029384756",
    }
    return JSONResponse(body, status, {**trace, **(headers or {})}, media_type=JAVASCRIPT)
