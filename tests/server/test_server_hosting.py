"""The hosted runner: started, watched, started again, stopped; and gone when whoever started it is."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from workbench.live.supervisor import Hosted, Hosting, Supervisor, environment_with

#: A process that stands in for a runner: what it does is its argument.
STANDS = "import sys, time; print('ready', flush=True); sys.stdin.read()"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def until(so: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something is so within some seconds."""
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(0.02)
    return so()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if sys.platform == "linux" else True


async def test_it_starts_says_so_and_stops() -> None:
    told: list[Hosted] = []
    one = Supervisor(python(STANDS), changed=told.append)
    assert one.now().state is Hosting.STOPPED and one.now().pid == 0
    one.start()
    one.start()  # nothing happens
    assert await until(lambda: one.now().said == "ready")
    pid = one.now().pid
    assert is_alive(pid) and one.now().attempt == 1
    await one.stop()
    await one.stop()
    assert not is_alive(pid) and one.now() [:2] == (Hosting.STOPPED, 0)
    assert [each.state for each in told] == [Hosting.STARTING, Hosting.RUNNING, Hosting.STOPPED]


async def test_a_crash_is_shown_within_two_seconds_and_heals() -> None:
    told: list[Hosted] = []
    one = Supervisor(python(STANDS), changed=told.append, backoff_s=0.1)
    one.start()
    assert await until(lambda: one.now().said == "ready")
    first = one.now().pid
    os.kill(first, signal.SIGKILL)
    assert await until(lambda: Hosting.RESTARTING in [each.state for each in told], 2.0)
    assert await until(lambda: one.now().pid not in (0, first))
    assert one.now().state is Hosting.RUNNING and one.now().attempt == 2
    await one.stop()


@pytest.mark.parametrize(("code", "state"), [(2, Hosting.LOOK), (0, Hosting.ENDED)])
async def test_what_a_person_must_look_at_is_not_started_again(code: int, state: Hosting) -> None:
    one = Supervisor(python(f"print('the reason'); raise SystemExit({code})"), backoff_s=0.01)
    one.start()
    assert await until(lambda: one.now().state is state)
    await asyncio.sleep(0.2)
    assert one.now().state is state and one.now().attempt == 1 and one.lines() == ["the reason"]
    await one.stop()


async def test_one_that_was_overtaken_waits_and_tries_again() -> None:
    one = Supervisor(python("raise SystemExit(3)"), backoff_s=0.05)
    one.start()
    assert await until(lambda: one.now().state is Hosting.WAITING)
    assert await until(lambda: one.now().attempt >= 3)
    await one.stop()


async def test_what_cannot_be_started_says_why() -> None:
    one = Supervisor(["/nowhere/at/all"], backoff_s=0.05)
    one.start()
    assert await until(lambda: "cannot be started" in one.now().said)
    assert one.now().pid == 0
    await one.stop()


async def test_one_that_does_not_listen_is_killed() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    one = Supervisor(python(f"{deaf}; print('ready', flush=True); time.sleep(99)"))
    one.start()
    assert await until(lambda: one.now().said == "ready")
    pid = one.now().pid
    await one.stop(grace_s=0.2)
    assert not is_alive(pid)


HOST = """
import asyncio, sys
from workbench.live.supervisor import Supervisor
async def main():
    one = Supervisor(sys.argv[1:])
    one.start()
    while not one.now().pid:
        await asyncio.sleep(0.01)
    print(one.now().pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_a_killed_host_leaves_no_runner_behind(database: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The real runner, tied: SIGKILL of who started it ends it gracefully, within seconds."""
    (tmp_path / "bars").mkdir()
    command = [sys.executable, "-m", "workbench.live", "--tied", "--feed", f"folder:{tmp_path / 'bars'}"]
    host = subprocess.Popen(
        [*python(HOST), *command], stdout=subprocess.PIPE, text=True, env=environment_with(str(database))
    )  # fmt: skip
    assert host.stdout is not None
    pid = int(host.stdout.readline())
    assert is_alive(pid)
    time.sleep(0.5)
    host.kill()
    host.communicate()
    end = time.monotonic() + 30.0
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(pid), "a runner that nobody sees"


async def test_the_server_hosts_a_runner_and_stops_it(
    jp_serverapp: Any, database: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "bars").mkdir()
    (app,) = jp_serverapp.extension_manager.extension_apps["workbench_jupyter"]
    assert app.hosting()["state"] == "ATTACHED" and app.current_activity() is None
    command = [sys.executable, "-m", "workbench.live", "--tied", "--feed", f"folder:{tmp_path / 'bars'}"]
    app.supervisor = Supervisor(command, environment_with(str(database)))
    await jp_serverapp.extension_manager.start_all_extensions()
    assert await until(lambda: app.supervisor.now().pid != 0)
    pid = app.supervisor.now().pid
    assert app.current_activity() == {"runner": pid}
    assert app.hosting()["state"] == "RUNNING"
    await app.stop_extension()
    await app.stop_extension()
    assert not is_alive(pid) and app.hosting()["state"] == "STOPPED"


async def test_kernels_that_restart_and_stop_change_nothing_about_the_runner(jp_serverapp: Any, jp_fetch: Any) -> None:
    (app,) = jp_serverapp.extension_manager.extension_apps["workbench_jupyter"]
    app.supervisor = Supervisor(python(STANDS))
    app.supervisor.start()
    assert await until(lambda: app.supervisor.now().said == "ready")
    before = app.supervisor.now()
    kernel = json.loads((await jp_fetch("api", "kernels", method="POST", body="{}")).body)["id"]
    await jp_fetch("api", "kernels", kernel, "restart", method="POST", body="{}")
    await jp_fetch("api", "kernels", kernel, method="DELETE")
    assert app.supervisor.now() == before and is_alive(before.pid)
    await app.stop_extension()
