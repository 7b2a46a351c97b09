"""Whether a fanpage may send broadcasts: the one rule of the panel, the command line and the clock."""

from __future__ import annotations

from sqlmodel import Session

from core.db import holding
from core.db.tables import Fanpage
from core.errors import N_, WrongState
from core.fanpages.rules import why_red


def refuse_unable(db: Session, fanpage_id: int) -> None:
    """Raise WrongState when nothing of the fanpage could go out now."""
    refuse_red(db, fanpage_id)
    refuse_stopped(db, fanpage_id)


def refuse_red(db: Session, fanpage_id: int) -> None:
    """Raise WrongState when the set-up of the fanpage shows red, by its latest check, or OTN is off."""
    fanpage = db.get_one(Fanpage, fanpage_id)
    if reason := why_red(fanpage.problems, otn_is_off=fanpage.otn_off_at is not None):
        raise WrongState(reason)


def refuse_stopped(db: Session, fanpage_id: int) -> None:
    """Raise WrongState while staff have stopped every send, or Messenger has stopped the fanpage. What is
    scheduled for later may wait for the end of either."""
    holding.refuse_if_stopped(db)
    if db.get_one(Fanpage, fanpage_id).stopped_code:
        raise WrongState(
            N_("Messenger has stopped this fanpage; repair it under set-up, then sending goes on.")
        )
