"""Built without node and installed afresh, as a wheel and for editing: the extensions are there, enabled, and OK."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile

import pytest

from tests.server.started import started
from tests.tidy.source import ROOT

pytestmark = [pytest.mark.heavy]

LAB = "share/jupyter/labextensions/workbench-lab"
SERVER = "etc/jupyter/jupyter_server_config.d/workbench_jupyter.json"


def ran(*command: str | pathlib.Path, **environment: str) -> str:
    """What a command says; PATH holds nothing, so that neither node nor anything else can be called."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=240,
        env={**kept, "PATH": "/nowhere", "PYTHONSAFEPATH": "1", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def files_below(folder: pathlib.Path) -> list[str]:
    """Files that are kept, by their paths below it."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if "__pycache__" not in path.parts)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-c", f"import os; os.chdir({str(ROOT)!r}); import hatchling.build as b; "
                              f"b.build_wheel({str(folder)!r})")  # fmt: skip
    (path,) = folder.iterdir()
    return path


def made(folder: pathlib.Path) -> pathlib.Path:
    """An environment that has what ours has, but nothing of ours and nothing that Jupyter looks for; its Python."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    places = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)}, scheme="venv")
    others = pathlib.Path(places["purelib"]) / "others.pth"
    others.write_text("\n".join(dict.fromkeys(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))))
    return python


def installed(folder: pathlib.Path, *what: str | pathlib.Path) -> pathlib.Path:
    """A fresh environment in which it is installed, with nothing else and nothing from elsewhere; its Python."""
    python = made(folder)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    alone = ["--ignore-installed", "--no-deps", "--no-index", "--no-build-isolation"]
    ran(*pip, *alone, *what, PIP_CONFIG_FILE=os.devnull)
    return python


def listed(python: pathlib.Path, home: pathlib.Path) -> dict[str, str]:
    """What Jupyter says of the two extensions in an environment, by ``server`` and ``lab``."""
    # The commands ``jupyter server extension`` and ``jupyter labextension``, which are in the folder of ours alone.
    behind = {"server": "jupyter_server.extension.serverextension", "lab": "jupyterlab.labextensions"}
    said = {name: ran(python, "-m", module, "list", HOME=str(home)) for name, module in behind.items()}
    return {name: re.sub(r"\x1b\[\d*m", "", text) for name, text in said.items()}


def test_a_wheel_holds_what_is_needed_and_nothing_else(wheel: pathlib.Path) -> None:
    assert wheel.name == "workbench_trading-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = {one.filename: one.file_size for one in archive.infolist()}
    told = {name for name in names if ".dist-info/" in name}
    data = "workbench_trading-0.1.0.data/data"
    expected = {f"workbench/{path}" for path in files_below(ROOT / "workbench")}
    expected |= {f"workbench/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    expected |= {f"workbench/templates/promotion/{path}" for path in files_below(ROOT / "templates" / "promotion")}
    expected |= {f"workbench_jupyter/{path}" for path in files_below(ROOT / "extension" / "workbench_jupyter")}
    expected |= {f"{data}/{LAB}/{path}" for path in files_below(ROOT / "extension" / "labextension")}
    expected |= {f"{data}/{SERVER}"}
    assert set(names) - told == expected
    assert {f"{data}/{LAB}/package.json", f"{data}/{LAB}/js/remoteEntry.js"} <= set(names)
    assert {pathlib.Path(name).name for name in told} == {"METADATA", "WHEEL", "RECORD", "LICENSE", "entry_points.txt"}
    assert sum(names.values()) < 5_000_000


@pytest.mark.soak
@pytest.mark.parametrize("way", ["wheel", "editable"])
def test_both_extensions_are_enabled_and_ok(way: str, wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    what = (wheel,) if way == "wheel" else ("--editable", ROOT)
    python = installed(tmp_path / "venv", *what)
    where = ran(python, "-c", "import workbench, workbench_jupyter as one; print(workbench.__file__, one.__file__)")
    inside = [str(tmp_path) in place for place in where.split()]
    assert inside == [way == "wheel"] * 2, where
    assert (tmp_path / "venv" / LAB / "package.json").is_file() and (tmp_path / "venv" / SERVER).is_file()
    said = listed(python, tmp_path)
    lines = [line.strip() for line in said["server"].splitlines()]
    assert "workbench_jupyter enabled" in lines, said["server"]
    assert "workbench_jupyter 0.1.0 OK" in lines, said["server"]
    (line,) = [line for line in said["lab"].splitlines() if "workbench-lab" in line]
    assert "enabled" in line and "OK" in line
    assert str(tmp_path / "venv" / "share/jupyter/labextensions") in said["lab"]


@pytest.mark.soak
def test_jupyterlab_starts_with_it_and_nothing_was_enabled(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    python = installed(tmp_path / "venv", wheel)
    # No runner: its kernels would be compiled for minutes where nobody has run it before.
    command = [str(python), "-P", "-m", "jupyterlab", "--WorkbenchApp.runner=attached"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WORKBENCH"))}
    with started(tmp_path, command, {**alone, "HOME": str(tmp_path), "PATH": "/nowhere"}) as lab:
        assert lab.until(lambda: bool(lab.get("api"))), lab.said.read_text()
        assert json.loads(lab.get("workbench/api/health"))["database"] == ""
        assert b"workbench" in lab.get("lab/extensions/workbench-lab/js/remoteEntry.js")
        assert b'"workbench-lab"' in lab.get("lab")
    assert (tmp_path / ".workbench" / "workbench.db").is_file()
