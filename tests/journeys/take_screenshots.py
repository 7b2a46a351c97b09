"""Takes the README's pictures from the real demo: `python -m tests.journeys.take_screenshots`."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tests.journeys.browser import Panel, browser_page
from tests.processes import HOME, free_port, process, until

PICTURES = (  # file, path, language
    ("overview.vi", "/overview", "vi"),
    ("message.vi", "/message?id=2", "vi"),
    ("phone.vi", "/phone", "vi"),
    ("broadcast.en", "/broadcast?id=1", "en"),
    ("opt-ins.en", "/opt_ins", "en"),
)


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
                panel.speak(language)
                page.wait_for_timeout(1500)  # pictures and fonts
                page.screenshot(path=HOME / "docs" / "images" / f"{name}.png")


if __name__ == "__main__":
    main()
