"""Every page over the demo's own data, made once by the real processes, in both languages."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import database
from core.clock import utc_now
from core.demo import seed, story
from core.settings import settings
from pages.components import menu
from tests.arrange import Arrange
from tests.conftest import _use
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
PLACES = [*((entry.url_path, {}) for entry in menu.ENTRIES), *DETAILS]


@pytest.fixture(scope="module")
def demo_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    file = folder / "otn.db"
    shutil.copy(migrated_file, file)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SIMULATOR", "WEBHOOK"):
            patch.setenv(f"OTN_{name}_PORT", str(free_port()))
        patch.setattr(story, "QUIET", 20)
        _use(patch, folder, f"sqlite:///{file}")
        with contextlib.ExitStack() as stack:
            for command in (["core", "simulator"], ["webhook_server"], ["core", "worker"]):
                stack.enter_context(process("-m", *command, log=folder / f"{command[-1]}.log"))
            for port in (settings().simulator_port, settings().webhook_port):
                until(lambda port=port: answers(port), what="a process answers")
            seed(utc_now())
        database.forget_engines()
    settings.cache_clear()
    return file


@pytest.fixture
def demo(demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arrange]:
    file = tmp_path / "otn.db"
    shutil.copy(demo_file, file)
    _use(monkeypatch, tmp_path, f"sqlite:///{file}")
    yield Arrange(utc_now())
    database.forget_engines()
    settings.cache_clear()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("path", "query"), PLACES)
def test_a_page_shows_the_demo(
    demo: Arrange, monkeypatch: pytest.MonkeyPatch, path: str, query: dict, language: str
) -> None:
    monkeypatch.setenv("OTN_LANGUAGE", language)
    settings.cache_clear()
    at = opened(an_operator(demo, name=f"lan.{language}"), page=path, **query)
    assert not at.exception
