"""The edge of the command line: whatever happens, people get a sentence and programs one JSON document."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.clock import utc_now
from core.commands.input_output import DISK_FULL, print_answer, warn
from core.db.engine import forget_engines
from core.db.full_disk import is_full
from core.settings import settings

USAGE, INTERRUPTED, UNFORESEEN = 2, 130, 70


def run(app: Callable[..., Any], arguments: Sequence[str]) -> int:
    """Run a command and return the exit code."""
    _prepare_streams()
    as_json = "--json" in arguments
    try:
        code = app(args=list(arguments), standalone_mode=False) if as_json else _plain(app, arguments)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        _leave_stdout()
        return 1
    except KeyboardInterrupt:
        return _refused(as_json, "interrupted", "Interrupted.", INTERRUPTED)
    except OSError as problem:
        place = f"{problem.filename}: " if problem.filename else ""
        said = DISK_FULL if is_full(problem) else f"{place}{problem.strerror or type(problem).__name__}."
        return _refused(as_json, "system", said, 1)
    except Exception as problem:
        if hasattr(problem, "format_message") and as_json:
            return _refused(as_json, "usage", str(problem.format_message()), USAGE)
        return _refused(as_json, "unforeseen", _unforeseen(problem), UNFORESEEN)
    finally:
        forget_engines()  # the last one to leave folds SQLite's write-ahead log into the file


def _plain(app: Callable[..., Any], arguments: Sequence[str]) -> int:
    """For people: wrong usage is shown as the library does."""
    try:
        app(args=list(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    return 0


def _refused(as_json: bool, code: str, said: str, exit_code: int) -> int:
    with suppress(OSError):
        if as_json:
            print_answer(True, {"error": {"code": code, "message": said}}, "")
            sys.stdout.flush()
            return exit_code
    with suppress(OSError):
        warn(f"Error: {said}")
    if sys.stdout is not None:
        _leave_stdout()
    return exit_code


def _unforeseen(problem: Exception) -> str:
    """Where it happened goes into a file; its text does not, since it may hold what nobody may read."""
    name = type(problem).__name__
    said = f"Something happened that nobody foresaw ({name}). Please report it"
    try:
        file = settings().data_dir / "logs" / "command-line.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as log:
            log.write(f"{utc_now():%Y-%m-%d %H:%M:%S} {name}\n")
            log.writelines(traceback.format_tb(problem.__traceback__))
    except Exception:  # whatever it was may be why the settings cannot be read either
        return f"{said}."
    return f"{said} with what is in {Path(file)}."


def _prepare_streams() -> None:
    """A stream that was closed swallows what is written; one that is not UTF-8 shows what it can."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _leave_stdout() -> None:
    """What is still buffered cannot be written: the interpreter must not try it once more at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
