"""What happens when a server starts: quickly, with a runner, a folder for bars, one database for all its kernels."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.server.test_server_hosting import until
from workbench.live.client import Client
from workbench.live.supervisor import Hosting, Supervisor, environment_with
from workbench_jupyter.feeding import options_of
from workbench_jupyter.inherited import database_of, handed_down

#: What takes seconds to load, and what a server must not load before somebody asks it for something.
HEAVY = "numba numpy pandas sqlalchemy pyarrow plotly vectorbt"
LOADS = f"""
import sys
from jupyter_server.serverapp import ServerApp
app = ServerApp()
app.initialize(["--ServerApp.jpserver_extensions=workbench_jupyter=True", "--port=0"], find_extensions=False)
assert "workbench_jupyter" in app.extension_manager.extension_apps, "it was not loaded"
print(*(name for name in "{HEAVY}".split() if name in sys.modules))
"""


def test_a_server_loads_it_without_loading_the_engine(tmp_path: pathlib.Path) -> None:
    own = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    done = subprocess.run(
        [sys.executable, "-c", LOADS], check=False, capture_output=True, text=True, timeout=120, cwd=tmp_path,
        env={**os.environ, **own, "WORKBENCH_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
    assert (tmp_path / "home" / "feed").is_dir()


def hosted(database: pathlib.Path) -> Supervisor:
    """A runner as a server without settings hosts it."""
    command = [sys.executable, "-m", "workbench.live", "--tied", *options_of("")]
    return Supervisor(command, environment_with(str(database)))


# --- the folder of bars -------------------------------------------------------------------------------------------


def test_without_a_setting_bars_come_from_a_folder_of_the_project(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "my project"))
    folder = tmp_path / "my project" / "feed"
    assert options_of("") == ["--feed", f"folder:{folder}"]
    assert folder.is_dir()
    assert options_of("") == ["--feed", f"folder:{folder}"], "once more, and nothing happens"


def test_a_setting_is_options_of_a_runner() -> None:
    assert options_of("--feed 'folder:/my bars' --zone UTC") == ["--feed", "folder:/my bars", "--zone", "UTC"]


async def test_a_folder_without_files_is_a_quiet_state(
    database: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    one = hosted(database)
    one.start()
    try:
        assert await until(lambda: "runs 1 deployment: dip" in one.now().said, 120.0), one.lines()
        assert one.now().state is Hosting.RUNNING and one.now().attempt == 1
        with Client.open(database) as client:
            assert await until(lambda: "no bar of NSE:SAMPLE since" in client.deployments()["hindrance"][0], 60.0)
            assert client.deployments()["status"][0] == "RUNNING"
    finally:
        await one.stop()


async def test_a_folder_that_cannot_be_made_is_for_a_person(
    database: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    one = hosted(database)
    one.start()
    assert await until(lambda: one.now().state is Hosting.LOOK, 120.0)
    assert str(tmp_path / "home" / "feed") in one.now().said
    await one.stop()


# --- what kernels inherit -----------------------------------------------------------------------------------------


def test_a_kernel_in_another_folder_finds_the_database_of_the_server(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORKBENCH_HOME", "WORKBENCH_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    asks = "from workbench.live.places import default_database as d; from workbench.market.home import home_folder as h"
    with handed_down(database_of("")):
        (tmp_path / "notebooks").mkdir()
        asked = [sys.executable, "-c", f"{asks}; print(d()); print(h())"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=tmp_path / "notebooks")
    home = tmp_path / ".workbench"
    assert done.stdout.split() == [str(home / "workbench.db"), str(home)]
    assert "WORKBENCH_HOME" not in os.environ and "WORKBENCH_DATABASE" not in os.environ


def test_what_was_set_before_is_set_again(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_DATABASE", "postgresql://one")
    with handed_down(database_of("postgresql://other")):
        assert os.environ["WORKBENCH_DATABASE"] == "postgresql://other"
    assert os.environ["WORKBENCH_DATABASE"] == "postgresql://one"
    monkeypatch.chdir(tmp_path)
    assert database_of("") == "postgresql://one"
    assert database_of("mine.db") == str(tmp_path / "mine.db")
