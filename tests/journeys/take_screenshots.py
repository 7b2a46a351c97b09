"""Takes the pictures of README and guide from the real demo: `python -m tests.journeys.take_screenshots`."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.journeys.browser import Panel, browser_page
from tests.processes import HOME, free_port, process, until

PICTURES = (  # file, path, language
    ("overview.vi", "/overview", "vi"),
    ("message.vi", "/message?id=3", "vi"),
    ("phone.vi", "/phone", "vi"),
    ("broadcast.en", "/broadcast?id=1", "en"),
    ("opt-ins.en", "/opt_ins", "en"),
)
LANGUAGES = ("vi", "en")
GUIDE = HOME / "docs" / "guide" / "images"


def _at(path: str, key: str = "") -> Callable[[Panel], None]:
    """Opens a page and, with a key, scrolls to what has it."""

    def go(panel: Panel) -> None:
        panel.open(path)
        if key:
            panel.keyed(key).first.evaluate("element => element.scrollIntoView({block: 'start'})")

    return go


def _check(panel: Panel) -> None:
    """The last step of a draft that says something."""
    panel.open("/new_broadcast?topic=3")
    panel.click("broadcast_begin")
    panel.write_in(
        "block_",
        "_text",
        "Tiệm đã mở sổ nhận đặt hoa Tết: đào, mai, lan hồ điệp. Nhắn tên hoa để giữ chỗ nhé!",
    )
    panel.click("step_check")
    panel.keyed("check_rows").wait_for()
    panel.keyed("draft_header").evaluate("element => element.scrollIntoView({block: 'end'})")


GUIDE_PICTURES: dict[str, Callable[[Panel], None]] = {
    "overview": _at("/overview"),
    "set-up": _at("/setup"),
    "topics": _at("/topics"),
    "message": _at("/message?id=3"),
    "entry-points": _at("/entry_points"),
    "opt-ins": _at("/opt_ins"),
    "broadcast-who": _at("/new_broadcast?topic=3"),
    "broadcast-check": _check,
    "results": _at("/broadcast?id=1"),
    "asking-again": _at("/topics?id=1", "topic_asking_card"),
    "health": _at("/health"),
}


def _speak(panel: Panel, language: str) -> None:
    """In that language from now on; the menu is left as it was found, at its top."""
    panel.speak(language)
    panel.page.get_by_test_id("stSidebarContent").evaluate("element => element.scrollTo(0, 0)")


def _take_guide(panel: Panel) -> None:
    """As WebP, a tenth of a PNG's size."""
    for language in LANGUAGES:
        panel.open("/overview")
        _speak(panel, language)
        for name, go in GUIDE_PICTURES.items():
            go(panel)
            panel.page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
            panel.page.wait_for_timeout(1500)
            taken = Image.open(io.BytesIO(panel.page.screenshot()))
            taken.convert("RGB").save(GUIDE / f"{name}.{language}.webp", quality=70, method=6)


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    port = free_port()
    settings = {
        "OTN_DATA_DIR": str(folder),
        "OTN_DATABASE_URL": f"sqlite:///{folder}/otn.db",
        "OTN_PANEL_PORT": str(port),
        "OTN_WEBHOOK_PORT": str(free_port()),
        "OTN_SIMULATOR_PORT": str(free_port()),
    }
    log = folder / "run.log"
    with process("-m", "core", "run", log=log, **settings):
        until(lambda: "Ctrl-C" in log.read_text(), seconds=120, what="the demo is up")
        password = re.findall(r"the password (\S+)", log.read_text())[0]
        with browser_page(width=1280, height=820) as page:
            panel = Panel(page, f"http://127.0.0.1:{port}")
            panel.sign_in("admin", password)
            for name, path, language in PICTURES:
                panel.open(path)
                _speak(panel, language)
                page.wait_for_timeout(1500)  # pictures and fonts
                page.screenshot(path=HOME / "docs" / "images" / f"{name}.png")
            _take_guide(panel)


if __name__ == "__main__":
    main()
