"""A look at a fanpage through the Graph API: no database here, only questions and repairs by HTTP."""

from __future__ import annotations

from typing import Any

from core.fanpages.rules import (
    GET_STARTED,
    WEBHOOK_FIELDS,
    Trouble,
    missing_fields,
    review_trouble,
)
from core.messenger import errors, line
from core.messenger.client import GraphRefused, Messenger
from core.messenger.errors import NextStep


def identity(messenger: Messenger) -> tuple[str, str]:
    """(page id, name) of whom the token speaks for; raises GraphRefused."""
    me = messenger.get("me", fields="id,name")
    return str(me.get("id", "")), str(me.get("name", ""))


def examine(messenger: Messenger) -> list[Trouble]:
    """What is wrong with a connection, once each; what can be repaired is repaired on the way."""
    try:
        page_id, _ = identity(messenger)
    except GraphRefused as refusal:
        expired = refusal.failure.reason == "token_invalid"
        return [_trouble(refusal, Trouble.TOKEN_INVALID if expired else Trouble.REFUSED)]
    if page_id != messenger.page_id:
        return [Trouble.WRONG_PAGE]
    return furnish(messenger, take_over=False) + _review(messenger)


def furnish(messenger: Messenger, *, take_over: bool) -> list[Trouble]:
    """Webhook fields and the Get Started button; `take_over` replaces another tool's button."""
    found = subscribe(messenger) + set_get_started(messenger, take_over=take_over)
    return list(dict.fromkeys(found))


def subscribe(messenger: Messenger) -> list[Trouble]:
    """Ask for every webhook field we need, unless we get them all. The platform takes them away after an
    hour without answers from our webhook server."""
    edge = f"{messenger.page_id}/subscribed_apps"
    try:
        apps = [_texts(app.get("subscribed_fields")) for app in _items(messenger.get(edge))]
        if any(not missing_fields(fields) for fields in apps):
            return []
        # One POST replaces all fields: keep what somebody added by hand, as long as the app is alone.
        kept = apps[0] if len(apps) == 1 else []
        wanted = dict.fromkeys([*WEBHOOK_FIELDS, *kept])
        messenger.post(edge, subscribed_fields=",".join(wanted))
    except GraphRefused as refusal:
        return [_trouble(refusal, Trouble.NOT_SUBSCRIBED)]
    return []


def set_get_started(messenger: Messenger, *, take_over: bool) -> list[Trouble]:
    """Give new customers a Get Started button that leads to us. Who may not even read it may not send."""
    try:
        profile = _items(messenger.get(line.EDGE, fields="get_started"))
    except GraphRefused as refusal:
        may_not_send = line.refuses(refusal.failure)
        return [_trouble(refusal, Trouble.REFUSED if may_not_send else Trouble.NO_GET_STARTED)]
    try:
        buttons = [part["get_started"] for part in profile if part.get("get_started")]
        is_ours = {"payload": GET_STARTED} in buttons
        if not buttons or (take_over and not is_ours):
            messenger.post(line.EDGE, {"get_started": {"payload": GET_STARTED}})
    except GraphRefused as refusal:
        return [_trouble(refusal, Trouble.NO_GET_STARTED)]
    return []


def _review(messenger: Messenger) -> list[Trouble]:
    try:
        rows = _items(messenger.get("me/messaging_feature_review"))
    except GraphRefused:  # not every app may ask; that says nothing about the feature
        return []
    found = review_trouble((str(row.get("feature")), str(row.get("status"))) for row in rows)
    return [found] if found else []


def _trouble(refusal: GraphRefused, otherwise: Trouble) -> Trouble:
    return Trouble.UNREACHABLE if is_silence(refusal) else otherwise


def is_silence(refusal: GraphRefused) -> bool:
    """Nobody answered, or only to say that now is not the time: it says nothing about the fanpage."""
    return refusal.failure.step == NextStep.IN_DOUBT or errors.is_silence(refusal.failure)


def _items(answer: dict[str, Any]) -> list[dict[str, Any]]:
    data = answer.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
