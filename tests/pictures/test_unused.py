"""Pictures that nothing shows any more are deleted after a week, with their files; all others stay."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import select

from core.accounts.rules import COMMAND_LINE
from core.conversation.actions import save_message
from core.conversation.draft_actions import create_draft, delete_draft, get_draft, keep_draft, publish_message
from core.conversation.drafts import BlockDraft, MessageDraft
from core.db.engine import reading
from core.db.tables import Broadcast, Picture, Reply, Template
from core.pictures.actions import add_picture
from core.pictures.files import find_file, folder
from core.pictures.rules import UPLOADED, name_in
from core.pictures.unused import KEPT_FOR, delete_unused_pictures
from tests.arrange import Arrange
from tests.pictures.test_pictures import photo

LATER = KEPT_FOR + timedelta(minutes=1)


def upload(fanpage_id: int, now: datetime) -> str:
    return add_picture(COMMAND_LINE, fanpage_id, photo((20, 10)), now=now)


def file_of(picture: str) -> Path | None:
    return find_file(name_in(picture) or "")


def kept() -> set[str]:
    with reading() as db:
        return {f"{UPLOADED}{name}" for name in db.execute(select(Picture.name)).scalars()}


def shows(picture: str) -> list[BlockDraft]:
    cards = [{"title": title, "subtitle": "Mới", "image_url": picture} for title in ("Hồng", "Cúc")]
    return [BlockDraft("carousel", {"cards": cards})]


def test_what_nothing_shows_is_deleted_after_a_week(fanpage: int, now: datetime) -> None:
    picture = upload(fanpage, now)
    assert delete_unused_pictures(now=now + KEPT_FOR - timedelta(minutes=1)) == 0
    assert file_of(picture)
    os.utime(file_of(picture) or "", (0, 0))
    assert delete_unused_pictures(now=now + LATER) == 1
    assert (kept(), file_of(picture)) == (set(), None)
    assert delete_unused_pictures(now=now + LATER) == 0


def test_a_draft_keeps_its_picture_until_it_is_gone(fanpage: int, now: datetime) -> None:
    picture = upload(fanpage, now)
    draft = create_draft(COMMAND_LINE, fanpage, MessageDraft("Hoa", shows(picture), []), now=now)
    assert delete_unused_pictures(now=now + LATER) == 0
    delete_draft(COMMAND_LINE, draft.id, now=now)
    assert delete_unused_pictures(now=now + LATER) == 1


def test_an_earlier_version_keeps_its_picture(fanpage: int, now: datetime) -> None:
    first, second = upload(fanpage, now), upload(fanpage, now)
    message = save_message(COMMAND_LINE, fanpage, name="Hoa", blocks=shows(first), entry_points=[], now=now)
    began = get_draft(message)
    keep_draft(COMMAND_LINE, replace(began, blocks=shows(second)), began=began, now=now)
    publish_message(COMMAND_LINE, message, now=now)
    assert delete_unused_pictures(now=now + LATER) == 0
    assert kept() == {first, second}


def test_a_broadcast_and_a_waiting_reply_keep_theirs(arrange: Arrange, fanpage: int, now: datetime) -> None:
    sent, waiting, answered = (upload(fanpage, now) for _ in range(3))
    topic = arrange.topic(fanpage)
    arrange.save(
        Broadcast(
            fanpage_id=fanpage,
            topic_id=topic,
            name="Hoa",
            content={"kind": "image", "url": sent},
            created_at=now,
            updated_at=now,
        )
    )
    for state, picture in (("queued", waiting), ("sent", answered)):
        customer = arrange.customer(fanpage)
        body = {"attachment": {"type": "image", "payload": {"url": picture}}}
        reply = Reply(fanpage_id=fanpage, customer_id=customer, body=body, state=state, created_at=now)
        arrange.save(reply)
    assert delete_unused_pictures(now=now + LATER) == 1
    assert kept() == {sent, waiting}


def test_a_template_keeps_its_picture(arrange: Arrange, fanpage: int, now: datetime) -> None:
    shown = upload(fanpage, now)
    content = {"kind": "image", "url": shown}
    made = {"name": "Hoa", "content": content, "created_by": "mai", "created_at": now}
    arrange.save(Template(fanpage_id=fanpage, kind="broadcast", **made))
    assert delete_unused_pictures(now=now + LATER) == 0
    assert kept() == {shown}


def test_only_old_files_without_a_row_are_deleted(fanpage: int, now: datetime) -> None:
    shown = upload(fanpage, now)
    lost, fresh, strange = (folder() / name for name in (f"{'a' * 40}.jpg", f"{'b' * 40}.jpg", "notes.txt"))
    for path in (lost, fresh, strange):
        path.write_bytes(b"x")
    for path in (lost, strange, file_of(shown)):
        os.utime(path or "", (0, 0))
    delete_unused_pictures(now=now)
    assert not lost.exists()
    assert fresh.exists()
    assert strange.exists()
    assert file_of(shown)
