"""What fails before anything has left: the message goes later, and nothing is in doubt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from core.accounts.rules import COMMAND_LINE
from core.db import holding
from core.db.engine import reading
from core.db.tables import Delivery, Reply
from core.installation import hold_actions
from core.messenger.client import Profile
from core.sending.calls import runner as call_runner
from core.sending.loop import SendingLoop
from core.sending.senders import sender
from core.sending.senders.one_time_token import OneTimeToken, OpenedToken
from core.sending.senders.sender import Claim
from tests.sending.conftest import Studio

NAME = f"{'a' * 40}.jpg"
PICTURE = {"kind": "image", "url": f"upload:{NAME}"}


class Failing:
    """A question to the database that fails as often as told, and then knows of no attachment."""

    def __init__(self, problem: Exception, times: int) -> None:
        self.problem, self.left = problem, times

    def __call__(self, _name: str) -> str | None:
        if self.left > 0:
            self.left -= 1
            raise self.problem
        return None


def gone() -> OperationalError:
    return OperationalError("SELECT", None, Exception("gone"))


def launched(studio: Studio, monkeypatch: pytest.MonkeyPatch, fails: Failing) -> int:
    monkeypatch.setattr(sender, "parts_of", lambda _wording: (fails("picture"), 0))
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    return broadcast_id


def test_a_broadcast_message_that_could_not_be_written_goes_back_and_leaves_later(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    broadcast_id = launched(studio, monkeypatch, Failing(gone(), times=4))
    studio.loop().drain()
    with reading() as db:
        rows = db.exec(select(Delivery).where(col(Delivery.broadcast_id) == broadcast_id)).all()
    assert [(row.state, row.tries, row.in_doubt) for row in rows] == [("sent", 0, False)] * 3
    assert max(row.attempt for row in rows) > 1
    assert list(studio.platform.accepted.values()) == [1, 1, 1]


def test_a_defect_while_writing_is_tried_again_without_a_doubt(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, opt_in_states: Any
) -> None:
    broadcast_id = launched(studio, monkeypatch, Failing(RuntimeError("a defect"), times=1000))
    studio.loop().drain()
    with reading() as db:
        rows = db.exec(select(Delivery).where(col(Delivery.broadcast_id) == broadcast_id)).all()
    assert [(row.state, row.reason, row.tries, row.in_doubt) for row in rows] == [
        ("queued", "our_error", 1, False)
    ] * 3
    studio.send_all()
    assert studio.show(broadcast_id).counts["failed"] == 3
    assert not studio.platform.tries
    assert opt_in_states() == {"available": 3}


def test_a_reply_that_could_not_be_written_leaves_later(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_runner, "attachment_of", Failing(gone(), times=2))
    url = {"attachment": {"type": "image", "payload": {"url": f"upload:{NAME}"}}}
    studio.reply(body=url)
    studio.loop().drain()
    with reading() as db:
        (row,) = db.exec(select(Reply)).all()
    assert (row.state, row.tries) == ("sent", 0)
    assert len(studio.platform.to_psids) == 1


def test_a_picture_goes_as_its_attachment_as_soon_as_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, str] = {}
    monkeypatch.setattr(sender, "attachment_of", known.get)
    claim = Claim(
        delivery_id=1,
        fanpage_id=1,
        broadcast_id=1,
        customer_id=1,
        first_name="Lan",
        claim_number=1,
        counted_attempts=0,
        in_doubt=False,
        sender=OneTimeToken(),
        needs=OpenedToken(1, "token"),
    )

    def shown() -> dict[str, str]:
        sent = OneTimeToken().write(json.dumps(PICTURE), claim, "https://otn.shop.vn")
        payload: dict[str, str] = sent.body()["message"]["attachment"]["payload"]
        return payload

    assert shown() == {"url": f"https://otn.shop.vn/pictures/{NAME}"}
    known[NAME] = "77"
    assert shown() == {"attachment_id": "77"}


def test_what_is_stopped_while_it_is_written_does_not_leave(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, opt_in_states: Any
) -> None:
    """Also in a call that holds messages of several fanpages."""
    other = Studio(studio.arrange, studio.now, studio.call_threads)
    platforms = {studio.fanpage_id: studio.platform, other.fanpage_id: other.platform}
    loop = studio.loop(find_connections=lambda ids: {key: platforms[key] for key in ids})

    def slow(_wording: str) -> tuple[str | None, int]:
        stop_and_look(studio, loop)
        return None, 0

    monkeypatch.setattr(sender, "parts_of", slow)
    for each in (studio, other):
        each.opt_in(f"token-{each.fanpage_id}")
        each.launch(each.broadcast())
    loop.drain()
    assert not studio.platform.tries
    assert not other.platform.tries
    assert opt_in_states() == {"reserved": 2}


def test_a_reply_is_not_sent_once_all_is_stopped_while_the_name_is_asked_for(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = studio.loop()

    def slow(_platform: Any, _psid: str) -> Profile:
        stop_and_look(studio, loop)
        return Profile(first_name="Mai", last_name=None, locale=None)

    monkeypatch.setattr(type(studio.platform), "profile", slow)
    studio.reply(body={"text": "Chào {{first_name|bạn}}"})
    loop.drain()
    assert studio.platform.to_psids == []
    hold_actions.release_hold(COMMAND_LINE, now=studio.now)
    monkeypatch.setattr(type(studio.platform), "profile", lambda *_: pytest.fail("it is known by now"))
    studio.loop().drain()
    assert [body["message"]["text"] for body in studio.platform.to_psids] == ["Chào Mai"]


def stop_and_look(studio: Studio, loop: SendingLoop) -> None:
    """All sending is stopped, and the loop knows it."""
    if holding.current_hold() is None:
        hold_actions.stop_sending(COMMAND_LINE, now=studio.now)
    loop.snapshots.fresh(0.0)
