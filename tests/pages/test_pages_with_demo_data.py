"""Every page over the demo's own data, made once by the real processes, in both languages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clock import utc_now
from core.db import engine
from core.demo import seed, story
from core.settings import settings
from pages.components import page_registry
from tests.arrange import Arrange
from tests.databases import Databases, TestDatabase, use, used
from tests.pages.conftest import an_operator, opened
from tests.processes import answers, free_port, process, until

DETAILS = [  # path, query
    *[("broadcast", {"id": number}) for number in (1, 2, 3)],
    ("customer", {"id": 1}),
    *[("message", {"id": number}) for number in (1, 2, 3, 4)],
    ("topics", {"id": 1}),
    ("new_broadcast", {"topic": 1}),
    ("opt_ins", {"topic": 2}),
]
PLACES = [*((entry.url_path, {}) for entry in page_registry.ENTRIES), *DETAILS]


@pytest.fixture(scope="module")
def demo_database(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDatabase]:
    folder = tmp_path_factory.mktemp("demo")
    made = databases.fresh(folder)
    with used(folder, made.url) as patch:
        for name in ("SIMULATOR", "WEBHOOK"):
            patch.setenv(f"OTN_{name}_PORT", str(free_port()))
        patch.setattr(story, "QUIET", 20)
        settings.cache_clear()
        with contextlib.ExitStack() as stack:
            for command in (["core", "simulator"], ["webhook_server"], ["core", "worker"]):
                stack.enter_context(process("-m", *command, log=folder / f"{command[-1]}.log"))
            for port in (settings().simulator_port, settings().webhook_port):
                until(lambda port=port: answers(port), what="a process answers")
            seed(utc_now())
    yield made
    databases.done(made)


@pytest.fixture
def demo(
    databases: Databases, demo_database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Arrange]:
    made = databases.fresh(tmp_path, like=demo_database)
    use(monkeypatch, tmp_path, made.url)
    yield Arrange(utc_now())
    engine.forget_engines()
    settings.cache_clear()
    databases.done(made)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("path", "query"), PLACES)
def test_a_page_shows_the_demo(
    demo: Arrange, monkeypatch: pytest.MonkeyPatch, path: str, query: dict, language: str
) -> None:
    monkeypatch.setenv("OTN_LANGUAGE", language)
    settings.cache_clear()
    at = opened(an_operator(demo, name=f"lan.{language}"), page=path, **query)
    assert not at.exception
