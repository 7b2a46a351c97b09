"""What may be written as OTN_DATABASE_URL, and what is said when it cannot be used."""

import sys

import pytest
from pydantic import ValidationError

from core.db import engine
from core.db.engine import reading
from core.errors import OperatorError
from core.settings import settings

PSYCOPG = "postgresql+psycopg://mai:secret@db.example.vn:5432/otn?sslmode=require"


@pytest.fixture
def url(monkeypatch, tmp_path):
    """Sets it, and forgets it after the test."""
    monkeypatch.chdir(tmp_path)  # no .env is read

    def use(written):
        monkeypatch.setenv("OTN_DATABASE_URL", written)
        settings.cache_clear()
        engine.forget_engines()

    yield use
    engine.forget_engines()
    settings.cache_clear()


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgres+psycopg3"]
)
def test_any_way_to_write_a_postgresql_address_is_understood(url, scheme):
    url(f" {scheme}://mai:secret@db.example.vn:5432/otn?sslmode=require\n")
    assert settings().database_url == PSYCOPG
    assert settings().is_postgresql


def test_sqlite_stays_as_written(url):
    url("sqlite:////srv/otn.db")
    assert settings().database_url == "sqlite:////srv/otn.db"
    assert not settings().is_postgresql


@pytest.mark.parametrize(
    "written",
    ["mysql://mai:hunter2@db/otn", "postgresql+asyncpg://mai:hunter2@db/otn", "mai:hunter2@db/otn", ""],
)
def test_another_database_is_refused_without_repeating_its_password(url, written):
    url(written)
    with pytest.raises(ValidationError, match="SQLite or PostgreSQL") as refused:
        settings()
    assert "hunter2" not in str(refused.value)


def test_a_missing_driver_is_named_with_what_to_install(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url(PSYCOPG)
    with pytest.raises(OperatorError, match=r"pip install -r requirements-postgres\.txt"), reading():
        pass
