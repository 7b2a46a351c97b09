"""The edges of the Graph API around sending: nodes, subscriptions, the messenger profile, reviews."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from core.simulator import content
from core.simulator.entities import GraphError, Page, SimulatedPerson
from core.simulator.world import World

# The page fields an app can subscribe to (excerpt of Meta's SDK of August 2026).
WEBHOOK_FIELDS = {
    "messages",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "message_deliveries",
    "message_reads",
    "message_context",
    "messaging_optins",
    "messaging_optouts",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_handovers",
    "standby",
    "messaging_policy_enforcement",
    "messaging_integrity",
    "business_integrity",
    "feature_access_list",
    "messaging_feedback",
    "response_feedback",
    "message_template_status_update",
    "marketing_message_echoes",
    "marketing_message_deliveries",
    "marketing_message_reads",
    "marketing_message_clicks",
    "marketing_message_delivery_failed",
    "marketing_messages_subscriber_upload_status",
    "feed",
    "mention",
    "inbox_labels",
    "leadgen",
    "send_cart",
}
OPEN_FIELDS = ("id", "name", "first_name", "last_name", "profile_pic")
REVIEWED_FIELDS = ("locale", "timezone", "gender")  # each needs the page's approval
APP_ID = "1517776481860111"
Params = dict[str, Any]


@dataclass(frozen=True)
class Edge:
    """A call of an edge of a page."""

    world: World
    page: Page
    params: Params


def node(world: World, page: Page, node_id: str, params: Params) -> Params:
    """`/me`, `/{page-id}` or `/{psid}` with their fields."""
    person = world.people.get(node_id)
    if node_id != page.page_id and (person is None or person.page_id != page.page_id):
        raise GraphError(
            100,
            f"Unsupported get request. Object with ID '{node_id}' does not exist",
            subcode=33,
            kind="GraphMethodException",
        )
    fields = [each for each in str(params.get("fields", "")).split(",") if each]
    if person is None:
        return _page_fields(page, fields or ["id", "name"])
    if person.blocked:
        raise GraphError(100, "(#100) The profile is not available.", subcode=2018218)
    return _person_fields(world, page, person, fields or list(OPEN_FIELDS))


def _page_fields(page: Page, fields: list[str]) -> Params:
    known = {"id": page.page_id, "name": page.name, "category": "Shopping & retail"}
    for each in fields:
        if each not in known:
            raise GraphError(100, f"(#100) Tried accessing nonexisting field ({each}) on node type (Page)")
    return {**{each: known[each] for each in fields}, "id": page.page_id}


def _person_fields(world: World, page: Page, person: SimulatedPerson, fields: list[str]) -> Params:
    known: Params = {
        "id": person.psid,
        "name": f"{person.first_name} {person.last_name}".strip(),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "profile_pic": f"https://platform-lookaside.example/{person.psid}.jpg",
        "locale": person.locale,
        "timezone": person.timezone,
        "gender": "female",
    }
    shown: Params = {}
    for each in fields:
        if each not in known:
            raise GraphError(100, f"(#100) Tried accessing nonexisting field ({each})")
        if each in REVIEWED_FIELDS and each not in page.approved_fields:
            if world.behaviour.unapproved_profile_fields == "refused":
                raise GraphError(
                    100, f"(#100) Insufficient permission to access the field {each}.", subcode=2018247
                )
            continue
        shown[each] = known[each]
    return {**shown, "id": person.psid}


def debug_token(edge: Edge) -> Params:
    """Answer GET /debug_token."""
    asked = edge.world.page_by_token(str(edge.params.get("input_token", "")))
    if asked is None:
        return {"data": {"is_valid": False, "error": {"code": 190, "message": "Invalid OAuth access token."}}}
    return {
        "data": {
            "app_id": APP_ID,
            "type": "PAGE",
            "is_valid": True,
            "profile_id": asked.page_id,
            "expires_at": asked.token_ends_at,
            "scopes": asked.scopes,
        }
    }


def read_subscription(edge: Edge) -> Params:
    """Answer GET /{page}/subscribed_apps."""
    if not edge.page.subscribed_fields:
        return {"data": []}
    app = {"category": "Business", "name": "Notify Once", "id": APP_ID}
    return {"data": [{**app, "subscribed_fields": edge.page.subscribed_fields}]}


def subscribe(edge: Edge) -> Params:
    """Answer POST /{page}/subscribed_apps."""
    wanted = edge.params.get("subscribed_fields", "")
    names = wanted if isinstance(wanted, list) else [each.strip() for each in str(wanted).split(",")]
    unknown = sorted({str(each) for each in names} - WEBHOOK_FIELDS)
    if unknown or not names:
        raise GraphError(100, f"(#100) Param subscribed_fields has unknown values: {unknown}")
    with edge.world.lock:
        edge.page.subscribed_fields = list(dict.fromkeys(names))
        edge.world.dispatcher.report(edge.page.page_id).unsubscribed = False
        edge.world.keep_page(edge.page)
    return {"success": True}


def unsubscribe(edge: Edge) -> Params:
    """Answer DELETE /{page}/subscribed_apps."""
    with edge.world.lock:
        edge.page.subscribed_fields = []
        edge.world.keep_page(edge.page)
    return {"success": True}


def feature_review(edge: Edge) -> Params:
    """Answer GET /{page}/messaging_feature_review."""
    return {"data": edge.page.features}


def set_user_menu(edge: Edge) -> Params:
    """Answer POST /{page}/custom_user_settings."""
    person = edge.world.people.get(str(edge.params.get("psid", "")))
    if person is None or person.page_id != edge.page.page_id:
        raise GraphError(100, "(#100) No matching user found", subcode=2018001)
    return {"result": "success"}


def conversations(edge: Edge) -> Params:
    """Answer GET /{page}/conversations."""
    people = [
        each for each in list(edge.world.people.values()) if each.page_id == edge.page.page_id and each.met
    ]
    me = {"name": edge.page.name, "id": edge.page.page_id}
    return {
        "data": [
            {
                "id": f"t_{each.psid}",
                "participants": {"data": [{"name": each.first_name, "id": each.psid}, me]},
            }
            for each in people
        ]
    }


def upload(edge: Edge) -> Params:
    """Answer POST /{page}/message_attachments."""
    message = parsed(edge.params.get("message"))
    if not isinstance(message, dict):
        raise GraphError(100, "(#100) The parameter message is required.")
    if "filedata" in edge.params:
        content.check_file(message, edge.params["filedata"])
    else:
        content.check_message(message, edge.world.behaviour)
    return {"attachment_id": str(secrets.randbelow(10**15))}


def parsed(value: Any) -> Any:
    """The value of a parameter, parsed when it came as JSON in a form field."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            raise GraphError(100, "(#100) A parameter is not valid JSON.") from None
    return value
