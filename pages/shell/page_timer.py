"""Times the panel's pages without a browser, for `bench panel`: reads what to open, prints the seconds.

Standard input: {"session", "places": [[path, {query}], …], "rounds", "seconds"}. Standard output: a list of
{"page", "seconds", "first_seconds", "opened", "problem"}: the best of the rounds, each in a session of its
own. With "seconds" the rounds begin anew until so many are over.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.components import page_registry, session

APP = Path(__file__).resolve().parents[2] / "app.py"
PATIENCE_SECONDS = 120


def main() -> None:
    """Times every page that standard input asks for."""
    asked = json.load(sys.stdin)
    key_hash = asked["session"]
    # There is no browser to present a cookie, so the pages are told whose session it is.
    session.__dict__["presented"] = lambda: st.session_state["presented"]
    _open(key_hash, "operators", {})  # the first page of a process pays for the imports
    until = time.monotonic() + asked.get("seconds", 0.0)
    found = [_timed(asked, key_hash, path, query) for path, query in asked["places"]]
    while time.monotonic() < until:
        found += [_timed(asked, key_hash, path, query) for path, query in asked["places"]]
    sys.stdout.write(json.dumps(found) + "\n")


def _timed(asked: dict[str, Any], key_hash: str, path: str, query: dict[str, Any]) -> dict[str, Any]:
    seconds, problem = [], ""
    for _ in range(asked["rounds"]):
        began = time.perf_counter()
        at = _open(key_hash, path, query)
        seconds.append(time.perf_counter() - began)
        problem = problem or (at.exception[0].message if at.exception else "")
    page = path + "".join(f" {name}={value}" for name, value in query.items())
    return {
        "page": page,
        "seconds": min(seconds),
        "first_seconds": seconds[0],
        "opened": len(seconds),
        "problem": problem,
    }


def _open(key_hash: str, path: str, query: dict[str, Any]) -> AppTest:
    at = AppTest.from_file(str(APP), default_timeout=PATIENCE_SECONDS)
    at.session_state["presented"] = key_hash
    for name, value in query.items():
        at.query_params[name] = str(value)
    at.switch_page(f"pages/{page_registry.BY_PATH[path].file}")
    return at.run()


if __name__ == "__main__":
    main()
