"""Settings are found wherever a command is started from, however `.env` was saved, and never passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import settings_sources
from core.db import engine
from core.errors import OperatorError
from core.settings import settings
from core.settings_sources import UnknownSetting


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    """A checkout of the product in a folder of its own; the working directory is another."""
    made = tmp_path / "Tiệm 100% Mai"
    made.mkdir()
    (made / "pyproject.toml").touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(settings_sources, "HOME", made)
    monkeypatch.delenv("OTN_ENV_FILE")
    settings.cache_clear()
    yield made
    settings.cache_clear()


def test_the_data_is_found_from_any_working_directory(home: Path):
    assert settings().data_dir == home / "data"
    assert engine.sqlite_file() == home / "data" / "otn.db"


def test_the_data_folder_alone_moves_the_database_too(home: Path, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("OTN_DATA_DIR", str(tmp_path / "kept %41"))
    assert engine.sqlite_file() == tmp_path / "kept %41" / "otn.db"
    monkeypatch.setenv("OTN_DATA_DIR", "kept")
    settings.cache_clear()
    assert engine.sqlite_file() == home / "kept" / "otn.db"
    monkeypatch.setenv("OTN_DATABASE_URL", "sqlite:///other/otn.db")
    settings.cache_clear()
    assert engine.sqlite_file() == home / "other" / "otn.db"


def test_an_installation_that_ran_in_the_working_directory_goes_on_there(home: Path):
    (Path.cwd() / "data").mkdir()
    (Path.cwd() / "data" / "otn.db").write_text("used")
    assert engine.sqlite_file() == Path.cwd() / "data" / "otn.db"
    (home / "data").mkdir()
    (home / "data" / "otn.db").write_text("used")
    settings.cache_clear()
    with pytest.raises(OperatorError, match="two databases"):
        settings()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_env_file_is_read_however_it_was_saved(home: Path, encoding, end):
    text = end.join(["# Tiệm Hoa Mai", "OTN_VERIFY_TOKEN=hoa-mai", "", 'OTN_TIMEZONE="Asia/Tokyo"'])
    (home / ".env").write_bytes(text.encode(encoding))
    assert settings().verify_token.get_secret_value() == "hoa-mai"
    assert settings().timezone == "Asia/Tokyo"


def test_an_env_file_that_is_no_text_is_refused_without_its_content(home: Path):
    (home / ".env").write_bytes(b"OTN_APP_SECRET=hunter2\xff\xfe\xfd")
    with pytest.raises(OperatorError, match="UTF-8") as refused:
        settings()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["OTN_DATA_DRI", "OTN_PANEL_PROT", "otn_databse_url"])
@pytest.mark.parametrize("written", ["environment", "file"])
def test_a_misspelt_setting_is_refused(home: Path, monkeypatch, name, written):
    if written == "file":
        (home / ".env").write_text(f"{name}=9000\n")
    else:
        monkeypatch.setenv(name, "9000")
    with pytest.raises(UnknownSetting, match=name) as refused:
        settings()
    assert "9000" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# Tiệm\nOTN_DATA_DIR\n", 2),
        ("OTN_LANGUAGE=en\n\n\nOTN_DATA_DIR /srv/otn", 4),
        ("OTN_LANGUAGE=en\n\n  \nOTN_DATA_DIR", 4),
        ("OTN_APP_SECRET: hunter2\n", 1),
        ("\n otn_app_secret＝hunter2", 2),
        ("export OTN_APP_SECRET", 1),
        ('OTN_LANGUAGE=en\nOTN_APP_SECRET="hunter2\n', 2),
    ],
)
def test_a_line_that_gives_no_setting_is_refused_by_its_number(home: Path, text, line):
    (home / ".env").write_text(text)
    with pytest.raises(OperatorError, match=f"Line {line} of ") as refused:
        settings()
    assert "hunter2" not in str(refused.value)


def test_comments_and_lines_of_others_are_passed_over(home: Path):
    (home / ".env").write_text(
        "# OTN_DATA_DIR\n\nexport OTN_LANGUAGE=en # OTN_X\nnot ours\nOTN_VERIFY_TOKEN=\n"
    )
    assert settings().language == "en"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pa$$w0rd$HOME", "pa$$w0rd$HOME"),
        ("a${HOME}b", "a${HOME}b"),
        ('"a${HOME}b"', "a${HOME}b"),
        ("'a${NOPE:-x}b'", "a${NOPE:-x}b"),
        ("a#b", "a#b"),
        ("a b # why", "a b"),
        ('"a #b "', "a #b "),
        ("it's", "it's"),
        (r"C:\new", r"C:\new"),
        (r"'C:\new'", r"C:\new"),
        (r'"a\\b\"c"', r'a\b"c'),
        ("`a`", "`a`"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_value_is_taken_as_it_stands(home: Path, written, meant, end):
    (home / ".env").write_text(f"OTN_VERIFY_TOKEN={written}{end}OTN_LANGUAGE=en{end}", newline="")
    assert settings().verify_token.get_secret_value() == meant
    assert settings().language == "en"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("OTN_APP_SECRET=${META_SECRET}", "not replaced"),
        ('otn_app_secret="${META_SECRET:-x}"', "not replaced"),
        ("OTN_DATA_DIR=${HOME}/otn", "not replaced"),
        ("OTN_DATABASE_URL=postgresql://u:${PASSWORD}@h/otn", "not replaced"),
        ("OTN_ALERT_URL=tgram://${BOT}/${CHAT}", "not replaced"),
        ("OTN_APP_SECRET=“hunter2”", "curly"),
        ("OTN_APP_SECRET=‘hunter2’", "curly"),
    ],
)
def test_a_value_that_was_hardly_meant_so_is_refused_without_repeating_it(home: Path, line, why):
    (home / ".env").write_text(line + "\n")
    with pytest.raises(OperatorError, match=why) as refused:
        settings()
    assert line.partition("=")[0].upper() in str(refused.value)
    for secret in ("META_SECRET", "hunter2", "PASSWORD}", "HOME"):
        assert secret not in str(refused.value)


def test_a_link_that_leads_nowhere_is_refused(home: Path):
    (home / ".env").symlink_to("gone.env")
    with pytest.raises(OperatorError, match="leads nowhere"):
        settings()


def test_the_file_that_is_named_counts(home: Path, monkeypatch, tmp_path: Path):
    (home / ".env").write_text("OTN_TIMEZONE=Asia/Tokyo\n")
    (tmp_path / "my.env").write_text("OTN_TIMEZONE=Europe/Berlin\n")
    monkeypatch.setenv("OTN_ENV_FILE", str(tmp_path / "my.env"))
    assert settings().timezone == "Europe/Berlin"
    monkeypatch.setenv("OTN_ENV_FILE", str(tmp_path / "missing.env"))
    settings.cache_clear()
    with pytest.raises(OperatorError, match="does not exist"):
        settings()
    monkeypatch.setenv("OTN_ENV_FILE", "")
    settings.cache_clear()
    assert settings().timezone == "Asia/Ho_Chi_Minh"


def test_a_folder_in_its_place_is_refused(home: Path):
    (home / ".env").mkdir()
    with pytest.raises(OperatorError, match="is a folder"):
        settings()
