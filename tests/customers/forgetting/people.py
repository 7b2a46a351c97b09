"""A shop with one person of whom the database knows all there can be, and some others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import select

from core.accounts.activity_log import record
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, scheduled_jobs
from core.db.engine import reading, transaction
from core.db.tables import Delivery, OptIn, Reply, Request, Table
from core.forgetting.actions import forget
from core.inbox import processing
from core.inbox.event_parser import parse_body
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer
from core.sending import claims, settling
from core.sending.senders.sender import Claim
from core.sending.settling import Outcome
from tests import claiming
from tests.arrange import Arrange
from tests.databases import TestDatabase
from tests.inbox.platform import PAGE, body, said, tap

PSID = "24070000000000123"
FIRST, LAST = "Zymunt", "Qvortrup"
TOKEN = "token-of-zymunt"
DOUBT = Failure(NextStep.IN_DOUBT, "timeout", detail='{"fbtrace_id":"AbCdEf"}')
LATER = Failure(NextStep.RETRY_LATER, "temporary", 400, 2, detail="to Zymunt")


@dataclass
class Shop:
    arrange: Arrange
    now: datetime
    fanpage_id: int = 0
    topic_id: int = 0
    customer_id: int = 0
    others: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fanpage_id = self.arrange.fanpage(page_id=PAGE)
        self.topic_id = self.arrange.topic(self.fanpage_id)
        self.customer_id = self.arrange.customer(
            self.fanpage_id,
            FIRST,
            last_name=LAST,
            psid=PSID,
            search_text=f"{LAST} {FIRST} {PSID}".lower(),
            window_closes_at=self.now + timedelta(hours=5),
        )
        self.others = [self.arrange.customer(self.fanpage_id) for _ in range(2)]

    def opt_in(self, customer_id: int, token: str, **more: object) -> int:
        return self.arrange.opt_in(
            self.topic_id, customer_id, fanpage_id=self.fanpage_id, token=token, **more
        )

    def everybody_opts_in(self, name: str = "") -> None:
        self.opt_in(self.customer_id, TOKEN + name)
        for customer_id in self.others:
            self.opt_in(customer_id, f"token-of-{customer_id}{name}")

    def launch(self) -> int:
        content = {"kind": "text", "text": "Hàng đã về"}
        broadcast_id = actions.create_broadcast(
            COMMAND_LINE, topic_id=self.topic_id, content=content, now=self.now
        )
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=self.now)
        scheduled_jobs.start_due(now=self.now)
        return broadcast_id

    def claim(self, broadcast_id: int) -> list[Claim]:
        return claiming.claim(broadcast_id, 50, worker="worker a", now=self.now)

    def settle(self, taken: list[Claim], *answers: Answer) -> None:
        """Each with its answer; the last one counts for the others as well."""
        every = [answers[min(n, len(answers) - 1)] for n in range(len(taken))]
        outcomes = [Outcome(claim, answer) for claim, answer in zip(taken, every, strict=True)]
        settling.settle(outcomes, now=self.now)

    def send(self, broadcast_id: int, *answers: Answer) -> None:
        self.settle(self.claim(broadcast_id), *(answers or [Accepted("m_zymunt_1")]))

    def forget(self) -> int:
        return forget(COMMAND_LINE, self.fanpage_id, PSID, now=self.now)

    def told(self, *events: dict, apply: bool = True) -> int:
        """What the platform brings, now. How many events were kept."""
        kept = processing.store_events(parse_body(body(*events), self.now))
        while apply and processing.apply_pending(limit=100, now=self.now):
            pass
        return kept

    def wait(self, **by: float) -> None:
        self.now += timedelta(**by)
        claims.take_over_lost(now=self.now)

    def delivery(self, broadcast_id: int) -> Delivery:
        """The first of the broadcast: it is Zymunt's."""
        with reading() as db:
            mine = select(Delivery).where(Delivery.broadcast_id == broadcast_id)
            return db.exec(mine.order_by(Delivery.id)).first()

    def well_known(self) -> int:
        """All that there can be of one person, and a finished broadcast with them in it."""
        self.everybody_opts_in()
        broadcast_id = self.launch()
        self.send(broadcast_id, LATER, Accepted("m_other"))
        self.wait(seconds=90)
        self.send(broadcast_id, Accepted("m_zymunt_2"))
        scheduled_jobs.finish_done(now=self.now)
        earlier = self.now - timedelta(minutes=10)
        self.told(
            said(PSID, earlier, "I am Qvortrup", "m_said"),
            tap(PSID, earlier, "token-from-a-tap"),
            {"sender": {"id": PSID}, "recipient": {"id": PAGE}, "timestamp": 1, "odd": {"note": PSID}},
        )
        asked = self.arrange.save(
            Request(
                fanpage_id=self.fanpage_id,
                customer_id=self.customer_id,
                topic_id=self.topic_id,
                title="Báo tôi",
                payload="otn.zymunts-own-payload",
                tapped_at=earlier,
                created_at=earlier,
            )
        )
        values = {"request_id": asked, "body": {"text": f"Chào {FIRST}"}, "created_at": self.now}
        self.arrange.save(Reply(fanpage_id=self.fanpage_id, customer_id=self.customer_id, **values))
        self._acted_on()
        return broadcast_id

    def _acted_on(self) -> None:
        about = {"now": self.now, "fanpage_id": self.fanpage_id}
        with transaction() as db:
            record(db, COMMAND_LINE, "customer.note", subject_id=self.customer_id, **about)

    def secrets(self) -> set[str]:
        """What must be found nowhere afterwards."""
        with reading() as db:
            theirs = db.exec(select(OptIn).where(OptIn.customer_id == self.customer_id)).all()
        tokens = {each.token_hash for each in theirs} | {each.token_sealed for each in theirs}
        return {PSID, FIRST, LAST, "zymunt", "AbCdEf", *tokens} - {None}


def everything_in(database: TestDatabase) -> str:
    """Every row of every table, as one text."""
    names = [table.name for table in Table.metadata.sorted_tables]
    return "\n".join(f"{name} {row!r}" for name in names for row in database.rows(f'SELECT * FROM "{name}"'))
