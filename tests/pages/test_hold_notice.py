"""Every page says that the installation is held, or has another key."""

from core.db import holding
from core.db.engine import transaction
from core.db.tables import KeyCheck
from core.installation import key_check


def test_a_held_installation_says_so_on_every_page(panel, arrange, now):
    arrange.fanpage()
    with transaction() as db:
        holding.place_hold(db, holding.HoldCode.LEAVING, now=now, place="db.example/otn")
    at = panel("topics")
    assert not at.exception
    assert "being moved to db.example/otn" in at.error[0].value


def test_a_panel_with_another_key_shows_nothing_else(panel, arrange, fresh_database):
    arrange.fanpage()
    key_check.forget_checked()
    with transaction() as db:
        db.add(KeyCheck(id=1, hash="0" * 64))
    at = panel("topics")
    assert not at.exception
    assert "is not the key of this installation" in at.error[0].value
    assert not at.button
