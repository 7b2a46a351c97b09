"""Imports run one way: app, shell, components; entry points, features, ledgers, database, rules, text.

Files are judged by the folder they lie in and by the role that their name says, so a new one is judged
without being listed. Only a new folder of core has to be given its place in ORDER.
"""

import sys
from functools import lru_cache

import pytest

from tests.imports import (
    FILES,
    MODULES,
    ROOT,
    importers,
    imports,
    inside,
    name_of,
    own_imports,
    reached,
    room_of,
)

# The rooms of core from the ground up: a room may import those that stand before it, and none behind it.
ORDER = [
    "errors",
    "text",
    "clock",
    "settings_sources",
    "settings_sign_in",
    "settings",
    "logs",
    "encryption",
    "spreadsheets",
    "db",
    "accounts",
    "messenger",
    "pictures",
    "customers",
    "installation",
    "consent",
    "conversation",
    "clicks",
    "deliveries",
    "funnel",
    "broadcasts",
    "templates",
    "testers",
    "sending",
    "inbox",
    "retention",
    "fanpages",
    "forgetting",
    "moving",
    "backups",
    "alerts",
    "simulator",
    "demo",
    "bench",
    "operations",
    "worker",
    "commands",
    "__main__",
]
IMPURE = {"os", "random", "secrets", "socket", "sqlite3", "subprocess", "threading", "time", "urllib.request"}


def role_of(module: str) -> str:
    """What a file is by its name: `opt_in_queries` are queries."""
    return module.split(".")[-1].split("_")[-1] if "jobs" not in module else "scheduled_jobs"


def of_role(*roles: str) -> list[str]:
    return [module for module in MODULES if inside(module, "core") and role_of(module) in roles]


@lru_cache
def is_pure(module: str) -> bool:
    """Whether it stands on the standard library alone, not even by way of others on anything that asks the
    outside; such a module is a rule, whatever it is called, and may be imported from anywhere."""
    ours = reached(module)
    if any(inside(each, "core.clock", "core.settings", "core.logs") for each in ours):
        return False
    known = {"core", *sys.stdlib_module_names}
    used = {i for each in ours for i in imports(MODULES[each])}
    return not {i for i in used if i.split(".")[0] not in known} and not used & IMPURE


# The order of the rooms


def test_every_room_of_core_has_its_place_in_the_order():
    rooms = {room_of(module).removeprefix("core/") for module in MODULES if inside(module, "core")}
    assert rooms - {"core"} == set(ORDER)


def test_imports_of_core_run_down():
    """Purely deciding modules, such as rules.py, are below everything, wherever they lie."""
    place = {f"core/{room}": at for at, room in enumerate(ORDER)}
    wrong = {
        f"{module} -> {other}"
        for module in MODULES
        if room_of(module) in place
        for other in own_imports(module)
        if room_of(other) in place and place[room_of(other)] > place[room_of(module)] and not is_pure(other)
    }
    assert wrong == set()


def test_no_imports_go_in_a_circle():
    circles = {
        frozenset({module, *(each for each in reached(other) if module in reached(each))})
        for module in MODULES
        for other in own_imports(module)
        if module in reached(other)
    }
    assert [sorted(circle) for circle in circles] == []


def test_no_import_hides_from_the_order():
    """An import under TYPE_CHECKING is an arrow all the same; take the circle away that it would hide."""
    assert {name_of(path) for path in FILES if "typing.TYPE_CHECKING" in imports(path)} == set()


def test_core_knows_no_entry_point():
    assert {n for n in importers("pages", "app", "webhook_server") if inside(n, "core")} == set()


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
        f"{module} -> {other}"
        for module in MODULES
        if inside(module, package)
        for other in own_imports(module)
        if inside(other, "core") and not inside(other, *allowed)
    }
    assert wrong == set()


# The panel


def test_the_panels_folders_know_only_what_they_share():
    """A folder of the menu knows components, the shell knows components, and app.py knows the shell."""
    may = {"app": {"pages/shell"}, "pages/components": set()}
    wrong = {
        f"{module} -> {other}"
        for module in MODULES
        if inside(module, "app", "pages")
        for other in own_imports(module)
        if inside(other, "pages") and room_of(other) != room_of(module)
        if room_of(other) not in may.get(room_of(module), {"pages/components"})
    }
    assert wrong == set()


def test_components_hold_what_two_or_more_folders_use():
    folders: dict[str, set[str]] = {module: set() for module in MODULES if inside(module, "pages.components")}
    for module in MODULES:
        if inside(module, "pages") and module not in folders:
            for other in reached(module) & folders.keys():
                folders[other].add(room_of(module))
    packages = {module for module in folders if MODULES[module].name == "__init__.py"}
    assert {
        module: used for module, used in folders.items() if len(used) < 2 and module not in packages
    } == {}


def test_every_page_lies_in_its_folder_under_the_name_of_its_address():
    from pages.components.page_registry import ENTRIES

    drawing = {
        path.relative_to(ROOT / "pages").as_posix()
        for path in FILES
        if inside(name_of(path), "pages") and path.read_text("utf-8").endswith("\ndraw_page()\n")
    }
    assert drawing == {entry.file for entry in ENTRIES}


def test_no_page_lies_directly_in_the_pages_folder():
    """Streamlit would serve it without app.py on a fresh server, and so without the sign-in."""
    assert [p.name for p in (ROOT / "pages").glob("*.py") if p.read_text("utf-8").strip()] == []
    assert {p.name for p in (ROOT / "pages").glob("*.py")} <= {"__init__.py"}


def test_streamlit_is_known_to_the_panel_only():
    known = importers("streamlit", "streamlit_authenticator")
    assert {n for n in known if not inside(n, "app", "pages")} == set()


def test_the_sign_in_library_is_wrapped_in_one_file():
    assert importers("streamlit_authenticator", "extra_streamlit_components") == {"pages.shell.login"}


def test_the_panel_reads_and_asks_but_opens_no_session_and_moves_no_state():
    assert {n for n in importers("sqlmodel", "sqlalchemy") if inside(n, "app", "pages")} == set()
    closed = {"ledger", "transitions", "scheduled_jobs"}
    wrong = {
        f"{module} -> {other}"
        for module in MODULES
        if inside(module, "app", "pages")
        for other in own_imports(module)
        if inside(other, "core.db.engine", "core.db.tables") or role_of(other) in closed
    }
    assert wrong == set()


# What a file is by its name


def features() -> set[str]:
    """The rooms in which something is decided or asked by rules.py or queries.py."""
    return {room_of(module) for module in of_role("rules", "queries")}


def test_a_feature_uses_no_actions_or_queries_of_another():
    wrong = {
        f"{module} -> {other}"
        for module in MODULES
        if room_of(module) in features()
        for other in own_imports(module)
        if room_of(other) in features() - {room_of(module)} and role_of(other) in ("actions", "queries")
    }
    assert wrong == set()


@pytest.mark.parametrize("module", of_role("rules"))
def test_rules_stand_on_the_standard_library_alone(module):
    """Not even by way of another module do they reach a database, the settings, the clock or the network."""
    assert is_pure(module)


@pytest.mark.parametrize(
    "module", of_role("rules", "queries", "actions", "ledger", "processing", "scheduled_jobs")
)
def test_the_time_comes_from_the_caller(module):
    assert "core.clock.utc_now" not in imports(MODULES[module])


@pytest.mark.parametrize("module", of_role("queries"))
def test_queries_do_not_write(module):
    assert not {i for i in imports(MODULES[module]) if i.endswith("actions") or i.endswith(".transaction")}


def test_tables_take_their_words_from_rules():
    taken = {other for module in MODULES if inside(module, "core.db.tables") for other in own_imports(module)}
    assert taken
    assert {i for i in taken if not is_pure(i) and not inside(i, "core.db")} == set()
