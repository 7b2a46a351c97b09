"""The invented shop of the demo: its topics, messages, broadcasts and customers. Nobody here is real."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from core.conversation.blocks.buttons import Buttons
from core.conversation.blocks.otnr import Otnr
from core.conversation.blocks.text import Text
from core.conversation.drafts import BlockDraft, EntryDraft, KeywordMatch
from core.conversation.entry_kinds.names import EntryKind
from core.messenger import message_limits
from core.simulator.entities import Habit

PAGE_ID = "106912345678901"
PAGE_NAME = "Tiệm Mai Hoa"
STAFF = "Thu Hà"
SHOP_LINK = "https://maihoa.example"
RATE = 2  # messages per second: slow enough to watch, pause and resume


@dataclass(frozen=True)
class Story:
    """One topic with the message that asks for it."""

    topic: str
    description: str
    message: str
    says: str
    promise: str
    thanks: str
    keywords: tuple[str, ...]
    ref: str
    button: str  # on the welcome


NEW_PRODUCTS = Story(
    topic="KH nhận khuyến mãi SP mới",
    description="Báo một lần khi có khuyến mãi cho sản phẩm mới: son, kem chống nắng, nước hoa khô.",
    message="Sản phẩm mới",
    says="Mỗi tháng Mai Hoa ra mắt một dòng mỹ phẩm thuần chay mới. Sắp tới là son lì Mai Đỏ, 6 màu, "
    "không chì. Bạn có muốn tiệm nhắn khi có khuyến mãi ra mắt?",
    promise="Báo tôi khi có khuyến mãi sản phẩm mới",
    thanks="Cảm ơn {{first_name|bạn}}! Khi có khuyến mãi sản phẩm mới, tiệm sẽ nhắn bạn đúng một lần.",
    keywords=("khuyến mãi", "mỹ phẩm", "son"),
    ref="san_pham_moi",
    button="Sản phẩm mới",
)
PEONIES = Story(
    topic="Báo khi hoa mẫu đơn về",
    description="Mẫu đơn chỉ về vài đợt mỗi mùa; báo một lần ngay khi có hoa.",
    message="Hoa mẫu đơn",
    says="Mẫu đơn Hà Lan mỗi đợt chỉ về vài chục cành nên hết rất nhanh. Bạn có muốn tiệm nhắn ngay khi "
    "hoa về không?",
    promise="Báo tôi khi hoa mẫu đơn về tiệm",
    thanks="Tiệm đã ghi tên {{first_name|bạn}}. Hoa về là tiệm nhắn bạn ngay nhé!",
    keywords=("mẫu đơn", "peony"),
    ref="mau_don",
    button="Hoa mẫu đơn",
)
TET = Story(
    topic="Nhắc đặt hoa Tết",
    description="Mở sổ nhận đặt đào, mai, lan hồ điệp; nhắc một lần trước khi kín lịch giao.",
    message="Hoa Tết",
    says="Đào Nhật Tân, mai vàng và lan hồ điệp: tiệm mở sổ đặt trước Tết khoảng hai tháng và thường kín "
    "lịch giao rất sớm.",
    promise="Nhắc tôi khi tiệm mở sổ đặt hoa Tết",
    thanks="Vâng ạ, khi mở sổ đặt hoa Tết tiệm sẽ nhắn {{first_name|bạn}} trước tiên.",
    keywords=("hoa tết", "lan hồ điệp", "cành đào"),
    ref="hoa_tet",
    button="Hoa Tết",
)
STORIES = (NEW_PRODUCTS, PEONIES, TET)

WELCOME = "Lời chào"
_HELLO = (
    "Chào {{first_name}}, tiệm Mai Hoa đây ạ! Hoa tươi về mỗi sáng, mỹ phẩm thuần chay giao trong ngày. "
    "Bạn đang quan tâm điều gì?"
)

FINISHED = "Mẫu đơn về đợt đầu"
ON_ITS_WAY = "Ra mắt son lì Mai Đỏ"
SCHEDULED = "Mở sổ đặt hoa Tết"
CONTENTS: dict[str, dict[str, Any]] = {
    FINISHED: {
        "text": "{{first_name}} ơi, mẫu đơn Hà Lan vừa về tiệm sáng nay: hồng phấn, trắng và đỏ rượu. "
        "Tiệm giữ hoa cho bạn đến 20 giờ hôm nay nhé.",
        "button": "Xem hoa hôm nay",
        "path": "mau-don",
    },
    ON_ITS_WAY: {
        "text": "{{first_name}} ơi, son lì Mai Đỏ đã lên kệ! Cả 6 màu giảm 20% đến hết Chủ nhật, đúng như "
        "bạn đã nhờ tiệm báo.",
        "button": "Xem 6 màu son",
        "path": "son-mai-do",
    },
    SCHEDULED: {
        "text": "{{first_name}} ơi, sổ đặt hoa Tết đã mở: đào Nhật Tân, mai vàng, lan hồ điệp. Bạn chọn "
        "ngày giao sớm để tiệm giữ lịch nhé.",
        "button": "Chọn hoa, ngày giao",
        "path": "hoa-tet",
    },
}


def broadcast_content(name: str) -> dict[str, Any]:
    """The content of one of the demo's broadcasts."""
    told = CONTENTS[name]
    button = {
        "title": told["button"][: message_limits.BUTTON_TITLE_LIMIT],
        "url": f"{SHOP_LINK}/{told['path']}",
    }
    return {"kind": Buttons.name, "text": told["text"], "fallback": "Bạn", "buttons": [button]}


def asking_blocks(story: Story, topic_id: int) -> list[BlockDraft]:
    """The blocks of a message that asks about a story's topic."""
    asks = {"title": story.promise, "after": story.thanks}
    says = BlockDraft(Text.name, {"text": story.says, "fallback": ""})
    return [says, BlockDraft(Otnr.name, asks, topic_id)]


def entries(story: Story) -> list[EntryDraft]:
    """The entry points of a story's message."""
    words = [EntryDraft(EntryKind.KEYWORD, KeywordMatch.CONTAINS, word) for word in story.keywords]
    return [*words, EntryDraft(EntryKind.REF, None, story.ref)]


def welcome_blocks(message_ids: dict[str, int]) -> list[BlockDraft]:
    """The blocks of the welcome, with a button to each story's message."""
    buttons = [{"title": each.button, "message_id": message_ids[each.message]} for each in STORIES]
    return [BlockDraft(Buttons.name, {"text": _HELLO, "fallback": "bạn", "buttons": buttons})]


# People

QUIET = 360  # who make the figures
_FAMILIES = (
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ",
    "Ngô", "Dương", "Lý", "Đinh", "Mai", "Trịnh", "Cao",
)  # fmt: skip

_MIDDLES = (
    "Thị", "Ngọc", "Thu", "Thanh", "Minh", "Hồng", "Kim", "Bảo", "Phương", "Quỳnh",
)  # fmt: skip
_GIVEN = (
    "Lan", "Hương", "Linh", "Trang", "Mai", "Thảo", "Hà", "Ngân", "Vy", "My", "Yến", "Chi", "Nhung",
    "Hạnh", "Dung", "Thủy", "Oanh", "Quyên", "Trâm", "Uyên", "Diệp", "Tuyết", "Loan", "Giang", "Hiền",
    "Thư", "Nhi", "Khánh", "Hải", "Nam", "Tuấn", "Dũng", "Long", "Phúc", "Quân", "Sơn", "Đức", "Hiếu",
)  # fmt: skip
_HABITS = [Habit.TAPS_AT_ONCE] * 26 + [Habit.TAPS_LATER] * 16 + [Habit.NEVER_TAPS] * 10 + [Habit.BLOCKS] * 4
YOURS = (("Minh Anh", "Nguyễn"), ("Gia Hân", "Trần"), ("Đức Anh", "Lê"), ("Sophie", "Martin"))


def people() -> list[dict[str, Any]]:
    """The people of the demo, the same on every machine. Those to be played by hand come first."""
    chance = random.Random(20261122)
    yours = [{"first_name": first, "last_name": last, "habit": Habit.PASSIVE} for first, last in YOURS]
    yours[-1]["locale"] = "en_US"
    lively = [{**_name(chance), "habit": habit} for habit in _HABITS]
    quiet = [
        {**_name(chance), "habit": Habit.NEVER_TAPS if chance.random() < 0.68 else Habit.IGNORES}
        for _ in range(QUIET)
    ]
    return [*yours, *lively, *quiet]


def _name(chance: random.Random) -> dict[str, str]:
    return {
        "first_name": chance.choice(_GIVEN),
        "last_name": f"{chance.choice(_FAMILIES)} {chance.choice(_MIDDLES)}",
    }
