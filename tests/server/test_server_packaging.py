"""Installed, the extension is there without anything being enabled by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

from tests.tidy.source import ROOT


def test_jupyter_finds_it_enabled() -> None:
    asked = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120)
    lines = [line.strip() for line in (found.stdout + found.stderr).splitlines() if "workbench_jupyter" in line]
    assert any("enabled" in line for line in lines)
    assert any("OK" in line for line in lines), lines


def test_what_enables_it_is_shipped() -> None:
    target = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "extension/workbench_jupyter" in target["packages"]
    ((source, place),) = target["shared-data"].items()
    assert place.startswith("etc/jupyter/jupyter_server_config.d/")
    assert json.loads((ROOT / source).read_text())["ServerApp"]["jpserver_extensions"] == {"workbench_jupyter": True}
