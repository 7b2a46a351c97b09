"""The settings, from the environment or `.env`. Nothing else reads either. Their names are a
public contract. What is set for each fanpage in the panel is not here, such as its sending rate:
core/fanpages/send_rate.py."""

from __future__ import annotations

import os
import re
import secrets
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.errors import OperatorError
from core.settings_sign_in import SignInSettings
from core.settings_sources import base_folder, ours, read_env_file, refuse_unknown
from core.text.catalogues import languages
from core.text.ip_addresses import find_address
from core.text.secret_strength import is_guessable_key
from core.text.text_files import decode


class Settings(SignInSettings):
    """All settings of a process; each is described by its field."""

    model_config = SettingsConfigDict(
        env_prefix="OTN_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    env_file: str = Field("", description="Which .env is read; set to nothing: none.")
    database_url: str = Field("sqlite:///data/otn.db", description="SQLite file or PostgreSQL URL.")
    data_dir: Path = Field(Path("data"), description="Where the key, the database and the demo live.")
    graph_url: str = Field("https://graph.facebook.com", description="Base URL of the Graph API.")
    graph_version: str = Field("v26.0", pattern=r"^v\d+\.\d+$", description="Version of the Graph API.")
    batch_across_fanpages: bool = Field(
        True, description="Whether a call may hold several fanpages' messages."
    )
    app_secret: SecretStr = Field(SecretStr(""), description="App secret: proves webhooks, signs calls.")
    verify_token: SecretStr = Field(
        SecretStr(""), description="What Meta repeats when it verifies the webhook."
    )
    backup_dir: Path | None = Field(None, description="Nightly backups; unset: `backups` in the data folder.")
    keep_events_days: int = Field(30, ge=7, le=365, description="Webhook events that were applied.")
    keep_activity_days: int = Field(730, ge=90, le=3650, description="Lines of the activity log.")
    keep_replies_days: int = Field(400, ge=30, le=3650, description="The bot's replies, with their words.")
    backups_kept: int = Field(7, ge=0, le=1000, description="Nightly backups (SQLite) that are kept.")
    move_to: SecretStr = Field(
        SecretStr(""), description="Where `core move` goes; not seen in a process list."
    )
    public_url: str = Field(
        "", description="Where customers reach the webhook server, as https://otn.shop.vn."
    )
    alert_url: SecretStr = Field(SecretStr(""), description="Whom to tell outside the panel; see Apprise.")
    alert_email: str = Field("", description="Whom to tell by email; several with commas.")
    smtp_host: str = Field("", description="The mail server that takes the alerts.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection to it is encrypted."
    )
    smtp_user: str = Field("", description="The name to sign in with there; none: without signing in.")
    smtp_password: SecretStr = Field(SecretStr(""), description="The password to it.")
    smtp_from: str = Field("", description="The sender of the alerts; else the user, or the first receiver.")
    secret_key: SecretStr = Field(SecretStr(""), description="Seals tokens; made when unset.")
    timezone: str = Field("Asia/Ho_Chi_Minh", description="Zone of a fanpage that names none.")
    language: str = Field("vi", description="Language of the panel: en, or a folder of pages/locales.")
    trusted_proxies: str = Field(
        "127.0.0.1, ::1", description="Proxies whose X-Forwarded headers are believed; networks too."
    )
    metrics_from: str = Field(
        "127.0.0.1, ::1", description="Addresses and networks that may read /metrics directly."
    )
    webhook_host: str = Field(
        "127.0.0.1", description="Where the webhook server listens; 0.0.0.0: on every address of the machine."
    )
    panel_port: int = Field(8501, ge=1, le=65535, description="Port of the panel.")
    webhook_port: int = Field(8000, ge=1, le=65535, description="Port of the webhook server.")
    simulator_port: int = Field(8090, ge=1, le=65535, description="Port of the simulated Messenger.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then `.env`."""
        written = read_env_file()
        refuse_unknown([*os.environ, *written], cls.model_fields)
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, init_kwargs={**ours(written)}),
        )

    @model_validator(mode="before")
    @classmethod
    def _database_in_data_folder(cls, given: dict[str, Any]) -> dict[str, Any]:
        """The database lies in the data folder, unless it is named."""
        folder = str(given.get("data_dir") or "data")
        return {"database_url": f"sqlite:///{quote(folder)}/otn.db", **given}  # an address has %20 for blanks

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        return anchored_database(database_url(value))

    @field_validator("data_dir", "backup_dir")
    @classmethod
    def _anchored(cls, value: Path | None) -> Path | None:
        return value if value is None or value.is_absolute() else base_folder() / value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as problem:
            raise ValueError(
                f"OTN_TIMEZONE: no time zone is called {value!r}; try Asia/Ho_Chi_Minh"
            ) from problem
        return value

    @field_validator("secret_key")
    @classmethod
    def _unguessable(cls, value: SecretStr) -> SecretStr:
        if given := value.get_secret_value():
            _refuse_guessable(given)
        return value

    @field_validator("trusted_proxies", "metrics_from")
    @classmethod
    def _known_networks(cls, value: str, info: ValidationInfo) -> str:
        try:
            _networks(value)
        except ValueError as problem:
            raise ValueError(
                f"OTN_{str(info.field_name).upper()}: addresses or networks with commas between them, "
                "such as 10.0.0.7, 172.18.0.0/16"
            ) from problem
        return value

    @model_validator(mode="after")
    def _mail_has_a_way(self) -> Settings:
        if self.alert_email and not self.smtp_host:
            raise ValueError("OTN_ALERT_EMAIL needs a mail server: set OTN_SMTP_HOST")
        return self

    @field_validator("alert_email")
    @classmethod
    def _known_receivers(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", each):
                raise ValueError("OTN_ALERT_EMAIL: addresses with commas between them, such as an@shop.vn")
        return value

    @field_validator("webhook_host")
    @classmethod
    def _known_address(cls, value: str) -> str:
        try:
            return str(ip_address(value))
        except ValueError as problem:
            raise ValueError("OTN_WEBHOOK_HOST: an address such as 127.0.0.1 or 0.0.0.0") from problem

    def is_trusted_proxy(self, address: str) -> bool:
        """Whether what this address says of a visitor is believed."""
        return _is_among(address, self.trusted_proxies)

    def may_read_metrics(self, address: str) -> bool:
        """Whether this address may read the figures of the webhook server."""
        return _is_among(address, self.metrics_from)

    @property
    def backup_folder(self) -> Path:
        return self.backup_dir or self.data_dir / "backups"

    @property
    def is_postgresql(self) -> bool:
        return self.database_url.startswith("postgresql")

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in languages():
            raise ValueError(f"OTN_LANGUAGE: {value!r} is not one of {', '.join(languages())}")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_address(cls, value: str) -> str:
        return public_url(value)

    @field_validator("graph_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")


def database_url(written: str) -> str:
    """Bring a database address into the form that we use: PostgreSQL is spoken to by psycopg 3, however its
    address is written. Raises ValueError for any other database, and for an address that can be misread."""
    scheme, colon, rest = written.strip().partition("://")
    if colon and re.fullmatch(r"postgres(ql)?(\+psycopg[23]?)?", scheme):
        # The first @ of a password would end it, and errors would show the rest of it as the host.
        if not re.fullmatch(r"([^:/]*(:[^@]*)?@)?(\[[^\]@]*\]|[^@:/?\[\]]*)(:\d+)?(/[^@?]*)?(\?.*)?", rest):
            raise ValueError(
                "OTN_DATABASE_URL: not to be read; write it like postgresql+psycopg://user:password@host:5432/"
                "name, and in the user and the password %40 for @, %3A for :, %2F for /, %25 for %"
            )
        return f"postgresql+psycopg://{rest}"
    if not colon or not re.fullmatch(r"sqlite(\+pysqlite)?", scheme) or not re.fullmatch(r"/[^?].*", rest):
        raise ValueError(
            "OTN_DATABASE_URL: SQLite or PostgreSQL; write it like sqlite:///data/otn.db or "
            "postgresql+psycopg://user:password@host/name"
        )
    return written.strip()


def anchored_database(url: str) -> str:
    """An address of a database whose file is named from the root, whatever the working directory is."""
    scheme, _, file = url.partition(":///")
    if not scheme.startswith("sqlite") or not file or file.startswith(("/", ":memory:")):
        return url
    return f"{scheme}:///{quote(str(base_folder()))}/{file}"


def public_url(written: str) -> str:
    """Bring the public address into the form in which links begin: without a slash at its end. Raises
    ValueError for what no customer could open; only this machine may be reached without encryption."""
    address = written.strip().rstrip("/")
    is_safe = re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?", address, re.IGNORECASE)
    is_here = re.fullmatch(r"http://(localhost|127\.0\.0\.1)(:\d+)?", address, re.IGNORECASE)
    if address and not (is_safe or is_here):
        raise ValueError(
            "OTN_PUBLIC_URL: the address by which the internet reaches the webhook server, without a path; "
            "write it like https://otn.example.com"
        )
    return address


def _refuse_guessable(key: str, name: str = "OTN_SECRET_KEY") -> str:
    """The key, if nobody guesses it: whoever does opens every token of the database."""
    if is_guessable_key(key):
        raise ValueError(
            f"{name}: too easy to guess. It needs 32 characters or more that nobody made up; make them with "
            'python -c "import secrets; print(secrets.token_urlsafe(32))". To replace a key that is in use: '
            "docs/security.md"
        )
    return key


@lru_cache
def _networks(written: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each.strip(), strict=False) for each in written.split(",") if each.strip())


def _is_among(address: str, written: str) -> bool:
    seen = find_address(address)
    return seen is not None and any(seen in network for network in _networks(written))


@lru_cache
def settings() -> Settings:
    """The settings of this process; `settings.cache_clear()` reads them again (tests do)."""
    return Settings()


def describe_refusal(refused: OperatorError | ValidationError) -> str:
    """Why the settings, or what they lead to, are refused; without any value, which may be a secret."""
    if isinstance(refused, OperatorError):
        return refused.message
    errors = refused.errors(include_input=False, include_url=False)
    return "; ".join(_readable(dict(each)) for each in errors)


def _readable(error: dict[str, Any]) -> str:
    name = f"OTN_{'_'.join(str(part) for part in error.get('loc', ())).upper()}"
    said = str(error.get("msg")).removeprefix("Value error, ").removeprefix(f"{name}: ")
    return f"{name}: {said}" if error.get("loc") else said  # what several settings say names them itself


def override_settings(**values: str) -> None:
    """Change settings of this process and its children, as if the environment said so (benchmarks)."""
    os.environ.update({f"OTN_{name.upper()}": value for name, value in values.items()})
    settings.cache_clear()


def secret_key() -> str:
    """The installation's key: `OTN_SECRET_KEY`, else `secret.key` in the data folder, made on first use."""
    given = settings().secret_key.get_secret_value()
    try:
        return given or _refuse_guessable(kept_secret("secret.key"), "secret.key in the data folder")
    except ValueError as weak:
        raise OperatorError(str(weak)) from None


def secret_file() -> Path:
    """The file of the installation's key, where OTN_SECRET_KEY does not hold it."""
    return settings().data_dir / "secret.key"


def kept_secret(filename: str) -> str:
    """A random secret in a file of the data folder (mode 0600). The first process that asks makes it."""
    return _kept(settings().data_dir, filename)


def read_secret_file(path: Path) -> str:
    """A secret that a person has put into a file. Raises OSError, and OperatorError when it is no text."""
    return decode(path.read_bytes(), what=str(path)).strip()


def replace_kept_secret(filename: str, by: str, *, keep_as: str) -> None:
    """Put the secret of the file `by` into the place of another, and keep the former one as `keep_as`. It may
    be repeated after an interruption."""
    folder = settings().data_dir
    if (folder / by).exists():
        fresh = folder / f".{keep_as}.{os.getpid()}"
        try:
            _write(fresh, (folder / filename).read_text())
            fresh.replace(folder / keep_as)
        finally:  # on a full disk it is half a key
            fresh.unlink(missing_ok=True)
        (folder / by).replace(folder / filename)
    _kept.cache_clear()


def _write(path: Path, secret: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


@lru_cache
def _kept(folder: Path, filename: str) -> str:
    """Read once, since it is needed for every token that is decrypted."""
    path = folder / filename
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            _write(fresh, secrets.token_urlsafe(32))
            os.link(fresh, path)  # only the first process succeeds; the others read what it wrote
        except FileExistsError:
            pass
        finally:
            fresh.unlink(missing_ok=True)
    kept = read_secret_file(path)
    if not kept:
        raise OperatorError("{file} is empty. Put the copy of it back that you have kept.", file=path)
    return kept
