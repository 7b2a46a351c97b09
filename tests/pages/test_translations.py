"""Every sentence exists in Vietnamese, and no other; what any catalogue says fits its sentence."""

import ast
import string
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from core.text.catalogues import LOCALES

ROOT = Path(__file__).resolve().parents[2]
MARKS = {"_": 1, "N_": 1, "n_": 2}  # each with the number of sentences that it is given
FILES = sorted([*ROOT.glob("pages/**/*.py"), *ROOT.glob("core/**/*.py"), *ROOT.glob("webhook_server/*.py")])
PO_FILES = sorted(LOCALES.glob("*/*.po"))


def fields(text: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


Sentence = str | tuple[str, ...]  # a tuple has a form for one and another for many


@lru_cache
def entries(code: str) -> list[tuple[Sentence, str]]:
    """Every translated sentence of a language, beside the file that holds it."""
    return [
        (tuple(entry.id) if isinstance(entry.id, list | tuple) else entry.id, file.name)
        for file in sorted(LOCALES.glob(f"{code}/*.po"))
        for entry in read_po(BytesIO(file.read_bytes()))
        if entry.id and not entry.fuzzy and all([entry.string] if entry.string == "" else entry.string)
    ]


def sentences(source: str) -> Iterator[tuple[int, Sentence]]:
    """Every marked sentence with its line. Read from the syntax tree, which shows f-strings inside, too."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = [arg.value for arg in call.args[: MARKS.get(called, 0)] if isinstance(arg, ast.Constant)]
        if given:
            yield call.lineno, given[0] if len(given) == 1 else tuple(given)


def test_a_sentence_inside_an_f_string_is_seen():
    source = """f'<b>{escape(_("EEEE, d MMMM"))}</b> {texts.n_("{n} more", "{n} others", 3)}'"""
    assert {sentence for _line, sentence in sentences(source)} == {
        "EEEE, d MMMM",
        ("{n} more", "{n} others"),
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_sentence_has_a_vietnamese_translation(file):
    known = {sentence for sentence, _file in entries("vi")}
    missing = [
        f"{file.name}:{line}: {sentence}"
        for line, sentence in sentences(file.read_text(encoding="utf-8"))
        if sentence and sentence not in known
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("code", sorted({file.parent.name for file in PO_FILES}))
def test_no_catalogue_keeps_a_sentence_that_nothing_says_any_more(code):
    said = {sentence for file in FILES for _line, sentence in sentences(file.read_text(encoding="utf-8"))}
    assert [(file, sentence) for sentence, file in entries(code) if sentence not in said] == []


@pytest.mark.parametrize("code", sorted({file.parent.name for file in PO_FILES}))
def test_a_sentence_is_translated_in_one_place(code):
    firsts = [sentence[0] if isinstance(sentence, tuple) else sentence for sentence, _file in entries(code)]
    assert [sentence for sentence, times in Counter(firsts).items() if times > 1] == []


@pytest.mark.parametrize("file", PO_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_translation_fills_in_what_its_sentence_gives(file):
    wrong = []
    for entry in read_po(BytesIO(file.read_bytes())):
        sources = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
        strings = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
        allowed = set().union(*map(fields, sources))
        wrong += [f"{entry.id}: {text}" for text in strings if not fields(text) <= allowed]
        if strings[-1] and fields(strings[-1]) != fields(sources[-1]):  # the last one is said of many
            wrong.append(f"{entry.id}: {strings[-1]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", PO_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_catalogue_is_plain_utf_8_without_doubtful_entries(file):
    catalogue = read_po(BytesIO(file.read_bytes()), abort_invalid=True)
    assert not [entry.id for entry in catalogue if entry.fuzzy and entry.id]
    file.read_bytes().decode("utf-8")
