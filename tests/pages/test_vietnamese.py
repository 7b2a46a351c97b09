"""The Vietnamese of the panel is of one hand: one spelling, one word for a thing."""

import re
import unicodedata

import pytest

from tests.pages.test_translations import PO_FILES

VIETNAMESE = [file for file in PO_FILES if file.parent.name == "vi"]
# Of "oa", "oe" and "uy" at the end of a syllable the first letter bears the mark: "khóa", "hủy", "quý" apart.
_SECOND_BEARS_IT = re.compile(r"(?<![qQ])(?:[oO][àáảãạèéẻẽẹ]|[uU][ỳýỷỹỵ])(?![^\W\d_])")


@pytest.mark.parametrize("file", VIETNAMESE, ids=lambda file: file.name)
def test_a_tone_mark_stands_on_the_first_vowel(file):
    text = unicodedata.normalize("NFC", file.read_text("utf-8")).lower()
    lines = [line for line in text.splitlines() if _SECOND_BEARS_IT.search(line)]
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize(
    ("written", "wrong"), [("khoá", True), ("khóa", False), ("khoản", False), ("quý", False)]
)
def test_the_place_of_a_mark_is_known(written, wrong):
    assert bool(_SECOND_BEARS_IT.search(written)) is wrong


# What was said in two ways, and the way that stays beside it.
_GONE = {
    "khán giả": "người nhận",
    "lỡ hẹn": "quá giờ gửi",
    "bộ phận gửi tin": "bộ gửi tin",
    "nhân đôi": "nhân bản",
    "niêm phong": "mã hóa",
    "hỏi lại họ": "mời đăng ký lại",
    "liên hệ được": "liên lạc được",
    "nhóm của bạn": "nhân viên",
    "nội bộ thấy": "nhân viên",
}


@pytest.mark.parametrize("word", _GONE)
def test_a_thing_has_one_word(word):
    found = [
        f"{file.name}: {line}"
        for file in VIETNAMESE
        for line in file.read_text("utf-8").splitlines()
        if word in line.lower()
    ]
    assert not found, f"say {_GONE[word]}: " + "\n".join(found)
