"""Shared fixtures: a real database built by the real migrations, a fixed clock, a few business words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

for _name in [name for name in os.environ if name.startswith("OTN_")]:
    del os.environ[_name]  # nothing of the developer's own settings reaches a test

from core import database, migrations  # noqa: E402
from core.settings import settings  # noqa: E402
from tests.arrange import Arrange  # noqa: E402


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SQLite file with every migration applied; tests copy it."""
    folder = tmp_path_factory.mktemp("migrated")
    file = folder / "otn.db"
    with pytest.MonkeyPatch.context() as patch:
        _use(patch, folder, f"sqlite:///{file}")
        migrations.upgrade()
        database.forget_engines()  # the last connection folds the write-ahead log into the file
    settings.cache_clear()
    return file


def _use(patch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    patch.setenv("OTN_DATA_DIR", str(folder))
    patch.setenv("OTN_DATABASE_URL", url)
    patch.setenv("OTN_SECRET_KEY", "a-key-for-tests-that-is-long-enough-0123456789")
    patch.setenv("OTN_APP_SECRET", "app-secret-for-tests")
    patch.setenv("OTN_VERIFY_TOKEN", "verify-token-for-tests")
    settings.cache_clear()
    database.forget_engines()


@pytest.fixture
def database_file(migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """This test's own database; the process's settings point at it."""
    file = tmp_path / "otn.db"
    shutil.copy(migrated_file, file)
    monkeypatch.chdir(tmp_path)  # no .env of the developer's is read
    _use(monkeypatch, tmp_path, f"sqlite:///{file}")
    yield file
    database.forget_engines()
    settings.cache_clear()


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def arrange(database_file: Path, now: datetime) -> Arrange:
    """Makes rows in business words: `arrange.fanpage()`, `arrange.opt_in(topic)`."""
    return Arrange(now)
