"""Imports run one way: entry points -> actions, queries -> database, tables -> rules -> standard library."""

import ast
import re
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for top in ("app.py", "core", "pages", "webhook_server")
    for path in ([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))
    if "versions" not in path.parts
)
FEATURES = {
    "accounts",
    "broadcasts",
    "consent",
    "conversation",
    "customers",
    "deliveries",
    "fanpages",
    "inbox",
    "sending",
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@lru_cache
def imports(path: Path) -> frozenset[str]:
    """Every module a file imports, also inside functions; `from a import b` counts as a and as a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: write imports in full"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@lru_cache
def attributes(path: Path) -> frozenset[str]:
    """Every `a.b` in a file."""
    return frozenset(
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    )


def importers(*tops: str) -> set[str]:
    return {name_of(f) for f in FILES if any(i.split(".")[0] in tops for i in imports(f))}


def inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def modules(*file_names: str) -> list[Path]:
    return [path for path in FILES if path.name in file_names and inside(name_of(path), "core")]


def feature_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "core" and len(parts) > 1 and parts[1] in FEATURES else None


def test_streamlit_is_known_to_the_panel_only():
    assert {
        n for n in importers("streamlit", "streamlit_authenticator") if not inside(n, "app", "pages")
    } == set()


def test_the_panel_knows_no_database_library():
    assert {n for n in importers("sqlmodel", "sqlalchemy") if inside(n, "app", "pages")} == set()


def test_the_panel_opens_no_session_and_sees_no_table():
    closed = {"core.db.engine", "core.db.tables"}
    assert {name_of(f) for f in FILES if inside(name_of(f), "app", "pages") and imports(f) & closed} == set()


def test_the_sign_in_library_is_wrapped_in_one_file():
    assert importers("streamlit_authenticator", "extra_streamlit_components") == {"pages.shell.login"}


def test_only_the_worker_knows_the_clock_library():
    assert importers("apscheduler") <= {"core.worker"}


def test_only_the_settings_read_the_environment():
    readers = {
        name_of(f) for f in FILES if attributes(f) & {"os.environ", "os.getenv", "os.environb", "os.putenv"}
    }
    assert readers <= {"core.settings"}


def test_only_the_clock_asks_what_time_it_is():
    asked = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    assert {name_of(f) for f in FILES if attributes(f) & asked} == {"core.clock"}


def reached(path: Path) -> set[Path]:
    """The file and every file of ours that it imports, however far away."""
    by_name = {name_of(file): file for file in FILES}
    found, waiting = set(), [path]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [by_name[i] for i in imports(file) if i in by_name]
    return found


@pytest.mark.parametrize("path", modules("rules.py"), ids=name_of)
def test_rules_stand_on_the_standard_library_alone(path):
    """Not even by way of another module do they reach a database, the settings, the clock or the network."""
    own = {"core"} | set(sys.stdlib_module_names)
    strangers = {
        f"{name_of(f)} -> {i}" for f in reached(path) for i in imports(f) if i.split(".")[0] not in own
    }
    assert strangers == set()
    impure = {"os", "random", "secrets", "socket", "sqlite3", "time", "urllib.request", "core.clock"}
    assert {f"{name_of(f)} -> {i}" for f in reached(path) for i in imports(f) & impure} == set()


@pytest.mark.parametrize("path", modules("rules.py", "queries.py", "actions.py"), ids=name_of)
def test_the_time_comes_from_the_caller(path):
    assert "core.clock.utc_now" not in imports(path)


@pytest.mark.parametrize("path", modules("queries.py"), ids=name_of)
def test_queries_do_not_write(path):
    assert not {i for i in imports(path) if i.endswith("actions") or i == "core.db.engine.transaction"}


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_a_feature_uses_no_actions_or_queries_of_another(feature):
    wrong = {
        f"{name_of(f)} -> {i}"
        for f in FILES
        if feature_of(name_of(f)) == feature
        for i in imports(f)
        if feature_of(i) not in (None, feature) and i.split(".")[2:3] in (["actions"], ["queries"])
    }
    assert wrong == set()


def test_tables_take_their_words_from_rules():
    taken = {i for i in imports(ROOT / "core/db/tables.py") if inside(i, "core")}
    assert {i for i in taken if ".rules" not in i} == set()


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("core.text", ("core.text", "core.errors")),
        ("core.messenger", ("core.messenger", "core.text", "core.errors", "core.settings")),
        ("core.simulator", ("core.simulator", "core.messenger.signature", "core.text", "core.settings")),
    ],
)
def test_a_package_at_the_edge_knows_no_feature(package, allowed):
    wrong = {
        f"{name_of(f)} -> {i}"
        for f in FILES
        if inside(name_of(f), package)
        for i in imports(f)
        if inside(i, "core") and not inside(i, *allowed) and i not in ("core", "core.messenger")
    }
    assert wrong == set()


def flags(path: Path) -> set[str]:
    """Parameters that say which database it is, and calls of `is_sqlite` that are kept or passed on."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
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


def test_core_knows_no_entry_point():
    assert {n for n in importers("pages", "app", "webhook_server") if inside(n, "core")} == set()


def test_no_page_lies_directly_in_the_pages_folder():
    """Streamlit would serve it without app.py on a fresh server, and so without the sign-in."""
    assert [p.name for p in (ROOT / "pages").glob("*.py") if p.read_text("utf-8").strip()] == []
    assert {p.name for p in (ROOT / "pages").glob("*.py")} <= {"__init__.py"}


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
    theirs = {"core.messenger.batch", "core.messenger.together"}
    by_name = {f"{SENDERS}.{path.stem}" for path in FILES if inside(name_of(path), SENDERS)}
    closed = theirs | by_name - {f"{SENDERS}.sender"}
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


KINDS_OF_THINGS = ("state", "role", "kind")
NOT_YET = ("core.inbox",)  # rooms that still compare the kinds of events with words


def is_kind_of_thing(node: ast.AST) -> bool:
    """Whether a node reads such an attribute, by itself or in a call such as `col(OptIn.state)`."""
    while isinstance(node, ast.Call) and node.args:
        node = node.args[0]
    return isinstance(node, ast.Attribute) and node.attr in KINDS_OF_THINGS


def words_in(*nodes: ast.AST) -> bool:
    inside = (each for node in nodes for each in ast.walk(node))
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in inside)


def compares_with_words(node: ast.AST) -> bool:
    """Whether a node compares a state, a role or a kind with a word instead of a member of an enum."""
    match node:
        case ast.Compare(left=left, comparators=others):
            sides = [left, *others]
            given = [side for side in sides if not is_kind_of_thing(side)]
            return len(given) < len(sides) and words_in(*given)
        case ast.Call(func=ast.Attribute(value=compared, attr="in_" | "not_in"), args=given):
            return is_kind_of_thing(compared) and words_in(*given)
        case ast.Match(subject=subject, cases=cases):
            return is_kind_of_thing(subject) and words_in(*(case.pattern for case in cases))
    return False


def compared_with_words(source: str) -> list[str]:
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if compares_with_words(node)]


def test_states_roles_and_kinds_are_compared_with_members_of_their_enums():
    asked = [path for path in FILES if not inside(name_of(path), *NOT_YET)]
    found = {name_of(path): compared_with_words(path.read_text("utf-8")) for path in asked}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "source",
    [
        "view.state == 'sent'",
        "'admin' != operator.role",
        "col(Delivery.state) == 'sent'",
        "view.state in ('sent', 'failed')",
        "col(Delivery.state).in_(['sent'])",
        "match view.state:\n  case 'draft' | State.SENT: pass",
    ],
)
def test_a_comparison_with_a_word_is_found(source):
    assert compared_with_words(source)


@pytest.mark.parametrize(
    "source", ["view.state == State.SENT", "col(Delivery.state).in_(LIVE)", "row.name == 'sent'"]
)
def test_a_comparison_with_a_member_may_be_made(source):
    assert not compared_with_words(source)
