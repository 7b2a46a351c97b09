"""A code leads back to its link, and nobody finds another one."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clicks.codes import LinkId, Sent, code_of, read_code
from core.clicks.rules import PLACES

pytestmark = [pytest.mark.one_database, pytest.mark.usefixtures("fresh_database")]
on_one_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
LINKS = st.builds(LinkId, st.sampled_from(Sent), st.integers(1, 2**48), st.integers(0, PLACES - 1))


@on_one_database
@given(LINKS)
def test_a_code_leads_back_to_its_link(link):
    assert read_code(code_of(link)) == link
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", code_of(link))


@on_one_database
@given(LINKS, st.integers(0, 127))
def test_a_code_with_one_bit_changed_leads_nowhere(link, bit):
    block = int.from_bytes(base64.urlsafe_b64decode(code_of(link) + "==")) ^ 1 << bit
    assert read_code(base64.urlsafe_b64encode(block.to_bytes(16)).rstrip(b"=").decode()) is None


@on_one_database
@given(st.text())
def test_what_we_did_not_write_leads_nowhere(code):
    assert read_code(code) is None


def test_neighbours_have_nothing_in_common():
    codes = {code_of(LinkId(Sent.DELIVERY, n, 0))[:6] for n in range(200)}
    assert len(codes) == 200


@pytest.mark.parametrize("place", [0, 5])
def test_the_same_link_has_the_same_code_so_that_a_second_attempt_is_the_same_message(place):
    link = LinkId(Sent.REPLY, 7, place)
    assert code_of(link) == code_of(link)
