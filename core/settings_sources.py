"""Where settings are written, the environment and `.env`, and where their relative paths begin."""

from __future__ import annotations

import difflib
import io
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from core.errors import OperatorError
from core.text.text_files import decode

PREFIX = "OTN_"
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_CURLY = re.compile("[“”„‘’].*[“”‘’]")
# These may hold any signs; of what names a place, `${…}` is no part.
_SECRETS = (
    "OTN_APP_SECRET",
    "OTN_VERIFY_TOKEN",
    "OTN_SECRET_KEY",
    "OTN_SMTP_PASSWORD",
    "OTN_SSO_CLIENT_SECRET",
)
HOME = Path(__file__).resolve().parents[1]  # where app.py is


class UnknownSetting(OperatorError):
    """A name that begins like our settings and is none of them."""

    code = "invalid_settings"


def base_folder() -> Path:
    """Where relative paths begin, whatever the working directory is: the folder of app.py. Installed as a
    package it is the working directory; so it is where an installation has been running until now that way.
    """
    here = Path.cwd()
    is_checkout = (HOME / "pyproject.toml").is_file()
    has_data = (here / "data" / "otn.db").is_file()
    if not is_checkout or here == HOME or (has_data and not (HOME / "data" / "otn.db").is_file()):
        return here
    if has_data:
        raise OperatorError(
            "There are two databases, {here}/data/otn.db and {home}/data/otn.db. Set OTN_DATA_DIR to the "
            "folder of the one that counts, so that nothing is done to the other.",
            here=here,
            home=HOME,
        )
    return HOME


def read_env_file() -> dict[str, str]:
    """What `.env` says, by the names it uses: of OTN_ENV_FILE (empty: none), else beside app.py, else of the
    working directory."""
    named = os.environ.get(f"{PREFIX}ENV_FILE")
    if named == "":
        return {}
    found = [Path(named)] if named else [HOME / ".env", Path.cwd() / ".env"]
    for path in found:
        if named and not path.is_file():
            raise OperatorError("OTN_ENV_FILE names {file}, which does not exist.", file=path)
        if path.is_file():
            return _read(path)
        if path.is_symlink() and not path.exists():
            raise OperatorError("{file} is a link that leads nowhere. Mend it, or take it away.", file=path)
        if path.is_dir():  # what Docker makes of a mounted file that is not there
            raise OperatorError("{file} is a folder, not a file. Mend it, or take it away.", file=path)
    return {}


def _read(path: Path) -> dict[str, str]:
    try:
        text = decode(path.read_bytes(), what=str(path))
    except OSError as problem:
        raise OperatorError("{file} cannot be read: {why}", file=path, why=problem.strerror) from None
    _refuse_broken_lines(path, text)
    read = dotenv_values(stream=io.StringIO(text), interpolate=False)  # a password may hold ${…}
    values = {name: value for name, value in read.items() if value is not None}
    for name, value in ours(values).items():
        _refuse_misread(path, f"{PREFIX}{name.upper()}", value)
    return values


def _refuse_broken_lines(path: Path, text: str) -> None:
    """Raise for a line that is meant to be a setting and gives none, which would be passed over. It is named
    by its number, since a secret may stand in it."""
    for binding in parse_stream(io.StringIO(text)):
        said = binding.original.string.strip()
        if PREFIX in said.upper() and not said.startswith("#") and binding.value is None:
            whole = binding.original.string
            before = whole[: len(whole) - len(whole.lstrip())].count("\n")
            raise OperatorError(
                "Line {line} of {file} gives no setting; write it as NAME=value.",
                line=binding.original.line + before,
                file=path,
            )


def _refuse_misread(path: Path, name: str, value: str) -> None:
    """Raise for a value that is taken as it stands and was hardly meant so."""
    is_reference = _REFERENCE.fullmatch(value) or (name not in _SECRETS and _REFERENCE.search(value))
    if is_reference or _CURLY.fullmatch(value):
        why = "names like ${…} are not replaced" if is_reference else "curly quotation marks are part of it"
        raise OperatorError(
            "{name} in {file} is taken as it stands: {why}. Write the value itself.",
            name=name,
            file=path,
            why=why,
        )


def refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UnknownSetting for a name that begins with OTN_ and that nothing reads, which is a typing error
    that would otherwise be passed over in silence."""
    settings = {f"{PREFIX}{name.upper()}" for name in known}
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in settings:
            near = difflib.get_close_matches(name.upper(), settings, n=1)
            raise UnknownSetting(
                "{name} is no setting of Notify Once{hint}. Correct it, or take it out.",
                name=name,
                hint=f"; {near[0]} is one" if near else "",
            )


def ours(values: Mapping[str, str]) -> dict[str, str]:
    """The settings among these values, by their fields."""
    return {
        name.upper().removeprefix(PREFIX).lower(): value
        for name, value in values.items()
        if name.upper().startswith(PREFIX)
    }


def proxies_the_server_believes() -> str:
    """The list of proxies in FORWARDED_ALLOW_IPS, which uvicorn beneath the panel reads; "" without one."""
    return os.environ.get("FORWARDED_ALLOW_IPS", "")
