"""Installed, the extension is there without anything being enabled by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

import pytest

from tests.tidy.source import ROOT


@pytest.mark.soak
def test_jupyter_finds_it_enabled() -> None:
    asked = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120)
    lines = [line.strip() for line in (found.stdout + found.stderr).splitlines() if "workbench_jupyter" in line]
    assert any("enabled" in line for line in lines)
    assert any("OK" in line for line in lines), lines


def test_jupyterlab_finds_the_panels_enabled() -> None:
    asked = [sys.executable, "-m", "jupyter", "labextension", "list"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120)
    (line,) = [line for line in (found.stdout + found.stderr).splitlines() if "workbench-lab" in line]
    assert "enabled" in line and "OK" in line


def test_what_the_page_loads_is_not_cached_for_a_year_and_needs_no_build() -> None:
    package = json.loads((ROOT / "extension/labextension/package.json").read_text())
    load = ROOT / "extension/labextension" / package["jupyterlab"]["_build"]["load"]
    assert load.is_file() and "static" not in load.parts
    written = [path.name for path in load.parent.iterdir()]
    assert {"workbench.js", "workbench.css"} <= set(written)
    assert not [path for path in load.parent.glob("*.js") if "innerHTML" in path.read_text()], "text is set as text"


def test_what_enables_it_is_shipped() -> None:
    target = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "extension/workbench_jupyter" in target["packages"]
    shared = target["shared-data"]
    assert shared["extension/labextension"] == "share/jupyter/labextensions/workbench-lab"
    source, place = next(item for item in shared.items() if item[0].endswith(".json"))
    assert place.startswith("etc/jupyter/jupyter_server_config.d/")
    assert json.loads((ROOT / source).read_text())["ServerApp"]["jpserver_extensions"] == {"workbench_jupyter": True}


def test_a_changed_panel_is_installed_again() -> None:
    changed = "extension/labextension/js/start.js"
    asked = ["make", "--dry-run", f"--what-if={changed}", ".venv/.installed"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60).stdout
    assert "pip install" in said
    keys = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["cache-keys"]
    assert any((ROOT / changed) in ROOT.glob(one["file"].replace("**", "**/*")) for one in keys), "uv would not look"
