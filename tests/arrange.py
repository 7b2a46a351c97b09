"""Arrangement helpers that speak business; they write rows directly and return their ids."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.consent import rules
from core.db.engine import transaction
from core.db.tables import Customer, Fanpage, FanpageRate, OptIn, Topic
from core.encryption import encrypt, lookup_hash
from core.fanpages.send_rate import DEFAULT_RATE


@dataclass
class Arrange:
    now: datetime
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def save(self, row: Any) -> int:
        with transaction() as db:
            db.add(row)
            db.flush()
            return row.id

    def fanpage(self, name: str = "Tiệm Hoa Mai", **more: object) -> int:
        values = {
            "page_id": str(100000000000000 + next(self._numbers)),
            "token_sealed": encrypt("page-token"),
            "rate": DEFAULT_RATE,
            "timezone": "Asia/Ho_Chi_Minh",
            "created_at": self.now,
            "updated_at": self.now,
        }
        fanpage_id = self.save(Fanpage(name=name, **{**values, **more}))
        with transaction() as db:
            db.add(FanpageRate(fanpage_id=fanpage_id))
        return fanpage_id

    def topic(self, fanpage_id: int, name: str = "KH nhận khuyến mãi SP mới") -> int:
        return self.save(Topic(fanpage_id=fanpage_id, name=name, created_at=self.now, updated_at=self.now))

    def customer(self, fanpage_id: int, first_name: str = "Lan", **more: object) -> int:
        values = {"psid": str(25000000000000000 + next(self._numbers)), "created_at": self.now}
        return self.save(Customer(fanpage_id=fanpage_id, first_name=first_name, **{**values, **more}))

    def opt_in(
        self, topic_id: int, customer_id: int, *, fanpage_id: int, token: str | None = None, **more: object
    ) -> int:
        token = token or f"token-{next(self._numbers)}"
        consented_at = more.pop("consented_at", self.now - timedelta(days=1))
        values = {
            "promise": "Báo tôi khi có khuyến mãi",
            "token_hash": lookup_hash(token),
            "token_sealed": encrypt(token),
            "source": rules.OptInSource.WEBHOOK,
            "consented_at": consented_at,
            "expires_at": rules.expires_at(consented_at),
            "created_at": self.now,
        }
        row = OptIn(fanpage_id=fanpage_id, customer_id=customer_id, topic_id=topic_id, **{**values, **more})
        return self.save(row)
