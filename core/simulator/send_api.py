"""The Send API for one message: what is wrong with it, and what accepting it does."""

from __future__ import annotations

import json
from typing import Any

from core.simulator import comments, content, message_arrival
from core.simulator.entities import GraphError, IssuedToken, Page, SendRecord, SimulatedPerson, ThreadMessage
from core.simulator.thread_control import refuse_if_held
from core.simulator.world import World

MESSAGING_TYPES = ("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY")
LIVE_TAGS = ("HUMAN_AGENT", "CUSTOMER_FEEDBACK")  # the others ended on 27 April 2026: code 100
HUMAN_AGENT_SECONDS = 7 * 24 * 3600
NOTIFICATION_TYPES = ("REGULAR", "SILENT_PUSH", "NO_PUSH")
SENDER_ACTIONS = ("typing_on", "typing_off", "mark_seen")
RECIPIENT_KEYS = (
    "id",
    "user_ref",
    "comment_id",
    "post_id",
    "phone_number",
    "one_time_notif_token",
    "notification_messages_token",
)
Params = dict[str, Any]


def send_message(world: World, page: Page, params: Params) -> dict[str, Any]:
    """Accept one message or raise GraphError. Either way it is recorded in the books."""
    recipient: dict[str, Any] = {}
    try:
        recipient = _recipient(params)
        world.quota.take(page.page_id, world.now(), world.counts[page.page_id])
        if "sender_action" in params:
            return _sender_action(world, page, recipient, params)
        return _take(world, page, recipient, params)
    except GraphError as refusal:
        record_refusal(world, page, recipient, refusal)
        raise


def psid_of(world: World, params: Params) -> str | None:
    """The PSID of the person a message is for, as far as it says so."""
    try:
        recipient = parsed_object(params.get("recipient", {}), "recipient")
    except GraphError:
        return None
    token = world.tokens.get(str(recipient.get("one_time_notif_token")))
    return token.psid if token else str(recipient.get("id"))


def record_refusal(world: World, page: Page, recipient: dict[str, Any], refusal: GraphError) -> None:
    """Record a refused message in the books."""
    token = recipient.get("one_time_notif_token")
    psid = recipient.get("id")
    if psid is None and isinstance(token, str) and token in world.tokens:
        psid = world.tokens[token].psid
    world.sends.append(
        SendRecord(world.now(), page.page_id, psid, token, None, refusal.code, refusal.subcode)
    )


def parsed_object(value: object, name: str) -> dict[str, Any]:
    """Read a parameter that is an object, as JSON itself or as JSON in a form field."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise GraphError(100, f"(#100) Param {name} must be a JSON object.") from None
    if not isinstance(value, dict):
        raise GraphError(100, f"(#100) Param {name} must be a JSON object.")
    return value


def _recipient(params: Params) -> dict[str, Any]:
    if "recipient" not in params:
        raise GraphError(100, "(#100) The parameter recipient is required.")
    recipient = parsed_object(params["recipient"], "recipient")
    named = [key for key in RECIPIENT_KEYS if key in recipient]
    if len(named) != 1 or not recipient[named[0]]:
        raise GraphError(100, "(#100) Param recipient must name exactly one recipient.")
    return recipient


def _take(world: World, page: Page, recipient: dict[str, Any], params: Params) -> dict[str, Any]:
    if "message" not in params:
        raise GraphError(100, "(#100) The parameter message is required.")
    message = parsed_object(params["message"], "message")
    _check_type(params)
    content.check_message(message, world.behaviour)
    if content.is_request(message) and not page.otn:
        code = world.behaviour.otn_not_granted_code
        raise GraphError(code, f"(#{code}) Application does not have permission for this action.")
    if "one_time_notif_token" in recipient:
        return _take_by_token(world, page, recipient["one_time_notif_token"], message)
    if "comment_id" in recipient:
        return comments.answer(world, page, str(recipient["comment_id"]), message)
    return _take_by_psid(world, page, recipient, message, params)


def _check_type(params: Params) -> None:
    kind, tag = params.get("messaging_type"), params.get("tag")
    if kind is not None and kind not in MESSAGING_TYPES:
        raise GraphError(100, "(#100) Param messaging_type must be one of " + ", ".join(MESSAGING_TYPES))
    if (kind == "MESSAGE_TAG" or tag) and tag not in LIVE_TAGS:
        raise GraphError(100, "(#100) Param tag must be one of " + ", ".join(LIVE_TAGS))
    if kind == "UTILITY":
        raise GraphError(100, "(#100) A utility message needs an approved template.")
    if params.get("notification_type", "REGULAR") not in NOTIFICATION_TYPES:
        raise GraphError(
            100, "(#100) Param notification_type must be one of " + ", ".join(NOTIFICATION_TYPES)
        )


def _take_by_token(world: World, page: Page, word: object, message: dict[str, Any]) -> dict[str, Any]:
    with world.lock:
        token = world.tokens.get(word) if isinstance(word, str) else None
        if token is None or token.page_id != page.page_id:
            raise _token_refusal(world, "is not valid")
        _check_token(world, token)
        person = world.people[token.psid]
        if world.behaviour.other_app_refuses_tokens:
            refuse_if_held(person)
        if person.blocked:
            if world.behaviour.token_consumed_on_failure:
                _spend(world, token, None)
            raise _unreachable()
        bubble = world.add_bubble(person, message, by_page=True, token=token.token)
        _spend(world, token, bubble)
        message_arrival.receive(world, bubble)
    shown = {"recipient_id": person.psid} if world.behaviour.recipient_id_with_token else {}
    return {**shown, "message_id": bubble.mid}


def _check_token(world: World, token: IssuedToken) -> None:
    if token.used_at is not None:
        raise _token_refusal(world, "has already been used")
    if world.now() >= token.issued_at + world.behaviour.token_life_seconds:
        raise _token_refusal(world, "has expired")


def _token_refusal(world: World, why: str) -> GraphError:
    code = world.behaviour.token_error_code
    text = f"(#{code}) Param recipient[one_time_notif_token] {why}."
    return GraphError(code, text, subcode=world.behaviour.token_error_subcode)


def _spend(world: World, token: IssuedToken, bubble: ThreadMessage | None) -> None:
    token.used_at = world.now()
    token.mid = bubble.mid if bubble else None
    world.keep_token(token)


def _take_by_psid(
    world: World, page: Page, recipient: dict[str, Any], message: dict[str, Any], params: Params
) -> dict[str, Any]:
    with world.lock:
        person = _person(world, page, recipient)
        if person.blocked:
            raise _unreachable()
        refuse_if_held(person)
        open_until = person.window_until
        if params.get("tag") == "HUMAN_AGENT" and not content.is_request(message):
            open_until += HUMAN_AGENT_SECONDS - world.behaviour.window_seconds
        if world.now() >= open_until:
            raise GraphError(10, "(#10) This message is sent outside of allowed window.", subcode=2018278)
        bubble = world.add_bubble(person, message, by_page=True)
        message_arrival.receive(world, bubble)
    return {"recipient_id": person.psid, "message_id": bubble.mid}


def _person(world: World, page: Page, recipient: dict[str, Any]) -> SimulatedPerson:
    person = world.people.get(str(recipient.get("id", "")))
    if person is None or person.page_id != page.page_id:
        raise GraphError(100, "(#100) No matching user found", subcode=2018001)
    return person


def _unreachable() -> GraphError:
    return GraphError(551, "(#551) This person isn't available right now.", subcode=1545041)


def _sender_action(world: World, page: Page, recipient: dict[str, Any], params: Params) -> dict[str, Any]:
    if params["sender_action"] not in SENDER_ACTIONS:
        raise GraphError(100, "(#100) Param sender_action must be one of " + ", ".join(SENDER_ACTIONS))
    if "message" in params:
        raise GraphError(100, "(#100) Param sender_action must be sent on its own.")
    person = _person(world, page, recipient)
    if world.now() >= person.window_until:
        raise GraphError(10, "(#10) This message is sent outside of allowed window.", subcode=2018278)
    return {"recipient_id": person.psid}
