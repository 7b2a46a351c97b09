"""What only a few may touch: clock, environment, the words of a database, what differs between senders."""

import ast
import re
from pathlib import Path

import pytest

from tests.imports import FILES, importers, imports, inside, name_of, syntax


def attributes(path: Path) -> set[str]:
    """Every `a.b` in a file."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in syntax(path)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_only_the_worker_knows_the_clock_library():
    assert importers("apscheduler") <= {"core.worker"}


def test_only_the_settings_read_the_environment():
    asked = {"os.environ", "os.getenv", "os.environb", "os.putenv"}
    assert {name_of(path) for path in FILES if attributes(path) & asked} <= {
        "core.settings",
        "core.settings_sources",
    }


def test_only_the_clock_asks_what_time_it_is():
    asked = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    assert {name_of(path) for path in FILES if attributes(path) & asked} == {"core.clock"}


def flags(path: Path) -> set[str]:
    """Parameters that say which database it is, and calls of `is_sqlite` that are kept or passed on."""
    nodes = syntax(path)
    taken = {n.arg for n in nodes if isinstance(n, ast.arg)} & {"for_sqlite", "is_sqlite", "lite"}
    given = [n.value for n in nodes if isinstance(n, ast.Assign | ast.keyword)]
    given += [argument for n in nodes if isinstance(n, ast.Call) for argument in n.args]
    return taken | {ast.unparse(n) for n in given if ast.unparse(n).startswith("is_sqlite(")}


def test_nobody_hands_on_which_database_it_is():
    """What differs between them is decided when a statement is compiled: core/db/dialects.py."""
    assert {name_of(path): found for path in FILES if (found := flags(path))} == {}


def test_the_words_of_a_database_are_known_in_few_places():
    """Elsewhere a statement is built for both; the queue of the workers is on PostgreSQL only."""
    knowing = {name_of(f) for f in FILES if any(inside(i, "sqlalchemy.dialects") for i in imports(f))}
    assert {n for n in knowing if not inside(n, "core.db")} <= {"core.db.work_queue"}


SENDERS = "core.sending.senders"
ABOUT_TOKENS = re.compile("one_time_notif_token|token_sealed|one_time_token|inside_window", re.IGNORECASE)


def asks_which_sender(source: str) -> set[str]:
    """What in a module names a certain sender, what only it knows of, or compares one with another."""
    words = {question(node) for node in ast.walk(ast.parse(source))}
    asked = {each for each in words if re.search(r"\bsender\b", each)}
    named = {f"names {each}" for each in ABOUT_TOKENS.findall(source)}
    return named | {each for each in asked if not re.fullmatch(r".* is (not )?None", each)}


def question(node: ast.AST) -> str:
    """What a node compares, in words; empty for one that compares nothing."""
    if isinstance(node, ast.Match):
        return ast.unparse(node.subject)
    is_check = isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "type")
    return ast.unparse(node) if is_check or isinstance(node, ast.Compare) else ""


def test_only_a_sender_knows_what_differs_between_ways_out():
    """The rest of the sending asks none which one it is: docs/decisions/0041."""
    rooms = [
        path
        for path in FILES
        if inside(name_of(path), "core.sending", "core.deliveries", "core.broadcasts")
        and not inside(name_of(path), SENDERS)
    ]
    asking = {name_of(path): found for path in rooms if (found := asks_which_sender(path.read_text("utf-8")))}
    assert asking == {}
    theirs = {"core.messenger.batch", "core.messenger.mixed_calls"}
    by_name = {f"{SENDERS}.{path.stem}" for path in FILES if inside(name_of(path), SENDERS)}
    closed = theirs | by_name - {f"{SENDERS}.sender", f"{SENDERS}.registry"}
    assert {f"{name_of(path)} -> {i}" for path in rooms for i in imports(path) & closed} == set()


@pytest.mark.parametrize(
    "source",
    [
        "x = claim.sender.name == 'x'",
        "x = claim.sender is OTHER",
        "if isinstance(claim.sender, Other): pass",
        "match claim.sender.name:\n  case 'x': pass",
        "x = OptIn.token_sealed",
        "from core.sending.senders.one_time_token import OneTimeToken",
        "x = {'one_time_notif_token': token}",
    ],
)
def test_who_asks_which_sender_it_is_is_found(source):
    assert asks_which_sender(source)


def test_whether_there_is_a_sender_may_be_asked():
    assert not asks_which_sender("if sender is None or claim.sender.is_guarded: pass")
