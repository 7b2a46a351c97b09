"""Every sentence of the panel exists in Vietnamese, with the same places to fill in."""

import string
from functools import lru_cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from pages.components.texts import LOCALES

ROOT = Path(__file__).resolve().parents[2]
KEYWORDS = {"_": None, "N_": None, "n_": (1, 2)}
FILES = sorted([*ROOT.glob("pages/**/*.py"), *ROOT.glob("core/**/*.py")])
PO_FILES = sorted(LOCALES.glob("vi/*.po"))


def fields(text: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


@lru_cache
def translated() -> dict[str, str]:
    found = {}
    for file in PO_FILES:
        for entry in read_po(file.open("rb")):
            if entry.id and not entry.fuzzy:
                source = entry.id[0] if isinstance(entry.id, tuple | list) else entry.id
                text = entry.string[-1] if isinstance(entry.string, tuple | list) else entry.string
                found[source] = text
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_sentence_has_a_vietnamese_translation(file):
    missing = []
    for line, message, _comments, _context in extract_from_file("python", str(file), keywords=KEYWORDS):
        source = message[0] if isinstance(message, tuple) else message
        if source and not translated().get(source):
            missing.append(f"{file.name}:{line}: {source}")
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("file", PO_FILES, ids=lambda file: file.name)
def test_a_translation_fills_in_nothing_that_its_sentence_does_not_give(file):
    wrong = []
    for entry in read_po(file.open("rb")):
        sources = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
        strings = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
        allowed = set().union(*map(fields, sources))
        wrong += [f"{entry.id}: {text}" for text in strings if not fields(text) <= allowed]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", PO_FILES, ids=lambda file: file.name)
def test_a_catalogue_is_plain_utf_8_without_doubtful_entries(file):
    catalogue = read_po(file.open("rb"), abort_invalid=True)
    assert not [entry.id for entry in catalogue if entry.fuzzy and entry.id]
    file.read_bytes().decode("utf-8")
