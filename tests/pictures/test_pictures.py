"""Uploaded pictures: read by their content, kept without metadata, served by name only, handed over once."""

import json
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image, ImageSequence
from sqlmodel import select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from core.accounts.rules import COMMAND_LINE
from core.broadcasts.readiness import find_problems
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft
from core.conversation.rules import render
from core.db.engine import reading
from core.db.tables import Picture
from core.errors import Invalid, WrongState
from core.messenger.client import Messenger
from core.operations import doctor
from core.pictures import attachments, files
from core.pictures.actions import add_picture
from core.pictures.files import draw_anew, find_file, folder, thumbnail
from core.pictures.rules import PATH, name_in, with_pictures
from core.pictures.scheduled_jobs import RENEWED_AFTER, hand_over_pictures
from core.simulator import World, running_simulator
from core.simulator.control_client import SimulatorClient
from tests.arrange import Arrange
from tests.databases import TestDatabase
from webhook_server.application import create_app

SECRET = b"TIEM-HOA-GPS"


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    attachments.forget_known()


def photo(size: tuple[int, int] = (3000, 1500), *, kind: str = "JPEG", mode: str = "RGB") -> bytes:
    """A photo that stands on its side, with words in its metadata."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = SECRET.decode()
    written = BytesIO()
    Image.new(mode, size, (200, 30, 60, 120)[: len(mode)]).save(written, kind, exif=exif.tobytes())
    return written.getvalue()


def moving() -> bytes:
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 120, 240)]
    written = BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], comment=SECRET)
    return written.getvalue()


def test_a_moving_picture_that_unpacks_without_end_is_refused_before_it_is_drawn(monkeypatch):
    monkeypatch.setattr(files, "MOVING_LIMIT", 3 * 20 * 20 - 1)
    with pytest.raises(Invalid, match="too large for its length"):
        draw_anew(moving())
    monkeypatch.setattr(files, "MOVING_LIMIT", 3 * 20 * 20)
    assert draw_anew(moving()).ending == "gif"


def added(arrange: Arrange, fanpage: int, uploaded: bytes) -> str:
    return add_picture(COMMAND_LINE, fanpage, uploaded, now=arrange.now)


def test_a_photo_is_kept_upright_small_and_without_metadata() -> None:
    drawn = draw_anew(photo())
    assert (drawn.ending, drawn.width, drawn.height) == ("jpg", 800, 1600)
    assert SECRET not in drawn.data
    assert SECRET not in draw_anew(photo(kind="PNG")).data


def test_what_is_clear_stays_clear_and_what_moves_goes_on_moving() -> None:
    assert draw_anew(photo(kind="PNG", mode="RGBA")).ending == "png"
    assert draw_anew(photo((40, 20), kind="WEBP")).ending == "jpg"
    drawn = draw_anew(moving())
    assert len(list(ImageSequence.Iterator(Image.open(BytesIO(drawn.data))))) == 3
    assert SECRET not in drawn.data


@pytest.mark.parametrize(
    "uploaded",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a<script>alert(1)</script>",
        photo()[:400],
        b"\xff\xd8\xff" + b"0" * 100,
        b"x" * (10 * 1024 * 1024 + 1),
        photo((9000, 9000), kind="PNG"),
    ],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(arrange: Arrange, uploaded: bytes) -> None:
    with pytest.raises(Invalid):
        added(arrange, arrange.fanpage(), uploaded)
    assert not folder().exists() or list(folder().iterdir()) == []


def test_the_webhook_server_shows_it_by_its_name_only(arrange: Arrange) -> None:
    name = name_in(added(arrange, arrange.fanpage(), photo()))
    assert name
    assert len(name) == 44
    (folder().parent / "secret.jpg").write_bytes(b"secret")
    with TestClient(create_app()) as server:
        shown = server.get(f"{PATH}{name}")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in shown.headers["cache-control"]
        assert Image.open(BytesIO(shown.content)).size == (800, 1600)
        for path in (
            "",
            "../secret.jpg",
            "..%2Fsecret.jpg",
            "%2e%2e/secret.jpg",
            f"{'0' * 40}.jpg",
            f".{name}",
        ):
            assert server.get(f"{PATH}{path}").status_code == 404


def test_a_message_shows_pictures_of_its_own_fanpage(arrange: Arrange) -> None:
    mine, other = arrange.fanpage(), arrange.fanpage("Quán")
    picture = added(arrange, mine, photo())
    blocks = [
        BlockDraft("image", {"url": picture}),
        BlockDraft("card", {"title": "Hoa", "image_url": picture}),
    ]
    given = {"name": "Hoa", "blocks": blocks, "entry_points": [], "now": arrange.now}
    assert save_message(COMMAND_LINE, mine, **given)
    with pytest.raises(Invalid, match="upload it again"):
        save_message(COMMAND_LINE, other, **given)
    assert thumbnail(str(name_in(picture))).startswith("data:image/jpeg;base64,")


def test_a_picture_whose_file_is_gone_is_refused_unless_messenger_has_it(
    arrange: Arrange, fresh_database: TestDatabase
) -> None:
    fanpage = arrange.fanpage()
    topic = arrange.topic(fanpage)
    picture = added(arrange, fanpage, photo())
    (folder() / str(name_in(picture))).unlink()
    image, card = {"kind": "image", "url": picture}, {"kind": "card", "title": "Hoa", "image_url": picture}

    def said(content: dict[str, object]) -> list[str]:
        return [each.template for each in find_problems(topic, content)]

    missing = ["The file of the uploaded image is missing; upload the image again."]
    assert (said(image), said(card)) == (missing, missing)
    fresh_database.run("UPDATE picture SET attachment_id = '77'")
    assert (said(image), said(card)) == ([], missing)  # a card's is fetched from the file


def test_doctor_counts_the_files_that_are_gone_and_the_worker_logs_them(arrange: Arrange) -> None:
    name = str(name_in(added(arrange, arrange.fanpage(), photo())))
    (folder() / name).unlink()
    counted = f"The files of 1 uploaded images are not in {folder()}"
    assert [each for each in doctor.find_problems() if each.startswith(counted)]
    with capture_logs() as said:
        assert hand_over_pictures(lambda _fanpage: None, now=arrange.now) == 0
    assert [(each["event"], each["file"]) for each in said] == [
        ("picture_not_readable", str(folder() / name))
    ]


def test_a_card_fetches_it_and_a_picture_goes_as_what_messenger_has() -> None:
    name = "a" * 40 + ".jpg"
    image = render("image", {"url": f"upload:{name}"})
    card = render("card", {"title": "Hoa", "image_url": f"upload:{name}"})
    here = "https://otn.hoa.vn"
    fetched = f"{here}{PATH}{name}"
    assert with_pictures(image, here, {name: "77"}.get)["attachment"]["payload"] == {"attachment_id": "77"}
    assert with_pictures(image, here, {}.get)["attachment"]["payload"] == {"url": fetched}
    sent = with_pictures(card, here, {name: "77"}.get)
    assert sent["attachment"]["payload"]["elements"][0]["image_url"] == fetched
    strange = render("image", {"url": "upload:../../secret.key"})
    assert with_pictures(strange, here, {}.get) == strange


def test_it_is_handed_over_to_messenger_once_and_again_before_it_is_forgotten(arrange: Arrange) -> None:
    fanpage = arrange.fanpage("Mai Hoa", page_id="100000000000001")
    name = str(name_in(added(arrange, fanpage, photo())))
    with running_simulator(World()) as url:
        remote = SimulatorClient(url)
        remote.save_page("100000000000001", name="Mai Hoa", token="word")
        line = Messenger("100000000000001", "word", base_url=url, version="v26.0")

        def hand_over(after: timedelta = timedelta(0)) -> int:
            return hand_over_pictures(lambda _fanpage_id: line, now=arrange.now + after)

        assert attachments.attachment_of(name) is None
        assert (hand_over(), hand_over()) == (1, 0)
        attachments.forget_known()
        first = attachments.attachment_of(name)
        assert first
        shown = attachments.with_names({"attachment": {"type": "image", "payload": {"attachment_id": first}}})
        assert name_in(shown["attachment"]["payload"]["url"]) == name
        assert hand_over(RENEWED_AFTER + timedelta(hours=1)) == 1
        line.close()
        remote.close()
    with reading() as db:
        (row,) = db.exec(select(Picture))
    assert row.attachment_id != first


def test_a_fanpage_without_a_token_does_not_hold_up_the_others(arrange: Arrange) -> None:
    fanpage = arrange.fanpage()
    added(arrange, fanpage, photo())

    def without_token(_fanpage_id: int) -> Messenger:
        raise WrongState("no token")

    assert hand_over_pictures(without_token, now=arrange.now) == 0
    with reading() as db:
        (row,) = db.exec(select(Picture))
    assert (row.tried_at, row.attachment_id) == (arrange.now, None)


def test_a_picture_whose_file_is_gone_is_not_tried_again_and_again(arrange: Arrange) -> None:
    name = str(name_in(added(arrange, arrange.fanpage(), photo())))
    path = find_file(name)
    assert path
    path.unlink()

    def nobody(_fanpage_id: int) -> Messenger:
        raise AssertionError(json.dumps("nothing to hand over"))

    assert hand_over_pictures(nobody, now=arrange.now) == 0
    with reading() as db:
        (row,) = db.exec(select(Picture))
    assert row.tried_at
