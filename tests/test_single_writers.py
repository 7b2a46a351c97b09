"""The state of a delivery and that of a broadcast have one writer each: read from the tree, not from a run.

The migrations are left out; they know no module of ours. So is the panel, which sees no table and no database
library (tests/test_architecture.py). `core/moving` copies whole tables as they are, by
their names in the metadata, and `core/demo` only moves dates: neither needs an exception.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.test_architecture import FILES, inside, name_of

WRITERS = {"Delivery": "core.deliveries.ledger", "Broadcast": "core.broadcasts.transitions"}
EXCEPTIONS = {
    "core.bench.panel_fixtures": "makes the rows of a shop that has sent for long; nothing is ever sent",
}
ENUMS = {"DeliveryState": "Delivery", "BroadcastState": "Broadcast"}
OTHERS = {"OptIn", "Reply", "Event", "OptInState", "ReplyState"}  # with a state of their own
READERS = {"lock_fanpage_and_its_broadcasts"}  # a `state=` of theirs chooses rows
TABLES_IN_SQL = {"delivery": {"Delivery"}, "broadcast": {"Broadcast"}, "?": set(WRITERS)}
SQL = re.compile(
    r'\binsert\s+into\s+"?(delivery|broadcast|\?)"?[\s(]|\bupdate\s+"?(delivery|broadcast|\?)"?\s+set\b.*\bstate\b',
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Write:
    """A place that gives a row a state. `value` is None where the table alone is enough to know."""

    line: int
    value: ast.expr | None
    tables: frozenset[str] = frozenset()


def written_tables(source: str) -> set[tuple[str, int]]:
    """The tables, of those with one writer, whose state a module writes, and in which line."""
    tree = ast.parse(source)
    called = _aliases(tree)
    everywhere = _names(tree, called)
    return {
        (table, write.line)
        for part in tree.body
        for write in _writes(part, called)
        for table in write.tables or _tables_of(write, _names(part, called), everywhere, called)
    }


def _aliases(tree: ast.Module) -> dict[str, str]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {each.asname: each.name for node in imports for each in node.names if each.asname}


def _names(part: ast.AST, called: dict[str, str]) -> set[str]:
    found = [_name(node) for node in ast.walk(part) if isinstance(node, ast.Name | ast.Attribute)]
    return {called.get(each, each) for each in found}


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _tables_of(write: Write, nearby: set[str], everywhere: set[str], called: dict[str, str]) -> set[str]:
    """What the value says, else what is named in the same function, else anywhere in the module."""
    said = _names(write.value, called) if write.value else set()
    for names in (said & (set(ENUMS) | OTHERS), nearby & (set(WRITERS) | set(ENUMS) | OTHERS), everywhere):
        if names:
            return {ENUMS.get(each, each) for each in names} & set(WRITERS)
    return set()


def _writes(part: ast.AST, called: dict[str, str]) -> Iterator[Write]:
    for node in ast.walk(part):
        match node:
            case ast.Call():
                yield from _of_call(node, called)
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                yield from (Write(node.lineno, value) for key, value in pairs if _is_state(key))
            case ast.Assign(targets=targets, value=value):
                yield from (Write(node.lineno, value) for each in targets if _is_target(each))
            case ast.AnnAssign(target=target, value=value) | ast.AugAssign(target=target, value=value):
                yield from [Write(node.lineno, value)] if _is_target(target) else []
            case ast.Constant(value=str(text)):
                yield from _of_sql(node.lineno, text)
            case ast.JoinedStr(values=values):
                texts = [v.value if isinstance(v, ast.Constant) else "?" for v in values]
                yield from _of_sql(node.lineno, "".join(map(str, texts)))


def _of_call(node: ast.Call, called: dict[str, str]) -> Iterator[Write]:
    name = called.get(_name(node.func), _name(node.func))
    given = {called.get(_name(each), _name(each)) for each in node.args} & set(WRITERS)
    if name == "Delivery":  # a new row has a state, also when none is named
        yield Write(node.lineno, None, frozenset({"Delivery"}))
    if "insert" in name and given:
        yield Write(node.lineno, None, frozenset(given))
    if name == "setattr" and _is_state(node.args[1]):
        yield Write(node.lineno, node.args[2])
    yield from (Write(node.lineno, each.value) for each in node.keywords if _is_set(name, each, called))


def _is_set(name: str, given: ast.keyword, called: dict[str, str]) -> bool:
    is_plain = name == "values" or name in WRITERS
    return (
        given.arg == "state"
        and name not in READERS
        and (is_plain or bool(_names(given.value, called) & set(ENUMS)))
    )


def _is_state(key: ast.expr | None) -> bool:
    """As a key of values: "state", or the column itself."""
    if isinstance(key, ast.Call) and key.args:  # col(Delivery.state)
        key = key.args[0]
    return (isinstance(key, ast.Constant) and key.value == "state") or _name_of_state(key)


def _name_of_state(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Attribute) and key.attr == "state"


def _is_target(target: ast.expr) -> bool:
    match target:
        case ast.Attribute(attr="state", value=row):
            return _name(row) != "self"
        case ast.Subscript(slice=key):
            return _is_state(key)
        case ast.Tuple(elts=each) | ast.List(elts=each):
            return any(map(_is_target, each))
    return False


def _of_sql(line: int, text: str) -> Iterator[Write]:
    for found in SQL.finditer(text):
        table = (found[1] or found[2]).lower()
        yield Write(line, None, frozenset(TABLES_IN_SQL[table]))


def test_each_state_has_one_writer():
    elsewhere = {
        f"{name_of(path)}:{line} writes {table}.state"
        for path in FILES
        if not inside(name_of(path), "app", "pages")
        for table, line in written_tables(path.read_text("utf-8"))
        if name_of(path) not in (WRITERS[table], *EXCEPTIONS)
    }
    assert elsewhere == set()


@pytest.mark.parametrize("module", [*WRITERS.values(), *EXCEPTIONS])
def test_what_may_write_does_write(module):
    """So that the list above holds no name that means nothing any more."""
    (path,) = [each for each in FILES if name_of(each) == module]
    assert written_tables(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("Delivery", "def f(db): db.execute(update(Delivery).where(x).values(state=DeliveryState.SENT))"),
        ("Delivery", "def f(db): db.execute(update(Delivery).values(state='sent'))"),
        ("Delivery", "def f(db): db.execute(update(Delivery).values({'state': 'sent'}))"),
        ("Delivery", "def f(db): db.execute(update(Delivery).values({Delivery.state: ended}))"),
        ("Delivery", "def f(db): db.execute(update(Delivery).values({col(Delivery.state): ended}))"),
        ("Delivery", "def f(db):\n  found = {'state': ended}\n  db.execute(update(Delivery), [found])"),
        ("Delivery", "def f(db):\n  found['state'] = ended\n  db.execute(update(Delivery), [found])"),
        (
            "Delivery",
            "from core.db.tables import Delivery as D\ndef f(): return update(D).values(state=ended)",
        ),
        ("Delivery", "def f(db): return update(tables.Delivery).values(state=ended)"),
        ("Delivery", "def f(row): row.state = DeliveryState.SENT"),
        ("Delivery", "def f(row: Delivery): row.state = ended"),
        ("Delivery", "def f(row: Delivery): row.state, row.reason = ended, None"),
        ("Delivery", "def f(row: Delivery): setattr(row, 'state', ended)"),
        ("Delivery", "def f(db): db.add(Delivery(broadcast_id=1))"),
        ("Delivery", "def f(db): db.execute(insert(Delivery).from_select(names, rows))"),
        ("Delivery", "def f(db): db.execute(insert_new(db, Delivery), rows)"),
        ("Delivery", "def f(db): _update(db, chosen, state=DeliveryState.SENT)"),
        ("Delivery", "def f(table): return update(table).values(state=x)\ndef g(): f(Delivery)"),
        ("Delivery", "SQL = text('UPDATE delivery SET reason = NULL, state = :state')"),
        ("Delivery", "SQL = f'INSERT INTO delivery ({names}) VALUES (1)'"),
        ("Delivery", "SQL = f'update {name} set state = 1'"),
        ("Broadcast", "def f(db): db.execute(update(Broadcast).values(state=BroadcastState.PAUSED))"),
        ("Broadcast", "def f(db):\n  again = update(Broadcast)\n  db.execute(again.values(state=target))"),
        ("Broadcast", "def f(row): row.state, row.pause_code = BroadcastState.PAUSED, 'x'"),
        ("Broadcast", "def f(db, i):\n  row = db.get_one(Broadcast, i)\n  row.state = 'paused'"),
        ("Broadcast", "def f(db): db.add(Broadcast(topic_id=1, state='scheduled'))"),
        ("Broadcast", "SQL = '''UPDATE \"broadcast\"\nSET state = 'paused' '''"),
    ],
)
def test_another_writer_is_found(table, code):
    assert table in {found for found, _line in written_tables(code)}


@pytest.mark.parametrize(
    "code",
    [
        "def f(db): return update(Delivery).where(col(Delivery.state) == "
        "DeliveryState.SENT).values(mid=None)",
        "def f(db): return update(OptIn).where(queued(Delivery)).values(state=OptInState.AVAILABLE)",
        "def f(db): return update(Reply).values(state=ended)\ndef g(): return select(Delivery)",
        "def f(db, i): row_locks.lock_fanpage_and_its_broadcasts(db, i, state=BroadcastState.SENDING)",
        "def f(row: Broadcast): return View(state=row.state)",
        "def f(db): db.add(Broadcast(topic_id=1))",
        "SQL = 'SELECT count(*) FROM delivery WHERE state = 1'",
        "SQL = 'UPDATE delivery SET mid = NULL'",
    ],
)
def test_what_only_reads_a_state_is_no_writer(code):
    assert written_tables(code) == set()
