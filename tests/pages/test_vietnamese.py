"""The Vietnamese of the panel is of one hand: one spelling, one word for a thing."""

import re
import unicodedata
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

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


# What was said in two ways, as a pattern, and the way that stays.
_GONE = {
    "khán giả": "người nhận",
    "lỡ hẹn": "quá giờ gửi",
    "bộ phận gửi tin": "bộ gửi tin",
    r"(?<!core )\bworker\b": "bộ gửi tin",
    "nhân đôi": "nhân bản",
    "niêm phong": "mã hóa",
    "mã bí mật": "khóa bí mật",
    "hỏi lại họ": "mời đăng ký lại",
    "lượt mời": "lời mời",
    "liên hệ được": "liên lạc được",
    "nhóm (của )?bạn|đồng nghiệp": "nhân viên",
    "nội bộ thấy": "nhân viên",
    r"(?<!chat)\bbot\b": "chatbot",
    "hội thoại": "cuộc trò chuyện",
    "tin hàng loạt": "tin nhắn hàng loạt",
    "phần gửi (trước|đầu)|đợt gửi thử": "đợt đầu",
    "khởi chạy": "gửi",
    "gắn thẻ": "gắn nhãn",
    "lượt nhấn|chạm vào": "lượt bấm",
    "bảng điều khiển(?! của ứng dụng)": "trang quản trị",
    "(?<!→ )(?<!“)thông báo một lần": "thông báo 1 lần",  # except in the way through Facebook's menus
    r"\b(quá|tròn|trong|sau|vòng) một năm": "1 năm",
    "căn cứ": "bằng chứng",
    "(?<!này trong )phần cài đặt": "mục Cài đặt",
}
_FACEBOOKS_OWN = "Thông báo một lần"  # what its menu says
GUIDE = sorted((PO_FILES[0].parents[3] / "docs/guide/vi").glob("*.md"))


def _said() -> list[tuple[str, str]]:
    """What people read in Vietnamese, each beside the file that holds it."""
    said = [
        (file.name, text)
        for file in VIETNAMESE
        for entry in read_po(BytesIO(file.read_bytes()))
        for text in ([entry.string] if isinstance(entry.string, str) else entry.string)
        if entry.id and text != _FACEBOOKS_OWN
    ]
    return said + [(file.name, line) for file in GUIDE for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("pattern", _GONE)
def test_a_thing_has_one_word(pattern: str) -> None:
    found = [f"{file}: {text}" for file, text in _said() if re.search(pattern, text, re.IGNORECASE)]
    assert not found, f"say {_GONE[pattern]}: " + "\n".join(found)
