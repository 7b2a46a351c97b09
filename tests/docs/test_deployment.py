"""The examples of proxies pass on what customers and Messenger reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from webhook_server import pictures, short_links
from webhook_server.application import WEBHOOK

DOCS = Path(__file__).resolve().parents[2] / "docs"
PUBLIC = {path.split("/")[1] for path in (*WEBHOOK, *short_links.PATHS, pictures.ROUTE)}


@pytest.mark.parametrize("example", ["deployment/nginx.conf", "deployment/Caddyfile", "scale-out/Caddyfile"])
def test_an_example_names_every_public_path_and_not_the_figures(example):
    text = (DOCS / example).read_text()
    served = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert all(part in served for part in PUBLIC)
    assert "metrics" not in served


@pytest.mark.parametrize("example", ["deployment/nginx.conf", "deployment/Caddyfile", "scale-out/Caddyfile"])
def test_an_example_tells_browsers_to_come_by_https_only(example):
    assert 'Strict-Transport-Security "max-age=31536000"' in (DOCS / example).read_text()
