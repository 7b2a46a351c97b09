"""Secrets at rest: what one key sealed only that key opens."""

from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from core.encryption import CannotDecrypt, decrypt, decrypt_all, encrypt, encrypt_all, lookup_hash
from core.settings import settings

KEY = "a-key-for-this-test-that-is-long-enough-0123456789"


@pytest.fixture(autouse=True)
def with_key(monkeypatch):
    """Changes the installation's key."""

    def change(key):
        monkeypatch.setenv("OTN_SECRET_KEY", key)
        settings.cache_clear()

    change(KEY)
    yield change
    settings.cache_clear()


@settings_of_hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters()))
def test_what_is_sealed_opens_again_and_does_not_show(secret):
    sealed = encrypt(secret)
    assert decrypt(sealed) == secret
    assert sealed.isascii()
    assert len(secret) < 4 or secret not in sealed.removeprefix("siv.")  # which it may be itself


def test_many_are_sealed_and_opened_in_their_order():
    assert decrypt_all(encrypt_all(["a", "", "ba"])) == ["a", "", "ba"]


@pytest.mark.parametrize("broken", ["", "siv.", "siv.!!!", "gAAAA", "plain text", "siv.AAAA", "đ"])
def test_what_is_no_seal_does_not_open(broken):
    assert decrypt_all([broken]) == [None]
    with pytest.raises(CannotDecrypt):
        decrypt(broken)


def test_another_key_opens_nothing(with_key):
    sealed, hashed = encrypt("token-1"), lookup_hash("token-1")
    with_key("another-key-for-this-test-that-is-long-enough-0123456789")
    assert decrypt_all([sealed]) == [None]
    assert lookup_hash("token-1") != hashed


def test_a_changed_seal_does_not_open():
    sealed = encrypt("token-1")
    raw = bytearray(base64.b64decode(sealed[4:]))
    raw[-1] ^= 1
    assert decrypt_all(["siv." + base64.b64encode(raw).decode()]) == [None]
