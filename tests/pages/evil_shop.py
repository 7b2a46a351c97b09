"""A shop in which everything that has a name has one that is a picture in Markdown."""

from __future__ import annotations

from datetime import timedelta

from core.clock import utc_now
from core.db import tables
from core.db.engine import transaction
from core.db.tables import (
    Activity,
    Block,
    Broadcast,
    CustomerTag,
    Delivery,
    DeliveryAttempt,
    EntryPoint,
    Event,
    Message,
    MessageVersion,
    OptInImport,
    Request,
    Tag,
    Template,
)
from tests.arrange import Arrange

NAME = "![x](https://evil.example/x.png)"
STATES = ("draft", "scheduled", "sending", "paused", "finished", "cancelled", "missed")


def evil_shop(arrange: Arrange) -> dict[str, int]:
    """Something of everything, each with the evil name; the ids of what pages are opened with."""
    now = arrange.now = utc_now()
    times = {"created_at": now, "updated_at": now}
    fanpage_id = arrange.fanpage(
        NAME, otn_off_by=NAME, policy_action="warning", policy_reason=NAME, policy_at=now
    )
    topic_id = arrange.topic(fanpage_id, NAME)
    item = {"title": NAME, "message_id": None, "url": NAME}
    profile = {"default": {"greeting": NAME, "ice_breakers": [item], "menu": [item]}}
    with transaction() as db:
        db.get(tables.Topic, topic_id).description = NAME
        db.add(
            tables.MessengerProfile(
                fanpage_id=fanpage_id, content=profile, version=1, updated_by=NAME, updated_at=now
            )
        )
    names = {"last_name": NAME, "search_text": NAME, "window_closes_at": now + timedelta(hours=2)}
    customer_id = arrange.customer(fanpage_id, NAME, **names)
    arrange.opt_in(topic_id, customer_id, fanpage_id=fanpage_id, promise=NAME)
    arrange.opt_in(
        topic_id, customer_id, fanpage_id=fanpage_id, promise=NAME, consented_at=now - timedelta(days=362)
    )
    message_id = arrange.save(Message(fanpage_id=fanpage_id, name=NAME, published=1, **times))
    arrange.save(
        Block(message_id=message_id, position=0, kind="text", content={"text": NAME, "fallback": NAME})
    )
    said = {"name": NAME, "blocks": [], "entry_points": []}
    arrange.save(
        MessageVersion(message_id=message_id, number=1, content=said, published_by=NAME, published_at=now)
    )
    asks = {"kind": "otnr", "content": {"title": NAME, "after": NAME}, "topic_id": topic_id}
    arrange.save(Block(message_id=message_id, position=1, **asks))
    word = {"match": "contains", "value": NAME, "created_at": now}
    for kind in ("keyword", "ref", "get_started", "comment"):
        row = EntryPoint(fanpage_id=fanpage_id, message_id=message_id, kind=kind, folded=NAME.lower(), **word)
        arrange.save(row)
    arrange.save(
        Template(
            fanpage_id=fanpage_id, kind="broadcast", name=NAME, content={}, created_by=NAME, created_at=now
        )
    )
    about = {"fanpage_id": fanpage_id, "customer_id": customer_id, "topic_id": topic_id}
    arrange.save(Request(**about, title=NAME, after_text=NAME, payload="p", created_at=now))
    tag_id = arrange.save(Tag(fanpage_id=fanpage_id, name=NAME, key=NAME.lower(), created_at=now))
    with transaction() as db:
        db.add(CustomerTag(tag_id=tag_id, customer_id=customer_id, created_at=now))
    arrange.save(tables.Tester(fanpage_id=fanpage_id, customer_id=customer_id, name=NAME, created_at=now))
    refused = {"said": [{"template": "{column} is missing.", "values": {"column": NAME}}]}
    for ended in ({"state": "done"}, {"state": "failed", "problem": refused}):
        whose = {"fanpage_id": fanpage_id, "topic_id": topic_id, "operator": NAME, "role": "admin"}
        arrange.save(OptInImport(file_name=NAME, created_at=now, ended_at=now, **whose, **ended))
    for verb in ("broadcast.launch", "topic.create", "unheard.of"):
        arrange.save(
            Activity(at=now, actor=NAME, verb=verb, subject=NAME, detail={"text": NAME, "reason": NAME})
        )
    with transaction() as db:
        known = {
            "page_id": db.get(tables.Fanpage, fanpage_id).page_id,
            "psid": db.get(tables.Customer, customer_id).psid,
        }
    told = {**known, "body": "{}", "occurred_at": now, "received_at": now}
    event_id = arrange.save(Event(kind="message", dedupe_key=NAME[:60], state="failed", note=NAME, **told))
    found = {
        "event": event_id,
        "topic": topic_id,
        "customer": customer_id,
        "message": message_id,
        "fanpage": fanpage_id,
    }
    for state in STATES:
        row = Broadcast(
            fanpage_id=fanpage_id,
            topic_id=topic_id,
            name=NAME,
            content={"kind": "text", "text": NAME},
            state=state,
            due_at=now + timedelta(days=1),
            audience=1,
            launched_by=NAME,
            created_by=NAME,
            approved_by=NAME,
            asked_by=NAME if state == "draft" else "",
            asked_at=now if state == "draft" else None,
            started_at=now if state in ("sending", "paused", "finished") else None,
            finished_at=now if state == "finished" else None,
            pause_code=NAME[:60] if state == "paused" else None,
            changes={"content": {"version": 1, "by": NAME, "at": now.isoformat()}},
            **times,
        )
        found[state] = arrange.save(row)
        outcome = "unknown" if state == "finished" else "failed"
        values = {"state": outcome, "reason": "unknown_error", "detail": NAME, "settled_at": now}
        delivery_id = arrange.save(Delivery(broadcast_id=found[state], customer_id=customer_id, **values))
        tried = {"number": 1, "reason": "unknown_error", "detail": NAME, "started_at": now}
        arrange.save(DeliveryAttempt(delivery_id=delivery_id, **tried))
    return found
