"""The line to Messenger of each fanpage."""

from __future__ import annotations

import pytest

from core.db.engine import transaction
from core.db.tables import Fanpage
from core.encryption import CannotDecrypt, encrypt
from core.errors import NotFound, WrongState
from core.fanpages.connection import find_connections, forget_connections, messenger_for
from core.messenger import wire
from core.messenger.send_responses import Accepted
from core.messenger.signature import appsecret_proof
from core.settings import kept_secret, settings
from tests.fanpages.conftest import PAGE_ID, TOKEN
from tests.messenger.graph import Reply

BODY = wire.send_to_psid("25", wire.text("Chào"))


def test_the_line_speaks_for_the_fanpage_with_its_token_and_proof(page, arrange):
    fanpage = arrange.fanpage(page_id=PAGE_ID, token_sealed=encrypt(TOKEN))
    page.graph.will(Reply(200, {"message_id": "m"}))
    assert messenger_for(fanpage).send(BODY) == Accepted("m")
    (seen,) = page.graph.seen
    assert seen.path == f"/v26.0/{PAGE_ID}/messages"
    assert seen.headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen.query["appsecret_proof"] == appsecret_proof("app-secret-for-tests", TOKEN)


def test_the_line_is_kept_until_the_token_changes(page, arrange):
    fanpage = arrange.fanpage(page_id=PAGE_ID, token_sealed=encrypt(TOKEN))
    first = messenger_for(fanpage)
    assert messenger_for(fanpage) is first
    with transaction() as db:
        db.get(Fanpage, fanpage).token_sealed = encrypt("EAABnewer")
    renewed = messenger_for(fanpage)
    assert renewed is not first
    page.graph.will(Reply(200, {"message_id": "m"}))
    renewed.send(BODY)
    assert page.graph.seen[-1].headers["Authorization"] == "Bearer EAABnewer"


def test_the_demo_speaks_to_the_simulator_under_its_own_secret(page, arrange, monkeypatch):
    monkeypatch.setenv("OTN_SIMULATOR_PORT", page.graph.url.rpartition(":")[2])
    monkeypatch.setenv("OTN_GRAPH_URL", "http://127.0.0.1:9")
    settings.cache_clear()
    fanpage = arrange.fanpage(page_id=PAGE_ID, token_sealed=encrypt(TOKEN), is_demo=True)
    page.graph.will(Reply(200, {"message_id": "m"}))
    assert messenger_for(fanpage).send(BODY) == Accepted("m")
    proof = appsecret_proof(kept_secret("demo-app.secret"), TOKEN)
    assert page.graph.seen[0].query["appsecret_proof"] == proof


def test_without_fanpage_token_or_key_there_is_no_line(page, arrange):
    with pytest.raises(NotFound):
        messenger_for(7)
    with pytest.raises(WrongState):
        messenger_for(arrange.fanpage(token_sealed=None))
    with pytest.raises(CannotDecrypt):
        messenger_for(arrange.fanpage(token_sealed="gAAAAnot-ours"))


def test_one_whose_servers_secret_cannot_be_read_costs_the_others_nothing(page, arrange, monkeypatch):
    real = arrange.fanpage(token_sealed=encrypt(TOKEN))
    demo = arrange.fanpage(token_sealed=encrypt(TOKEN), is_demo=True)
    (settings().data_dir / "demo-app.secret").write_text("")
    forget_connections()
    found = find_connections([demo, real])
    assert "empty" in str(found[demo])
    assert not isinstance(found[real], Exception)
