"""Hashes, and a check that takes as long for an unknown name as for a known one."""

import bcrypt
import pytest

from core.accounts import passwords


def test_a_hash_is_bcrypt_of_twelve_rounds_and_fits_only_its_password():
    kept = passwords.hash_password("hoa mai nở sớm")
    assert kept.startswith("$2b$12$")
    assert passwords.password_matches("hoa mai nở sớm", kept)
    assert not passwords.password_matches("hoa mai no som", kept)


@pytest.mark.parametrize("given", ["", "a" * 73, "ạ" * 40, "\ud800", "nul\0inside"])
def test_any_typed_text_is_simply_wrong(quick_hashes, given):
    assert not passwords.password_matches(given, passwords.hash_password("correct-horse-battery"))


@pytest.mark.parametrize(
    ("given", "known"), [("right", True), ("wrong", True), ("right", False), ("x" * 99, True)]
)
def test_every_check_does_the_same_work(quick_hashes, monkeypatch, given, known):
    kept = passwords.hash_password("right")
    passwords.placeholder_hash()
    checked = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *both: checked.append(both) or real(*both))
    passwords.password_matches(given, kept if known else None)
    assert len(checked) == 1


def test_a_fresh_password_for_a_short_name_does_not_hold_it_by_chance(monkeypatch):
    drawn = iter(["k7vy-x2ra-9shd-fq4w", "k7pm-x2ra-9shd-fq4w", "never-drawn"])
    monkeypatch.setattr(passwords, "fresh_password", lambda: next(drawn))
    assert passwords.fresh_password_for("vy") == "k7pm-x2ra-9shd-fq4w"
