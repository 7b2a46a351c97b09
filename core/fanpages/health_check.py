"""Checks and repairs the set-up of a fanpage through the Graph API. It uses HTTP only, no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core.conversation.payloads import GET_STARTED_PAYLOAD
from core.fanpages.rules import (
    WEBHOOK_FIELDS,
    HealthProblem,
    missing_fields,
    permission_problems,
    review_problem,
)
from core.messenger import connection_check, errors
from core.messenger.client import GraphRefused, Messenger
from core.messenger.errors import BAD_PARAMETER, NextStep


def identity(messenger: Messenger) -> tuple[str, str]:
    """The page id and name of the fanpage that the token belongs to. Raises GraphRefused."""
    me = messenger.get("me", fields="id,name")
    return str(me.get("id", "")), str(me.get("name", ""))


def examine(
    messenger: Messenger, also: Sequence[str] = (), *, now: datetime, take_over: bool = False
) -> list[HealthProblem]:
    """What is wrong with a fanpage's connection. What can be repaired is repaired. `also` are webhook fields
    that its entry points need besides those that every fanpage needs; for `take_over` see `set_up`."""
    try:
        page_id, _ = identity(messenger)
    except GraphRefused as refusal:
        return [_trouble(refusal, _meaning(messenger, refusal))]
    if page_id != messenger.page_id:
        return [HealthProblem.WRONG_PAGE]
    permissions = _permissions(messenger, now)
    return permissions + set_up(messenger, take_over=take_over, also=also) + _review(messenger)


def _meaning(messenger: Messenger, refusal: GraphRefused) -> HealthProblem:
    """What it means that Facebook does not say whose access token this is."""
    if refusal.failure.reason == "token_invalid":
        return HealthProblem.TOKEN_INVALID
    if refusal.failure.code == BAD_PARAMETER and messenger.signs_calls:
        return HealthProblem.WRONG_APP_SECRET
    return HealthProblem.REFUSED


def _permissions(messenger: Messenger, now: datetime) -> list[HealthProblem]:
    """What the access token lacks, as far as the platform tells; the other calls show the rest."""
    facts = messenger.token_facts()
    return permission_problems(facts.scopes, facts.expires_at, now) if facts else []


def set_up(messenger: Messenger, *, take_over: bool, also: Sequence[str] = ()) -> list[HealthProblem]:
    """Set up the webhook fields and the Get Started button, and return what failed. `take_over` replaces the
    button of another tool."""
    found = subscribe(messenger) + subscribe_also(messenger, also)
    found += set_get_started(messenger, take_over=take_over)
    return list(dict.fromkeys(found))


def subscribe(messenger: Messenger) -> list[HealthProblem]:
    """Subscribe to every webhook field that we need, unless we get them all. The platform ends the
    subscription after an hour without answers from our webhook server."""
    try:
        add_fields(messenger, WEBHOOK_FIELDS)
    except GraphRefused as refusal:
        return [_trouble(refusal, HealthProblem.NOT_SUBSCRIBED)]
    return []


def subscribe_also(messenger: Messenger, fields: Sequence[str]) -> list[HealthProblem]:
    """Subscribe to what entry points need, by a call of its own: who may not have it loses nothing."""
    try:
        add_fields(messenger, fields)
    except GraphRefused as refusal:
        return [_trouble(refusal, HealthProblem.NO_COMMENTS)]
    return []


def add_fields(messenger: Messenger, fields: Sequence[str]) -> None:
    """Subscribe to these webhook fields unless we get them all. Raises GraphRefused."""
    apps = _subscriptions(messenger) if fields else []
    if not fields or any(not missing_fields(known, fields) for known in apps):
        return
    # One POST replaces all fields: keep what somebody added by hand, as long as the app is alone.
    kept = apps[0] if len(apps) == 1 else []
    wanted = dict.fromkeys([*WEBHOOK_FIELDS, *fields, *kept])
    messenger.post(_subscription_edge(messenger), subscribed_fields=",".join(wanted))


def missing(messenger: Messenger, fields: Sequence[str]) -> tuple[str, ...]:
    """Those of these webhook fields that no app gets. Raises GraphRefused."""
    known = [field for app in _subscriptions(messenger) for field in app]
    return missing_fields(known, fields)


def _subscriptions(messenger: Messenger) -> list[list[str]]:
    apps = _items(messenger.get(_subscription_edge(messenger)))
    return [_texts(app.get("subscribed_fields")) for app in apps]


def _subscription_edge(messenger: Messenger) -> str:
    return f"{messenger.page_id}/subscribed_apps"


def set_get_started(messenger: Messenger, *, take_over: bool) -> list[HealthProblem]:
    """Set the Get Started button, unless there is one. A fanpage that may not even read it may not send."""
    try:
        profile = _items(messenger.get(connection_check.EDGE, fields="get_started"))
    except GraphRefused as refusal:
        may_not_send = connection_check.shows_broken_connection(refusal.failure)
        return [_trouble(refusal, HealthProblem.REFUSED if may_not_send else HealthProblem.NO_GET_STARTED)]
    try:
        buttons = [part["get_started"] for part in profile if part.get("get_started")]
        is_ours = {"payload": GET_STARTED_PAYLOAD} in buttons
        if not buttons or (take_over and not is_ours):
            messenger.post(connection_check.EDGE, {"get_started": {"payload": GET_STARTED_PAYLOAD}})
    except GraphRefused as refusal:
        return [_trouble(refusal, HealthProblem.NO_GET_STARTED)]
    return []


def _review(messenger: Messenger) -> list[HealthProblem]:
    try:
        rows = _items(messenger.get("me/messaging_feature_review"))
    except GraphRefused:  # not every app may ask; that says nothing about the feature
        return []
    found = review_problem((str(row.get("feature")), str(row.get("status"))) for row in rows)
    return [found] if found else []


def _trouble(refusal: GraphRefused, otherwise: HealthProblem) -> HealthProblem:
    return HealthProblem.UNREACHABLE if is_inconclusive(refusal) else otherwise


def is_inconclusive(refusal: GraphRefused) -> bool:
    """Whether a refusal proves nothing about the fanpage: nobody answered, or only that now is
    not the time."""
    return refusal.failure.step == NextStep.IN_DOUBT or errors.is_inconclusive(refusal.failure)


def _items(answer: dict[str, Any]) -> list[dict[str, Any]]:
    data = answer.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
