"""What may be written as OTN_DATABASE_URL, and what is said when it cannot be used."""

import errno
import sys
from secrets import token_hex, token_urlsafe

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from core.db import engine
from core.db.engine import reading
from core.errors import OperatorError
from core.settings import kept_secret, secret_key, settings

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


@pytest.mark.parametrize(
    "written",
    [
        "postgresql://mai:p@hunter2@db/otn",
        "postgresql://mai:p@hunter2:x@db:5432/otn",
        "postgresql://mai:p@hunter2/x@db/otn",
        "postgresql://mai:hunter2@db:port/otn",
        "postgresql://mai:hunter2@[::1/otn",
    ],
)
def test_an_address_that_would_be_misread_is_refused_with_how_to_write_it(url, written):
    url(written)
    with pytest.raises(ValidationError, match="%40 for @") as refused:
        settings()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "rest",
    [
        "mai%40shop:p%2Fw%40@db.example.vn:5432/otn",
        "mai@server:pw/with@db/otn",
        "/otn?host=/var/run/postgresql&user=a@b",
        "mai@[::1]:5432/otn",
        "db",
    ],
)
def test_addresses_that_can_be_read_stay_as_written(url, rest):
    url(f"postgresql+psycopg://{rest}")
    assert settings().database_url == f"postgresql+psycopg://{rest}"
    make_url(settings().database_url)


@pytest.mark.parametrize("written", ["sqlite://", "sqlite:///", "sqlite:///?mode=ro", "sqlite://otn.db"])
def test_a_database_that_would_be_in_memory_only_is_refused(url, written):
    url(written)
    with pytest.raises(ValidationError, match="SQLite or PostgreSQL"):
        settings()


def test_a_missing_driver_is_named_with_what_to_install(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url(PSYCOPG)
    with pytest.raises(OperatorError, match=r"pip install -r requirements-postgres\.txt"), reading():
        pass


@pytest.mark.parametrize(
    "key",
    [
        *(
            "a",
            "x7-Kp2!mQz9",
            "a" * 64,
            "0123456789abcdef" * 4,
            "change-me-" * 4,
            "password" * 6,
            "abc123" * 8,
        ),
        *(
            "abc123" * 8,
            "this-is-the-secret-key-of-notify-once!",
            "please-change-this-key-before-you-go-live",
        ),
    ],
)
def test_a_key_that_can_be_guessed_is_refused_without_repeating_it(url, monkeypatch, key):
    monkeypatch.setenv("OTN_SECRET_KEY", key)
    settings.cache_clear()
    with pytest.raises(ValidationError, match="too easy to guess") as refused:
        settings()
    assert len(key) < 3 or key not in str(refused.value)


@pytest.mark.parametrize("make", [lambda: token_urlsafe(32), lambda: token_hex(16), lambda: token_hex(32)])
def test_a_random_key_is_taken(url, monkeypatch, make):
    for _time in range(20):
        monkeypatch.setenv("OTN_SECRET_KEY", key := make())
        settings.cache_clear()
        assert secret_key() == key


def test_a_guessable_key_in_the_file_is_refused_too(url, monkeypatch, tmp_path):
    monkeypatch.setenv("OTN_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    (tmp_path / "secret.key").write_text("short")
    with pytest.raises(OperatorError, match=r"secret\.key.*too easy to guess"):
        secret_key()


@pytest.mark.parametrize("written", ["10.0.0.300", "proxy.example", "10.0.0.0/33"])
def test_a_proxy_is_an_address_or_a_network(url, monkeypatch, written):
    monkeypatch.setenv("OTN_TRUSTED_PROXIES", written)
    settings.cache_clear()
    with pytest.raises(ValidationError, match="addresses or networks"):
        settings()


def test_a_full_disk_leaves_no_half_of_a_key(url, monkeypatch, tmp_path):
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("OTN_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            kept_secret("secret.key")
    assert not list(tmp_path.glob("*secret*")) + list(tmp_path.glob(".*secret*"))
    assert kept_secret("secret.key")
