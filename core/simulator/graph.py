"""Answers one call of the Graph API: who calls, which edge, what it answers. HTTP itself is in web.py."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from core.messenger import signature
from core.simulator import messenger_profile, page_edges, page_picture, send_api, thread_control
from core.simulator.entities import GraphError, Page
from core.simulator.faults import MESSAGE_FAULTS, PROFILE_FAULTS, PROFILE_WRITE_FAULTS, graph_error_of
from core.simulator.page_edges import Edge
from core.simulator.world import World

_VERSION = re.compile(r"v\d+\.\d+$")


@dataclass
class Call:
    """A call of the Graph API, or an item of a batch."""

    method: str
    path: list[str]  # without the version
    params: dict[str, Any]
    in_batch: bool = False


@dataclass
class GraphAnswer:
    """What a call answers."""

    status: int
    body: Any
    fault: str | None = field(default=None)  # null or missing item of a batch
    pages: list[Page] = field(default_factory=list)  # of a batch: whose messages its items are


def path_parts(path: str) -> list[str]:
    """The parts of a path without the version of the Graph API."""
    parts = [part for part in path.split("/") if part]
    return parts[1:] if parts and _VERSION.match(parts[0]) else parts


def answer_call(world: World, call: Call) -> GraphAnswer:
    """Answer a call, with an error if it is refused."""
    try:
        page = authorised(world, call.params)
        return _route(world, page, call)
    except GraphError as problem:
        return GraphAnswer(problem.status, error_body(problem))


def error_body(problem: GraphError) -> dict[str, Any]:
    """The body of an error answer."""
    error: dict[str, Any] = {"message": problem.message, "type": problem.kind, "code": problem.code}
    if problem.subcode is not None:
        error["error_subcode"] = problem.subcode
    if problem.transient is not None:
        error["is_transient"] = problem.transient
    return {"error": {**error, "fbtrace_id": "A" + secrets.token_urlsafe(16)}}


def authorised(world: World, params: dict[str, Any]) -> Page:
    """The page whose token was given. Raises GraphError 190 or 104 when there is none."""
    token = params.get("access_token")
    status = world.behaviour.auth_status
    if not token:
        raise GraphError(104, "An access token is required to request this resource.", status=status)
    page = world.page_by_token(str(token))
    if page is None:
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=status)
    _check_proof(page, params.get("appsecret_proof"))
    return page


def _check_proof(page: Page, given: object) -> None:
    if given is None and not page.require_proof:
        return
    if given is None:
        raise GraphError(100, "API calls from the server require an appsecret_proof argument")
    expected = signature.appsecret_proof(page.app_secret, page.token)
    if not hmac.compare_digest(expected.encode(), str(given).encode()):
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument")


def _check_permission(page: Page, edge: str) -> None:
    """Refuse an edge whose permission the page's token was not given."""
    needed = "pages_manage_metadata" if edge == "subscribed_apps" else "pages_messaging"
    if needed not in page.scopes and edge in ("subscribed_apps", "messages", "messenger_profile"):
        raise GraphError(200, f"(#200) Requires {needed} permission to manage the object.", status=403)


def _route(world: World, page: Page, call: Call) -> GraphAnswer:
    if not call.path:
        raise GraphError(
            100, "Unsupported request. Please read the Graph API documentation", kind="GraphMethodException"
        )
    node, *edge = call.path
    node = page.page_id if node == "me" else node
    if node == "debug_token":
        return GraphAnswer(200, page_edges.debug_token(Edge(world, page, call.params)))
    if not edge:
        return GraphAnswer(200, page_edges.node(world, page, node, call.params))
    if node != page.page_id:
        raise _no_such_object(call.method, node)
    _check_permission(page, edge[0])
    if edge == ["messages"] and call.method == "POST":
        return _message(world, page, call)
    if edge == ["messenger_profile"] and (fault := world.faults.hit(page.page_id, PROFILE_FAULTS)):
        raise graph_error_of(fault) or GraphError(230, "(#230) Requires pages_messaging permission.")
    changes_profile = edge == ["messenger_profile"] and call.method != "GET"
    fault = world.faults.hit(page.page_id, PROFILE_WRITE_FAULTS) if changes_profile else None
    if fault and (problem := graph_error_of(fault)):
        raise problem
    handler = _EDGES.get((call.method, "/".join(edge)))
    if handler is None:
        raise GraphError(100, f"(#100) Tried accessing nonexisting field ({edge[0]}) on node type (Page)")
    answer = GraphAnswer(200, handler(Edge(world, page, call.params)))
    if fault and fault.name == "profile_500_after":
        raise GraphError(1, "An unknown error occurred", status=500)
    return answer


_EDGES: dict[tuple[str, str], Callable[[Edge], Any]] = {
    ("GET", "subscribed_apps"): page_edges.read_subscription,
    ("POST", "subscribed_apps"): page_edges.subscribe,
    ("DELETE", "subscribed_apps"): page_edges.unsubscribe,
    ("GET", "messenger_profile"): messenger_profile.read,
    ("POST", "messenger_profile"): messenger_profile.put,
    ("DELETE", "messenger_profile"): messenger_profile.delete,
    ("GET", "messaging_feature_review"): page_edges.feature_review,
    ("POST", "custom_user_settings"): page_edges.set_user_menu,
    ("GET", "picture"): page_picture.read,
    ("GET", "conversations"): page_edges.conversations,
    ("POST", "message_attachments"): page_edges.upload,
    ("POST", "pass_thread_control"): thread_control.pass_control,
    ("POST", "take_thread_control"): thread_control.take_control,
    ("POST", "request_thread_control"): thread_control.request_control,
    ("GET", "thread_owner"): thread_control.thread_owner,
}


def _message(world: World, page: Page, call: Call) -> GraphAnswer:
    """Take one message, unless a fault strikes it."""
    whom = partial(send_api.psid_of, world, call.params)
    fault = world.faults.hit(page.page_id, _message_faults(call), whom)
    if fault is None:
        return GraphAnswer(200, send_api.send_message(world, page, call.params))
    if problem := graph_error_of(fault):
        recipient = send_api.parsed_object(call.params.get("recipient", {}), "recipient")
        send_api.record_refusal(world, page, recipient, problem)
        raise problem
    if fault.name != "batch_null":
        send_api.send_message(world, page, call.params)
    if fault.name == "message_500_after":
        raise GraphError(1, "An unknown error occurred", status=500)
    return GraphAnswer(200, None, fault=fault.name)


def _message_faults(call: Call) -> dict[str, str]:
    return MESSAGE_FAULTS if call.in_batch else _SINGLE_FAULTS


_SINGLE_FAULTS = {name: text for name, text in MESSAGE_FAULTS.items() if not name.startswith("batch_")}


def _no_such_object(method: str, node: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation",
        subcode=33,
        kind="GraphMethodException",
    )
