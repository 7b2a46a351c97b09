"""The files around the code agree: pyproject, requirements, changelog, licence, hooks and workflow."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

HOME = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOW = yaml.safe_load((HOME / ".github/workflows/checks.yml").read_text("utf-8"))["jobs"]["checks"]
HOOKS = yaml.safe_load((HOME / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
TARGETS = set(re.findall(r"^([a-z-]+):", (HOME / "Makefile").read_text("utf-8"), re.MULTILINE))


def named_in(file: str) -> set[Requirement]:
    """What a requirements file names itself; the lines `-r` lead to the file before it."""
    lines = [line.partition("#")[0].strip() for line in (HOME / file).read_text("utf-8").splitlines()]
    return {Requirement(line) for line in lines if line and not line.startswith("-r")}


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        ("requirements.in", PROJECT["dependencies"]),
        ("requirements-postgres.in", PROJECT["optional-dependencies"]["postgres"]),
        ("requirements-dev.in", PROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_the_project_depends_on_what_the_requirements_name(file: str, declared: list[str]) -> None:
    found = {Requirement(each) for each in declared}
    assert {each for each in found if each.name != PROJECT["name"]} == named_in(file)


def test_the_version_is_the_latest_of_the_changelog() -> None:
    changelog = (HOME / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.*)$", changelog, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", each) for each in headings[1:])
    assert headings[1].startswith(f"[{PROJECT['version']}] ")
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", changelog, re.MULTILINE)) <= known


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (HOME / "LICENSE").read_text("utf-8")
    assert text.startswith(f"{PROJECT['license']} License\n")
    assert PROJECT["authors"][0]["name"] in text
    assert all((HOME / file).is_file() for file in PROJECT["license-files"])


def test_what_is_said_to_work_is_what_is_tried() -> None:
    said = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert WORKFLOW["strategy"]["matrix"]["python"] == said
    assert PROJECT["requires-python"] == f">={said[0]}"


def test_hooks_and_workflow_call_what_everybody_calls() -> None:
    ran = [step["run"] for step in WORKFLOW["steps"] if "run" in step]
    ran += [hook["entry"] for repo in HOOKS for hook in repo["hooks"]]
    made = {command.split()[1] for command in ran if command.startswith("make ")}
    assert made == {"check", "test"}
    assert made <= TARGETS
    assert [repo["repo"] for repo in HOOKS] == ["local"]
