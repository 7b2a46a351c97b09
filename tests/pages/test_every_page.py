"""Every page of the menu starts for every role, over an empty database and over one with a fanpage."""

import pytest

from core.accounts.rules import Role
from pages.components import page_registry

PATHS = [entry.url_path for entry in page_registry.ENTRIES]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", PATHS)
def test_a_page_starts_over_an_empty_database(panel, path, role):
    at = panel(path, role=role)
    assert not at.exception


@pytest.mark.parametrize("path", PATHS)
def test_a_page_starts_with_a_fanpage_connected(panel, arrange, path):
    arrange.fanpage()
    assert not panel(path).exception
