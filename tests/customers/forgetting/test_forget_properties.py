"""No history of forgetting unbalances the books, releases a token in doubt or resurrects anybody."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import queries
from core.db.engine import reading
from core.db.tables import Broadcast, Customer, Delivery, DeliveryAttempt, OptIn
from core.forgetting.actions import forget
from core.sending.senders.sender import Claim
from tests.arrange import Arrange
from tests.databases import Databases, TestDatabase
from tests.sending.test_token_properties import PEOPLE, TokenHistory, run_token_histories
from tests.state_machines import build_in_small_chunks


class ForgettingHistory(TokenHistory):
    """The same with people who are forgotten, whatever is under way; somebody new takes their place."""

    @rule(person=st.integers(0, PEOPLE - 1))
    def somebody_is_forgotten(self, person: int) -> None:
        before = {each: queries.get_broadcast(each) for each in self.broadcasts}
        with reading() as db:
            psid = db.get_one(Customer, self.customers[person]).psid
        assert forget(COMMAND_LINE, self.fanpage_id, psid, now=self.now) == 1
        for broadcast_id, was in before.items():
            shown = queries.get_broadcast(broadcast_id)
            settled = ("sent", "failed", "cancelled")
            assert [shown.counts[state] for state in settled] == [was.counts[state] for state in settled]
            assert (shown.audience, shown.delivered, shown.read) == (was.audience, was.delivered, was.read)
        self.customers[person] = Arrange(self.now).customer(
            self.fanpage_id, psid=f"31{self.tokens}{psid}"[:60]
        )
        self.tokens += 1

    @invariant()
    def nobody_forgotten_has_anything_left(self) -> None:
        if not hasattr(self, "broadcasts"):
            return
        with reading() as db:
            for opt_in in db.execute(select(OptIn).where(col(OptIn.customer_id).is_(None))).scalars():
                assert opt_in.token_sealed is None
                assert opt_in.state not in ("available", "reserved", "refused")
            theirs = db.execute(select(Delivery).where(col(Delivery.customer_id).is_(None))).scalars().all()
            assert all((each.mid, each.detail) == (None, None) for each in theirs)
            tried = select(DeliveryAttempt).where(
                col(DeliveryAttempt.delivery_id).in_([each.id for each in theirs])
            )
            assert db.execute(tried).first() is None

    @invariant()
    def only_who_asked_for_the_topic_was_sent_anything(self) -> None:
        if not hasattr(self, "broadcasts"):
            return
        with reading() as db:
            for claim in self.accepted.values():
                opt_in = db.get_one(OptIn, claim.needs.opt_in_id)
                assert opt_in.topic_id == db.get_one(Broadcast, claim.broadcast_id).topic_id
                assert opt_in.customer_id in (None, claim.customer_id)

    def _echo(self, claim: Claim) -> None:
        with reading() as db:
            is_known = db.get(Customer, claim.customer_id) is not None
        if is_known:
            super()._echo(claim)


@pytest.mark.timeout(600)
def test_no_history_of_forgetting_unbalances_the_books(
    databases: Databases, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_in_small_chunks(monkeypatch)
    run_token_histories(ForgettingHistory, databases, fresh_database, sqlite=20)
