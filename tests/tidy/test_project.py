"""The project's own papers agree with each other: dependencies, lock, Makefile, README, and what an import costs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tidy.source import ROOT, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: Loaded when they are needed, so that ``import workbench`` stays quick.
HEAVY = (
    "IPython bokeh bokeh_sampledata exchange_calendars ipywidgets jinja2 jupyterlab lark matplotlib notebook papermill "
    "plotly pyarrow.parquet rich scipy sklearn talib typer vectorbt"
).split()


def asked() -> list[Requirement]:
    """Every dependency, the optional ones too."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(text) for texts in lists for text in texts]


def locked(python: str) -> dict[str, str]:
    """Name to version in the lock, for one version of Python on Linux."""
    environment = default_environment() | {"python_version": python, "python_full_version": f"{python}.0"}
    environment |= {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    held = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment)]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in held}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_holds_every_dependency_within_its_range(python: str) -> None:
    pins = locked(python)
    wrong = [str(one) for one in asked() if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"))]
    assert not wrong


def test_every_dependency_has_its_reason_in_the_decisions() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][\w-]*) \| \S", text, flags=re.MULTILINE)
    named = {canonicalize_name(name) for name in rows} - {"package"}
    assert named == {canonicalize_name(one.name) for one in asked()}


def test_every_dependency_is_used() -> None:
    called = {
        "bokeh-sampledata": "bokeh_sampledata", "exchange-calendars": "exchange_calendars", "tomli-w": "tomli_w",
        "jupyter-server": "jupyter_server", "prometheus-client": "prometheus_client",
    }  # fmt: skip
    by_tools = {"jupyterlab", "tzdata", "ipywidgets", "papermill"}  # started, not imported
    text = "\n".join(source.text for source in [*sources("workbench"), *sources("extension")])
    wanted = {Requirement(one).name for one in PROJECT["dependencies"]} - by_tools
    unused = [
        name
        for name in sorted(wanted)
        if not re.search(rf"\bimport .*\b{called.get(name, name)}\b|\bfrom {called.get(name, name)}\b", text)
    ]
    assert not unused


def test_every_target_explains_itself_and_is_phony() -> None:
    targets = re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE)
    explained = re.findall(r"^([a-z]+):.*## \S", MAKEFILE, flags=re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    assert targets == explained
    assert phony is not None
    assert set(phony[1].split()) == set(targets)
    assert {"demo", "test", "lab", "bench", "lint", "help"} <= set(targets)


def test_the_readme_names_only_targets_there_are() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z]+)\b", README))
    assert {"demo", "test"} <= used
    assert used <= targets


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    link = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
    targets = [(page, target) for page in pages for target in link.findall(page.read_text(encoding="utf-8"))]
    assert targets
    assert not [f"{page.name}: {target}" for page, target in targets if not (page.parent / target).exists()]


def test_the_changelog_knows_this_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == PROJECT["version"]


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def loaded_by(statement: str) -> set[str]:
    """Modules that are loaded after a statement in a new process."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


def test_import_workbench_loads_nothing_heavy() -> None:
    loaded = loaded_by("import workbench")
    assert "workbench" in loaded
    assert not sorted(name for name in HEAVY if name in loaded)


def test_a_heavy_import_would_be_seen() -> None:
    assert {"jinja2"} <= {name for name in HEAVY if name in loaded_by("import jinja2")}


def complaints_of(*command: str) -> str:
    """What a checker says, the empty text when it is content."""
    done = subprocess.run([sys.executable, "-m", *command], check=False, cwd=ROOT, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_is_content() -> None:
    assert complaints_of("ruff", "check", "--quiet", "--no-cache") == ""


@pytest.mark.heavy
def test_mypy_is_content() -> None:
    assert complaints_of("mypy") == ""


def test_only_kernels_are_exempt_from_strict_types() -> None:
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["overrides"]
    relaxed = {name for entry in overrides for name in entry["module"] if name.startswith("workbench")}
    compiled = re.compile(r"^@(?:njit|inlined)$", flags=re.MULTILINE)
    kernels = {f"workbench.{source.module}" for source in sources("workbench") if compiled.search(source.text)}
    assert relaxed <= kernels, sorted(relaxed - kernels)
