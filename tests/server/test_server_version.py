"""A server that is too old is for paper only; what stops trading works on any."""

from __future__ import annotations

import pathlib
import tomllib
from typing import Any

import jupyter_server
import pytest
import sqlalchemy as sa
from packaging.requirements import Requirement

from tests.server.test_server_hosting import until
from tests.tidy.source import ROOT
from workbench.errors import Refused
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.client import Client
from workbench.live.supervisor import Hosting
from workbench_jupyter.routes import ROUTES
from workbench_jupyter.server_version import OLDEST, RISKY, refuse_hosting, refuse_risk, why_only_paper

#: What can be asked on any server, by the ends of the paths: it looks, it stops, or it is refused elsewhere.
HARMLESS = {"pause", "stop", "flatten", "kill", "deployments", "preview", "{name}"}


def turn_live(database: pathlib.Path) -> None:
    """Write what nobody can write today: a deployment that is not on paper."""
    with Store.open(database) as store, store.write() as connection:
        connection.execute(tables.deployments.update().values(mode="live"))


@pytest.mark.parametrize("version", ["2.19.0", "2.14.2", "1.24.0", "2.9.1", "0.0", "unknown"])
def test_an_older_server_is_for_paper_only(version: str) -> None:
    assert version in why_only_paper(version) and "2.20" in why_only_paper(version)


@pytest.mark.parametrize("version", ["2.20.0", "2.20.0rc1", "2.21.1", "2.100.0", "3.0.0", jupyter_server.__version__])
def test_a_newer_one_may_do_everything(version: str) -> None:
    assert why_only_paper(version) == ""


def test_the_package_asks_for_the_same_server() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (asked,) = [one for one in map(Requirement, project["dependencies"]) if one.name == "jupyter-server"]
    assert f">={'.'.join(map(str, OLDEST))}" in str(asked.specifier).split(",")


def test_every_verb_that_changes_something_was_thought_of() -> None:
    ends = {route.path.rpartition("/")[2] for route in ROUTES if route.verb != "GET"}
    assert ends == RISKY | HARMLESS
    assert not RISKY & HARMLESS


@pytest.mark.parametrize("path", ["deployments/{name}/arm", "deployments/{name}/resume", "arm"])
def test_nothing_but_paper_is_armed(database: pathlib.Path, path: str) -> None:
    why, names = why_only_paper("2.19.0"), {"name": "dip"} if "name" in path else {}
    with Client.open(database) as client:
        refuse_risk(why, client, path, names)
        turn_live(database)
        with pytest.raises(Refused, match=r"dip: not on paper. jupyter-server 2\.19\.0 is older than 2\.20"):
            refuse_risk(why, client, path, names)
        refuse_risk(why, client, "deployments/{name}/kill", names)
        refuse_risk(why, client, "deployments/{name}/arm", {"name": "another"})
        refuse_risk(why_only_paper("2.20.0"), client, path, names)


def test_no_runner_is_hosted_for_anything_but_paper(database: pathlib.Path) -> None:
    why = why_only_paper("2.19.0")
    refuse_hosting(why, str(database))
    turn_live(database)
    with pytest.raises(Refused, match="dip"):
        refuse_hosting(why, str(database))
    refuse_hosting("", str(database))
    with Store.open(database) as store, store.write() as connection:
        connection.execute(sa.update(tables.deployment_states).values(status="STOPPED"))
    refuse_hosting(why, str(database))


@pytest.fixture
def jp_server_config(database: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(jupyter_server, "__version__", "2.19.0")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return {
        "ServerApp": {"jpserver_extensions": {"workbench_jupyter": True}},
        "WorkbenchApp": {"database": str(database)},
    }


async def test_an_old_server_says_so_and_starts_nothing(
    jp_serverapp: Any, jp_fetch: Any, database: pathlib.Path
) -> None:
    turn_live(database)
    (app,) = jp_serverapp.extension_manager.extension_apps["workbench_jupyter"]
    await jp_serverapp.extension_manager.start_all_extensions()
    assert app.hosting()["state"] == "LOOK" and app.hosting()["pid"] == 0
    assert "no runner is started: dip: not on paper" in app.hosting()["said"]
    answer = await jp_fetch("workbench/api/deployments/dip/arm", method="POST", body='{"why": "x"}', raise_error=False)
    assert answer.code == 409 and b"2.19.0" in answer.body


async def test_an_old_server_runs_what_is_on_paper(jp_serverapp: Any, database: pathlib.Path) -> None:
    (app,) = jp_serverapp.extension_manager.extension_apps["workbench_jupyter"]
    await jp_serverapp.extension_manager.start_all_extensions()
    assert await until(lambda: app.supervisor.now().state is Hosting.RUNNING)
    await app.stop_extension()
