"""The shop of these tests."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.arrange import Arrange
from tests.customers.forgetting.people import Shop


@pytest.fixture
def shop(arrange: Arrange, now: datetime) -> Shop:
    return Shop(arrange, now)
