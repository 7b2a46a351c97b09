"""What docs/scale-out shows can be run: commands, modules, settings and links in it exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from core.__main__ import app
from core.settings import Settings

HOME = Path(__file__).resolve().parents[2]
FOLDER = HOME / "docs/scale-out"
UNITS = sorted(FOLDER.glob("*.service"))
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
KNOWN = {f"OTN_{name.upper()}" for name in Settings.model_fields}


def commands() -> list[str]:
    started = re.compile(r"^ExecStart=\S+/python (-m .+)$", re.MULTILINE)
    found = [line for unit in UNITS for line in started.findall(unit.read_text("utf-8"))]
    services = COMPOSE["services"].values()
    found += [" ".join(each["command"][1:]) for each in services if each.get("command", [""])[0] == "python"]
    return sorted(set(found))


@pytest.mark.parametrize("command", commands())
def test_a_command_exists(command: str) -> None:
    _, module, *rest = command.split()
    if module == "core":
        assert CliRunner().invoke(app, [rest[0], "--help"]).exit_code == 0
    elif module == "streamlit":
        assert rest[0] == "run"
        assert (HOME / rest[1]).is_file()
    else:
        assert (HOME / module / "__main__.py").is_file()


def test_every_part_is_there_in_both_forms() -> None:
    started = {" ".join(command.split()[:3]) for command in commands()}
    assert started == {
        "-m core worker",
        "-m core migrate",
        "-m webhook_server",
        "-m streamlit run",
    }


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_a_setting_exists(file: Path) -> None:
    assert set(re.findall(r"OTN_[A-Z_]+", file.read_text("utf-8"))) <= KNOWN


def test_a_service_waits_for_services_that_exist() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (FOLDER / source).exists(), volume
    proxied = set(re.findall(r"([a-z0-9-]+):\d{4}", (FOLDER / "Caddyfile").read_text("utf-8")))
    assert proxied <= set(services)


def test_every_service_of_ours_sees_the_same_pictures() -> None:
    """They outlive a container, and what the panel writes is read by the others."""
    ours = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "notify-once"}
    assert len(ours) > 3
    for name, each in ours.items():
        assert "data:/data" in each.get("volumes", []), name
    assert "OTN_DATA_DIR=/data" in (FOLDER / "Dockerfile").read_text("utf-8")


def test_the_image_leaves_secrets_and_data_out() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert {".env", "data", ".git", ".venv"} <= set(ignored)


def test_links_lead_somewhere() -> None:
    text = (HOME / "docs/scale-out.md").read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (HOME / "docs" / link).exists(), link
    assert "(docs/scale-out.md)" in (HOME / "README.md").read_text("utf-8")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_data_of_a_service_is_its_own(unit: Path) -> None:
    lines = unit.read_text("utf-8").splitlines()
    assert {"StateDirectory=notify-once", "StateDirectoryMode=0700", "UMask=0077"} <= set(lines)


def test_the_examples_believe_single_proxies_only() -> None:
    """Docker's own networks are the exception: only the proxy is reached from outside there."""
    (said,) = re.findall(
        r"^OTN_TRUSTED_PROXIES=(.*)$", (FOLDER / "notify-once.env.example").read_text(), re.M
    )
    assert "/" not in said
    assert "FORWARDED_ALLOW_IPS" not in (FOLDER / "compose.yaml").read_text("utf-8")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With a program that exists here in place of ours."""
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/notify-once/.venv/bin/python", "/bin/true")
        name = unit.name.replace("@.", "@8000.")
        (tmp_path / name).write_text(text, "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "notify-once" in line]
    assert (done.returncode, ours) == (0, [])
