"""Words stand out from what is behind them by 4.5 to 1 (WCAG AA), in light and in dark."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
THEME = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))["theme"]
STYLE = (ROOT / "pages/shell/style.css").read_text("utf-8")
INKS = re.findall(r"(--otn-ink|--otn-link): light-dark\((#\w{6}), (#\w{6})\)", STYLE)
QUIET = int(re.findall(r"--otn-quiet: color-mix\(in srgb, currentColor (\d+)%", STYLE)[0]) / 100
MODES = ["light", "dark"]


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def mixed(front: str, behind: str, share: float) -> str:
    parts = zip(channels(front), channels(behind), strict=True)
    return "#" + "".join(f"{round((a * share + b * (1 - share)) * 255):02x}" for a, b in parts)


def brightness(colour: str) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels(colour)
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", MODES)
def test_text_links_and_quiet_words_can_be_read(mode):
    theme = THEME[mode]
    for behind in (theme["backgroundColor"], theme["sidebar"]["backgroundColor"]):
        assert contrast(theme["textColor"], behind) >= 4.5
        assert contrast(theme["linkColor"], behind) >= 4.5
        assert contrast(mixed(theme["textColor"], behind, QUIET), behind) >= 4.5


@pytest.mark.parametrize("mode", MODES)
def test_the_word_on_the_blue_button_can_be_read(mode):
    assert contrast("#ffffff", THEME[mode]["primaryColor"]) >= 4.5


@pytest.mark.parametrize("mode", MODES)
def test_the_colours_of_states_can_be_read_on_the_page(mode):
    assert len(INKS) >= 6
    for _name, light, dark in INKS:
        ink = light if mode == "light" else dark
        assert contrast(ink, THEME[mode]["backgroundColor"]) >= 4.5, ink
