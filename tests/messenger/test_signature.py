from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messenger.signature import appsecret_proof, is_valid, sign

BODY = b'{"object":"page","entry":[{"text":"h\\u00e0ng m\\u1edbi","url":"https:\\/\\/m.me"}]}'


def test_a_signature_is_the_platforms():
    expected = hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()
    assert sign("secret", BODY) == f"sha256={expected}"
    assert is_valid("secret", BODY, sign("secret", BODY))


@pytest.mark.parametrize(
    "header", [None, "", "sha256=", "sha256=00", "sha1=" + "0" * 40, "sha256=é", "\ud800"]
)
def test_what_is_no_signature_is_refused(header):
    assert not is_valid("secret", BODY, header)


def test_the_bare_digest_without_its_scheme_is_refused():
    assert not is_valid("secret", BODY, sign("secret", BODY).removeprefix("sha256="))


def test_without_a_secret_nothing_is_valid():
    assert not is_valid("", BODY, sign("", BODY))


@given(body=st.binary(), other=st.binary())
def test_a_signature_fits_one_body_and_one_secret(body, other):
    assert is_valid("secret", other, sign("secret", body)) == (body == other)
    assert not is_valid("another", body, sign("secret", body))


def test_the_proof_is_the_token_keyed_with_the_app_secret():
    assert appsecret_proof("secret", "EAAB") == hmac.new(b"secret", b"EAAB", hashlib.sha256).hexdigest()
