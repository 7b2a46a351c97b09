"""Every page says that the installation is held."""

from core import holding
from core.database import transaction


def test_a_held_installation_says_so_on_every_page(panel, arrange, now):
    arrange.fanpage()
    with transaction() as db:
        holding.hold(db, holding.HoldCode.LEAVING, now=now, place="db.example/otn")
    at = panel("topics")
    assert not at.exception
    assert "being moved to db.example/otn" in at.error[0].value
