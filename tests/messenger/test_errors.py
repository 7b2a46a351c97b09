"""The table of refusals: what each code makes us do. Money depends on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messenger.errors import ANY, ERROR_RULES, NextStep, classify
from core.messenger.reasons import SENTENCES, describe
from core.messenger.redaction import spellings_of, without_secrets


def answer(status, code, subcode=None, *, by_token=True):
    error = {"message": "words may change", "code": code}
    failure = classify(status, error | ({"error_subcode": subcode} if subcode else {}), by_token=by_token)
    return failure.step, failure.reason


@pytest.mark.parametrize(
    ("code", "subcode", "step", "reason"),
    [
        (1, None, NextStep.RETRY_LATER, "temporary"),
        (1200, None, NextStep.RETRY_LATER, "temporary"),
        (2018300, None, NextStep.RETRY_LATER, "other_app"),
        (10, 2018300, NextStep.RETRY_LATER, "other_app"),
        (10, 2018321, NextStep.RETRY_LATER, "other_app"),
        (1, 1357046, NextStep.IN_DOUBT, "bad_answer"),
        (4, None, NextStep.SLOW_DOWN, "rate_limit"),
        (17, None, NextStep.SLOW_DOWN, "rate_limit"),
        (32, None, NextStep.SLOW_DOWN, "rate_limit"),
        (613, None, NextStep.SLOW_DOWN, "rate_limit"),
        (613, 2534040, NextStep.SLOW_DOWN, "rate_limit"),
        (80001, None, NextStep.SLOW_DOWN, "rate_limit"),
        (80006, None, NextStep.SLOW_DOWN, "rate_limit"),
        (613, 2018338, NextStep.END_DELIVERY, "abuse_warning"),
        (613, 1893016, NextStep.END_DELIVERY, "request_limit"),
        (551, 1545041, NextStep.END_DELIVERY, "blocked"),
        (100, 2018001, NextStep.END_DELIVERY, "gone"),
        (200, 1545041, NextStep.END_DELIVERY, "unavailable"),
        (10, 2018108, NextStep.END_DELIVERY, "unavailable"),
        (10, 2018278, NextStep.END_DELIVERY, "window_closed"),
        (100, 2018047, NextStep.END_DELIVERY, "content"),
        (105, None, NextStep.END_DELIVERY, "content"),
        (100, None, NextStep.TOKEN_REFUSED, "token_refused"),
        (100, 424242, NextStep.TOKEN_REFUSED, "token_refused"),
        (190, None, NextStep.STOP_FANPAGE, "token_invalid"),
        (190, 463, NextStep.STOP_FANPAGE, "token_invalid"),
        (190, 424242, NextStep.STOP_FANPAGE, "token_invalid"),
        (10, None, NextStep.STOP_FANPAGE, "permission"),
        (10, 1893063, NextStep.STOP_FANPAGE, "restricted"),
        (200, 2018027, NextStep.STOP_FANPAGE, "permission"),
        (102, None, NextStep.STOP_FANPAGE, "token_invalid"),
        (102, 459, NextStep.STOP_FANPAGE, "token_invalid"),
        (104, None, NextStep.STOP_FANPAGE, "token_invalid"),
        (2500, None, NextStep.STOP_FANPAGE, "token_invalid"),
        (424242, 460, NextStep.STOP_FANPAGE, "token_invalid"),
        (100, 463, NextStep.STOP_FANPAGE, "token_invalid"),
        (10904, None, NextStep.STOP_FANPAGE, "restricted"),
        (368, None, NextStep.STOP_FANPAGE, "restricted"),
        (3, None, NextStep.STOP_FANPAGE, "permission"),
        (2022, None, NextStep.STOP_FANPAGE, "restricted"),
        (18, None, NextStep.SLOW_DOWN, "rate_limit"),
        (341, None, NextStep.SLOW_DOWN, "rate_limit"),
        (80002, None, NextStep.SLOW_DOWN, "rate_limit"),
        (80014, None, NextStep.SLOW_DOWN, "rate_limit"),
        ("190", None, NextStep.STOP_FANPAGE, "token_invalid"),
    ],
)
def test_a_refused_token_send_leads_to_the_right_next_step(code, subcode, step, reason):
    assert answer(400, code, subcode) == (step, reason)


@pytest.mark.parametrize(
    ("code", "subcode", "by_token", "person_step", "reason"),
    [
        (230, None, True, NextStep.END_DELIVERY, "blocked"),
        ("230", None, True, NextStep.END_DELIVERY, "blocked"),
        (551, None, True, NextStep.END_DELIVERY, "blocked"),
        (551, 424242, True, NextStep.END_DELIVERY, "blocked"),
        (200, None, True, NextStep.END_DELIVERY, "unavailable"),
        (200, 424242, True, NextStep.END_DELIVERY, "set_aside"),
        (210, None, True, NextStep.END_DELIVERY, "set_aside"),
        (283, None, True, NextStep.END_DELIVERY, "set_aside"),
        (299, None, True, NextStep.END_DELIVERY, "set_aside"),
        (10, 424242, True, NextStep.END_DELIVERY, "set_aside"),
        (2, None, True, NextStep.RETRY_LATER, "temporary"),
        (1, 99, True, NextStep.RETRY_LATER, "temporary"),
        (100, 33, True, NextStep.TOKEN_REFUSED, "token_refused"),
        (100, 33, False, NextStep.END_DELIVERY, "content"),
        (424242, None, True, NextStep.END_DELIVERY, "unknown_error"),
        (300, None, True, NextStep.END_DELIVERY, "unknown_error"),
        (199, None, True, NextStep.END_DELIVERY, "unknown_error"),
        (None, None, True, NextStep.END_DELIVERY, "unknown_error"),
        (True, None, True, NextStep.END_DELIVERY, "unknown_error"),
    ],
)
def test_what_may_be_said_of_a_person_or_of_the_account_is_asked_about(
    code, subcode, by_token, person_step, reason
):
    error = {"message": "words may change", "code": code, "error_subcode": subcode}
    failure = classify(400, error, by_token=by_token)
    assert failure.step == NextStep.PERSON_OR_ACCOUNT
    assert (failure.person_step, failure.reason) == (person_step, reason)


def test_a_bad_parameter_by_psid_is_about_the_content():
    assert answer(400, 100, by_token=False) == (NextStep.END_DELIVERY, "content")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_the_code_counts_and_not_which_refusing_status_carries_it(status):
    assert answer(status, 190) == (NextStep.STOP_FANPAGE, "token_invalid")


def test_too_many_requests_slows_down_unless_the_code_knows_better():
    assert answer(429, 424242) == (NextStep.SLOW_DOWN, "rate_limit")
    assert answer(429, 100) == (NextStep.SLOW_DOWN, "rate_limit")
    assert answer(429, 1, 1357046) == (NextStep.IN_DOUBT, "bad_answer")


@given(
    status=st.integers(500, 599),
    error=st.none() | st.fixed_dictionaries({"code": st.integers(), "error_subcode": st.integers()}),
    by_token=st.booleans(),
)
def test_a_server_error_is_in_doubt_whatever_it_says(status, error, by_token):
    assert classify(status, error, by_token=by_token).step == NextStep.IN_DOUBT


@given(
    row=st.sampled_from(ERROR_RULES),
    status=st.integers(400, 499),
    words=st.text(),
)
def test_texts_never_decide(row, status, words):
    error = {"code": row.code, "error_subcode": None if row.subcode == ANY else row.subcode}
    plain = classify(status, error, by_token=True)
    wordy = classify(status, error | {"message": words}, by_token=True)
    assert (plain.step, plain.reason) == (wordy.step, wordy.reason)


@given(
    status=st.none() | st.integers(100, 599),
    error=st.none()
    | st.dictionaries(
        st.sampled_from(["code", "error_subcode", "message", "error_data"]),
        st.none() | st.integers() | st.text() | st.lists(st.integers()) | st.floats(),
    ),
)
def test_any_answer_at_all_is_classified_and_its_detail_can_be_kept(status, error):
    failure = classify(status, error, by_token=True)
    assert failure.reason in SENTENCES
    assert len(failure.detail) <= 500
    failure.detail.encode()
    assert "\0" not in failure.detail


def test_no_two_rows_speak_about_the_same_codes():
    assert len({(row.code, row.subcode) for row in ERROR_RULES}) == len(ERROR_RULES)
    assert all(row.source for row in ERROR_RULES)
    assert all((row.person_step is None) == (row.step != NextStep.PERSON_OR_ACCOUNT) for row in ERROR_RULES)


def test_every_reason_has_a_sentence_and_strangers_read_as_unknown():
    assert {row.reason for row in ERROR_RULES} <= set(SENTENCES)
    assert describe("never heard of") == describe("unknown_error")


def test_detail_is_trimmed_after_the_secrets_are_gone():
    secret = "one-time-token-xyz"
    detail = without_secrets("a" * 492 + secret, [secret])
    assert "one-time" not in detail
    assert len(detail) == 500


@given(secret=st.text(min_size=4, max_size=40), around=st.sampled_from(["%s", '{"a":"%s"}', "x=%s&y=1"]))
def test_a_known_secret_never_survives(secret, around):
    cleaned = without_secrets(around % secret, [secret])
    if secret not in "[removed]" and secret not in around:
        assert secret not in cleaned


@pytest.mark.parametrize(
    "text",
    [
        '{"access_token":"zxcvbnm1"}',
        "access_token=zxcvbnm1&x=1",
        "Authorization: Bearer zxcvbnm1",
        "recipient=%7B%22one_time_notif_token%22%3A%22zxcvbnm1%22%7D",
        r"{\"one_time_notif_token\": \"zxcvbnm1\"}",
        "appsecret_proof: zxcvbnm1",
    ],
)
def test_what_looks_like_a_secret_goes_even_when_nobody_named_it(text):
    assert "zxcvbnm1" not in without_secrets(text)


def test_a_number_no_column_takes_is_left_out_and_decides_as_it_is() -> None:
    error = {"message": "odd", "code": 200, "error_subcode": 2**63}
    odd = classify(2**31, error, by_token=True)
    assert (odd.step, odd.status, odd.code, odd.subcode) == (NextStep.IN_DOUBT, None, 200, None)
    assert classify(400, error, by_token=True).step == NextStep.PERSON_OR_ACCOUNT  # no stop
    assert classify(400, {"code": 10**19}, by_token=True).code is None
    assert classify(400, {"code": 2**63 - 1}, by_token=True).code == 2**63 - 1


@given(st.lists(st.text(min_size=4, max_size=8), min_size=1, max_size=3), st.data())
def test_a_quick_look_overlooks_no_spelling_of_a_secret(secrets, data):
    for secret in secrets:
        spelling = data.draw(st.sampled_from(spellings_of(secret)))
        assert "[removed]" in without_secrets(f"<{spelling}>", secrets)
