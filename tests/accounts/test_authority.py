"""Nobody does anything with a page of yesterday: every action reads its operator again, and changes nothing
for who is disabled, demoted, signed out, or gone. A new action without an entry in operations.py fails
here."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeGuard

import pytest
from sqlalchemy import delete, select

from core.accounts.capabilities import CAPABILITIES
from core.accounts.rules import Actor, Permission, Role
from core.db.engine import reading, transaction
from core.db.tables import Fanpage, Operator, Table
from core.errors import NotAllowed, OperatorError, SignedOut
from core.fanpages import actions as fanpages
from tests.accounts.operations import TRIALS, Trial, World

ROOT = Path(__file__).resolve().parents[2]
RANKS = [Role.VIEWER, Role.EDITOR, Role.SENDER, Role.ADMIN]
LEAST = dict(zip(Permission, RANKS, strict=True))
ABOUT_NO_FANPAGE = {"core.accounts.list_columns.choose_columns"}
AUTHORISE = {"authorise", "lock_operators"}  # the second: accounts/operator_rows.py, a lock first


def annotated(arguments: ast.arguments) -> set[str]:
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return {ast.unparse(each.annotation) for each in listed if each.annotation}


def asking(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.ClassDef]:
    """An action: it names who asks, and opens its transactions itself (what works on a row of somebody
    else's transaction is none)."""
    if isinstance(node, ast.FunctionDef):
        given = annotated(node.args)
        return "Actor" in given and not given & {"Session", "Broadcast", "Message"}
    fields = [each for each in getattr(node, "body", []) if isinstance(each, ast.AnnAssign)]
    return isinstance(node, ast.ClassDef) and any(ast.unparse(f.annotation) == "Actor" for f in fields)


def all_asking() -> dict[str, ast.FunctionDef | ast.ClassDef]:
    found = {}
    for path in sorted((ROOT / "core").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            if asking(node) and path.name != "authorising.py":
                found[f"{module}.{node.name}"] = node
    return found


def test_every_action_has_an_entry():
    public = {name for name in all_asking() if not name.split(".")[-1].startswith("_")}
    assert public == set(TRIALS)


def test_every_action_stands_on_the_page_of_roles_with_what_it_asks_for():
    """A new action goes into core/accounts/capabilities.py, to what it is part of or on a line of its own."""
    listed = [(f"core.{name}", each.permission) for each in CAPABILITIES for name in each.actions]
    assert sorted(listed) == sorted((name, trial.needs) for name, trial in TRIALS.items())


def opens_transaction(node: ast.AST) -> TypeGuard[ast.With]:
    calls = [item.context_expr for item in node.items] if isinstance(node, ast.With) else []
    return any(isinstance(call, ast.Call) and ast.unparse(call.func) == "transaction" for call in calls)


@pytest.mark.parametrize("name", sorted(all_asking()))
def test_an_action_authorises_first_in_each_of_its_transactions(name):
    if not isinstance(node := all_asking()[name], ast.FunctionDef):
        pytest.skip("a class; its entry in operations.py is tried below")
    for block in filter(opens_transaction, ast.walk(node)):
        first = ast.unparse(block.body[0])
        assert first.partition("(")[0] in AUTHORISE, first


def everything() -> dict[str, list[tuple]]:
    with reading() as db:
        tables = Table.metadata.sorted_tables
        return {table.name: sorted(map(repr, db.execute(select(table)))) for table in tables}


@pytest.fixture
def world(arrange, now, quick_hashes, monkeypatch) -> World:
    monkeypatch.setattr(fanpages, "check_health", lambda *_args, **_more: [])
    return World(arrange, now)


def put(operator_id: int, **values: object) -> None:
    with transaction() as db:
        row = db.get(Operator, operator_id)
        for field, value in values.items():
            setattr(row, field, value)


def refused(call, by: Actor) -> NotAllowed:
    before = everything()
    with pytest.raises(NotAllowed) as refusal:
        call(by)
    assert everything() == before
    return refusal.value


def works(trial: Trial, call, by: Actor) -> None:
    if trial.ends_well:
        call(by)
        return
    with pytest.raises(OperatorError) as failure:
        call(by)
    assert not isinstance(failure.value, NotAllowed)


def actor(world: World, **more: object) -> Actor:
    """As a page made it while the operator was an admin who had just signed in."""
    drawn = Actor(world.asks, "lan.anh", Role.ADMIN, signed_in_at=world.now - timedelta(minutes=5))
    return replace(drawn, **more)


@pytest.mark.parametrize("name", sorted(TRIALS))
def test_nothing_is_done_for_who_may_not_any_more_and_all_for_who_may(world, name):
    trial = TRIALS[name]
    call, by = trial.prepare(world), actor(world)
    _refused_by_state(world, trial, call, by)
    for role in RANKS[: RANKS.index(LEAST[trial.needs])]:
        put(world.asks, role=role)
        assert type(refused(call, by)) is NotAllowed  # though the page still says admin
    put(world.asks, role=LEAST[trial.needs])
    works(trial, call, replace(by, role=Role.VIEWER))  # promoted since the page was drawn


def _refused_by_state(world: World, trial: Trial, call, by: Actor) -> None:
    now = world.now
    put(world.asks, disabled_at=now)
    assert "disabled" in refused(call, by).message
    put(world.asks, disabled_at=None, sessions_valid_after=now - timedelta(minutes=1))
    assert "signed out" in refused(call, by).message
    put(world.asks, sessions_valid_after=now - timedelta(days=3))
    assert isinstance(refused(call, replace(by, signed_in_at=now - timedelta(days=2))), SignedOut)
    assert isinstance(refused(call, replace(by, signed_in_at=None)), SignedOut)
    ended, of_another = world.session_of(world.asks, ended_at=now), world.session_of(world.operator("hoa"))
    for session_id in (404, ended, of_another):
        assert "signed out" in refused(call, replace(by, session_id=session_id)).message
    if not trial.own:
        put(world.asks, must_change_password=True)
        assert "password" in refused(call, by).message
        put(world.asks, must_change_password=False)
    assert isinstance(refused(call, replace(by, id=404)), SignedOut)


@pytest.mark.parametrize("name", sorted(TRIALS))
def test_an_operator_of_some_fanpages_changes_nothing_of_another(world, name):
    trial = TRIALS[name]
    call, by = trial.prepare(world), actor(world)
    theirs = all_fanpages()
    put(world.asks, role=LEAST[trial.needs], fanpage_ids=[world.arrange.fanpage("Elsewhere")])
    if not trial.own and name not in ABOUT_NO_FANPAGE:
        assert type(refused(call, by)) is NotAllowed
        put(world.asks, fanpage_ids=theirs)
    if trial.of_all:
        assert type(refused(call, by)) is NotAllowed
    else:
        works(trial, call, by)


def all_fanpages() -> list[int]:
    with reading() as db:
        return list(db.scalars(select(Fanpage.id)))


def test_a_deleted_operator_does_nothing(world):
    call = TRIALS["core.broadcasts.actions.launch"].prepare(world)
    with transaction() as db:
        db.execute(delete(Operator).where(Operator.id == world.asks))
    assert "no longer exists" in refused(call, actor(world)).message


@pytest.mark.parametrize("name", sorted(name for name in TRIALS if TRIALS[name].own))
def test_who_must_choose_a_password_may_still_change_their_own_account(world, name):
    trial = TRIALS[name]
    put(world.asks, must_change_password=True, role=Role.VIEWER)
    trial.prepare(world)(actor(world))
