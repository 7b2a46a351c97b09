"""Imports that the worker runs: nothing lost, nothing twice, undone only while nothing of them is used."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions, scheduled_jobs
from core.consent import import_runs, imports
from core.consent.import_queries import list_imports
from core.consent.import_runs import begin_import, run_imports, undo_import
from core.consent.rules import ImportState
from core.db.engine import reading, transaction
from core.db.tables import Activity, Customer, Operator, OptIn, OptInImport
from core.errors import NotAllowed, WrongState
from core.forgetting.actions import forget
from core.installation import key_check
from core.installation.key_check import AnotherKey

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EDITOR = Actor(None, "editor.one", Role.EDITOR)
HEADER = "psid,token,consented_at,promise\n"
GOOD = "2026-11-01T09:30:00+07:00"
STATES = ("available", "reserved", "spent", "expired", "withdrawn", "refused")


def rows(*tokens):
    return HEADER + "".join(f"25{place},{token},{GOOD},\n" for place, token in enumerate(tokens))


@pytest.fixture
def begin(fanpage, topic):
    def begin(text):
        data = text.encode()
        return begin_import(EDITOR, fanpage, topic_id=topic, file_name="shop.csv", data=data, now=NOW)

    return begin


def editor(arrange) -> Actor:
    """One with a row, signed in."""
    values = {"sessions_valid_after": NOW, "created_at": NOW, "password_hash": "x"}
    row = arrange.save(Operator(name="lan", role=Role.EDITOR, **values))
    return Actor(row, "lan", Role.EDITOR, signed_in_at=NOW)


def opt_ins():
    with reading() as db:
        return db.exec(select(OptIn).order_by(OptIn.id)).all()


def test_the_worker_takes_in_what_was_handed_over(fanpage, begin):
    begin(rows("a", "b", "b") + "253,c,hôm qua,\n")
    (waiting,) = list_imports(fanpage)
    assert (waiting.state, opt_ins()) == (ImportState.WAITING, [])
    with reading() as db:
        noted = db.exec(select(Activity)).one()
    assert (noted.verb, noted.actor, noted.detail) == (
        "opt_in.begin_import",
        "editor.one",
        {"file": "shop.csv"},
    )
    assert run_imports(now=NOW) == 1
    (done,) = list_imports(fanpage)
    assert (done.state, done.imported, done.duplicates, done.rejected_count) == ("done", 2, 1, 1)
    assert done.rejected[0][0] == 5
    assert run_imports(now=NOW) == 0


@pytest.mark.parametrize(
    "since",
    [{"disabled_at": NOW}, {"role": "viewer"}, {"fanpage_ids": []}],
    ids=lambda since: next(iter(since)),
)
def test_whoever_may_no_longer_import_when_the_worker_comes_to_it_imports_nothing(
    arrange, fanpage, topic, since
):
    who = editor(arrange)
    begin_import(who, fanpage, topic_id=topic, file_name="x", data=rows("a").encode(), now=NOW)
    with transaction() as db:
        db.execute(update(Operator).values(**since))
    run_imports(now=NOW)
    (failed,) = list_imports(fanpage)
    assert (failed.state, opt_ins()) == (ImportState.FAILED, [])
    assert failed.problems[0].message.startswith("lan may no longer import")


def test_whoever_signed_out_meanwhile_still_gets_their_import(arrange, fanpage, topic):
    who = editor(arrange)
    begin_import(who, fanpage, topic_id=topic, file_name="x", data=rows("a").encode(), now=NOW)
    with transaction() as db:
        db.execute(update(Operator).values(sessions_valid_after=NOW + timedelta(days=1)))
    run_imports(now=NOW)
    assert [each.state for each in list_imports(fanpage)] == [ImportState.DONE]


def test_the_file_is_sealed_and_gone_when_it_is_in(begin):
    begin(rows("secret-token"))
    with reading() as db:
        assert "secret-token" not in db.exec(select(OptInImport)).one().file_sealed
    run_imports(now=NOW)
    with reading() as db:
        assert db.exec(select(OptInImport)).one().file_sealed is None


def test_a_file_that_cannot_be_read_says_why(fanpage, begin):
    begin("psid,token\n1,t\n")
    run_imports(now=NOW)
    (failed,) = list_imports(fanpage)
    assert failed.state == ImportState.FAILED
    assert "Missing: consented_at" in failed.problems[0].message


def test_what_a_dead_worker_left_is_begun_again_and_counted_once(fanpage, begin, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 1)
    begin(rows("a", "b", "c"))
    _die_after_the_first(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run_imports(now=NOW)
    monkeypatch.undo()
    assert len(opt_ins()) == 1
    assert run_imports(now=NOW + timedelta(seconds=30)) == 0
    assert run_imports(now=NOW + timedelta(seconds=90)) == 1
    (done,) = list_imports(fanpage)
    assert (done.imported, done.duplicates, len(opt_ins())) == (3, 0, 3)


def test_a_worker_whose_import_was_taken_over_and_undone_brings_nothing_back(fanpage, begin, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK", 1)
    monkeypatch.setattr(import_runs, "BEAT_SECONDS", 0.0)
    import_id = begin(rows("a", "b", "c"))
    writes, interrupted = import_runs.update_import, []

    def write(claimed, **values):
        if not interrupted:
            interrupted.append(True)  # it stalls here, and another worker does it all
            assert run_imports(now=NOW + timedelta(seconds=90)) == 1
            undo_import(COMMAND_LINE, import_id, now=NOW)
        writes(claimed, **values)

    monkeypatch.setattr(import_runs, "update_import", write)
    run_imports(now=NOW)
    (undone,) = list_imports(fanpage)
    assert (undone.state, opt_ins()) == (ImportState.UNDONE, [])


def test_a_worker_with_another_key_leaves_imports_to_the_others(fanpage, begin, monkeypatch):
    begin(rows("a"))

    def refuse():
        raise AnotherKey

    monkeypatch.setattr(key_check, "refuse_another_key", refuse)
    assert run_imports(now=NOW) == 0
    monkeypatch.undo()
    assert run_imports(now=NOW) == 1
    assert list_imports(fanpage)[0].state == ImportState.DONE


def test_an_error_that_nobody_foresaw_ends_an_import_instead_of_repeating_it(fanpage, begin, monkeypatch):
    begin(rows("a"))

    def break_down(*_args, **_more):
        raise ZeroDivisionError("a secret of the file")

    monkeypatch.setattr(import_runs, "import_opt_ins", break_down)
    assert run_imports(now=NOW) == 1
    (failed,) = list_imports(fanpage)
    assert failed.state == ImportState.FAILED
    assert "unexpected error" in failed.problems[0].message
    assert "secret" not in failed.problems[0].message
    assert run_imports(now=NOW + timedelta(hours=1)) == 0


def _die_after_the_first(monkeypatch):
    told = []

    def write(_claimed, **values):
        told.append(values)
        if len(told) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(import_runs, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(import_runs, "update_import", write)


def test_an_undone_import_can_be_imported_again_for_another_topic(arrange, fanpage, begin):
    import_id = begin(rows("a", "b"))
    run_imports(now=NOW)
    assert undo_import(EDITOR, import_id, now=NOW) == 2
    assert opt_ins() == []
    other = arrange.topic(fanpage, "Hoa tulip")
    data = rows("a", "b").encode()
    begin_import(EDITOR, fanpage, topic_id=other, file_name="shop.csv", data=data, now=NOW)
    run_imports(now=NOW)
    assert [each.topic_id for each in opt_ins()] == [other, other]
    with pytest.raises(WrongState):
        undo_import(EDITOR, import_id, now=NOW)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(states=st.lists(st.sampled_from(STATES), min_size=3, max_size=3))
def test_undoing_never_touches_an_opt_in_that_is_held_or_used(arrange, states):
    fanpage = arrange.fanpage()
    topic = arrange.topic(fanpage)
    other = arrange.opt_in(topic, arrange.customer(fanpage), fanpage_id=fanpage)
    data = rows("a", "b", "c").encode()
    import_id = begin_import(EDITOR, fanpage, topic_id=topic, file_name="x", data=data, now=NOW)
    run_imports(now=NOW)
    mine = [each.id for each in opt_ins() if each.import_id == import_id]
    with transaction() as db:
        for id_, state in zip(mine, states, strict=True):
            db.execute(update(OptIn).where(OptIn.id == id_).values(state=state))
    before = {each.id: each.state for each in opt_ins()}
    if {"reserved", "spent", "refused"} & set(states):
        with pytest.raises(WrongState):
            undo_import(EDITOR, import_id, now=NOW)
        assert {each.id: each.state for each in opt_ins()} == before
    else:
        assert undo_import(EDITOR, import_id, now=NOW) == 3
        left = {each.id for each in opt_ins()}
        assert other in left
        assert not left & set(mine)


def test_what_a_broadcast_has_taken_and_given_back_stays(arrange, fanpage, topic, begin):
    import_id = begin(rows("a", "b"))
    run_imports(now=NOW)
    content = {"kind": "text", "text": "Hàng đã về"}
    broadcast_id = actions.create_broadcast(COMMAND_LINE, topic_id=topic, content=content, now=NOW)
    actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=NOW)
    scheduled_jobs.start_due(now=NOW)
    actions.cancel(COMMAND_LINE, broadcast_id, now=NOW)
    assert [each.state for each in opt_ins()] == ["available", "available"]
    with pytest.raises(WrongState):
        undo_import(EDITOR, import_id, now=NOW)
    assert len(opt_ins()) == 2


def test_a_viewer_imports_and_undoes_nothing(fanpage, topic, begin):
    viewer = Actor(None, "viewer.one", Role.VIEWER)
    with pytest.raises(NotAllowed):
        begin_import(viewer, fanpage, topic_id=topic, file_name="x", data=b"x", now=NOW)
    import_id = begin(rows("a"))
    run_imports(now=NOW)
    with pytest.raises(NotAllowed):
        undo_import(viewer, import_id, now=NOW)


def test_whoever_is_forgotten_is_not_named_by_what_an_import_left_out(fanpage, begin):
    begin(rows("a") + f"2500000000000017,b,2500000000000017 {GOOD},\n")
    run_imports(now=NOW)
    assert list_imports(fanpage)[0].rejected_count == 1
    forget(COMMAND_LINE, fanpage, "2500000000000017", now=NOW)
    with reading() as db:
        assert "2500000000000017" not in str(db.exec(select(OptInImport)).one().rejected)
        assert len(db.exec(select(Customer)).all()) == 1
