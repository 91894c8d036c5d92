"""Deployments at the command line: deploy, run, look, ask, kill; what each shows and its exit code."""

from __future__ import annotations

import pathlib
import re
import sqlite3
from typing import Any

import pytest

from tests.command_line import expect, run, write_csv, write_strategy
from tests.operated import bars, empty_database, folder
from workbench.journal.store import Store
from workbench.live.client import Client
from workbench.live.killswitch import Kill, KillSwitch
from workbench.live.places import places_of_url

__all__ = ["folder"]

START = "2023-01-10"
PROTECTED = "stop_loss_frac = 0.01\n"


class Desk:
    """A database, a strategy file and a file of bars, and the commands over them."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.database = folder, str(folder / "w.db")
        (folder / "w.db").write_bytes(empty_database())
        self.strategy = write_strategy(folder, more=PROTECTED)
        self.bars = write_csv(folder / "AAA_5m.csv", bars()["NSE:AAA"])

    def expect(self, code: int, *args: object) -> str:
        """What a command prints, without the breaks of its lines."""
        return " ".join(expect(code, *args, "--database", self.database).split())

    def deploy(self, *more: object) -> str:
        """Deploy the strategy from ``START`` on."""
        return self.expect(
            0, "deploy", self.strategy, "--bars", self.bars, "--costs", "bps:10,5", "--start", START, *more
        )  # fmt: skip

    def run(self) -> str:
        """Run stored bars to their end."""
        return self.expect(0, "run", "--replay-from", START, "--bars", self.bars)


@pytest.fixture
def desk(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Nothing is deployed yet."""
    monkeypatch.setattr("workbench.cli.operating.person", lambda: "asha")
    monkeypatch.setattr("workbench.cli.databases.person", lambda: "asha")
    return Desk(folder)


def test_the_whole_way(desk: Desk) -> None:
    assert "Nothing is deployed" in desk.expect(0, "status")
    text = desk.deploy()
    assert "deployed dip: dip 1.0.0 on NSE:AAA" in text and "decisions begin 2023-01-10 03:45Z" in text
    assert "No runner is running" in text
    assert "not evaluated: no runner is running" in desk.expect(0, "status")
    text = desk.run()
    assert "runs 1 deployment: dip" in text and "the bars are at their end" in text
    shown = re.search(r"dip: RUNNING, (\d+) strategy bars, (\d+) fills, equity ([\d,.]+)", text)
    assert shown is not None and int(shown[1]) == 50 and int(shown[2]) > 3
    assert shown[3] in desk.expect(0, "status")
    one = desk.expect(0, "status", "dip")
    assert "last evaluation 2023-01-11 10:00:00Z" in one and "realised P&L" in one and "NSE:AAA 2023-01-11 09:55" in one


def test_a_strategy_without_costs_or_with_company_is_told(desk: Desk) -> None:
    text = desk.expect(0, "deploy", desk.strategy, "--bars", desk.bars)
    assert "No charges and no slippage" in text and "decisions begin 2023-01-11 10:00Z" in text
    assert "another name" in desk.expect(2, "deploy", desk.strategy, "--bars", desk.bars)
    assert "--mode 'live' does not exist" in desk.expect(2, "deploy", desk.strategy, "--mode", "live")


def test_what_others_hold_of_the_same_is_told_before_it_trades(desk: Desk) -> None:
    desk.deploy()
    with Client.open(desk.database) as client:
        _hold(client)
    assert "Beside this deployment you hold long 7 NSE:AAA at 0 (dip). Together 7" in desk.deploy("--name", "second")
    assert "together" not in desk.expect(0, "status")


def _hold(client: Client) -> None:
    """Put a position into the stored state of the only deployment."""
    import numpy as np

    from workbench.engine.records import account_dtype, position_dtype
    from workbench.journal import tables
    from workbench.live.deployed import layout

    account, positions = np.zeros(1, account_dtype), np.zeros(1, position_dtype)
    positions[0]["qty"], account[0]["n_positions"] = 7.0, 1
    content = {"records": account.tobytes() + positions.tobytes(), "layout": layout()}
    with client.store.write() as connection:
        connection.execute(tables.deployment_states.update().values(content))


def test_the_journal_is_shown_and_checked(desk: Desk) -> None:
    desk.deploy()
    desk.run()
    text = desk.expect(0, "journal", "dip", "--kind", "filled", "--limit", "2")
    assert text.count("FILLED") == 2 and "Older rows: --before" in text
    assert "is whole" in desk.expect(0, "journal", "verify", "dip")
    with sqlite3.connect(desk.database) as connection:
        connection.execute("UPDATE journal SET body = replace(body, 'BUY', 'SELL') || ' ' WHERE seq = 5")
    text = desk.expect(1, "journal", "verify", "dip")
    assert "Row 5 does not follow" in text and "is not what was written" in text
    assert "takes one NAME" in desk.expect(2, "journal", "one", "two")
    assert "there is no deployment 'verify'" in desk.expect(2, "journal", "verify")


def test_what_is_asked_without_a_runner_waits_for_one(desk: Desk) -> None:
    desk.deploy()
    assert "No runner is running" in desk.expect(0, "pause", "dip", "--why", "lunch")
    assert "1 wait for a runner" in desk.expect(0, "doctor")
    assert "PAUSE dip, asked by asha: No evaluation and no new order until it is resumed" in desk.run()
    assert "PAUSED, not evaluated: paused by asha: lunch" in desk.expect(0, "status")
    desk.expect(0, "resume", "dip")
    desk.expect(0, "stop", "dip", "--keep", "--cancel-protective")
    text = desk.run()
    assert "RESUME dip, asked by asha: dip runs" in text and "STOP dip, asked by asha: dip is stopped" in text
    assert "stopped, for good" in desk.expect(2, "pause", "dip")
    assert "there is nothing to replay" in desk.expect(2, "run", "--replay-from", START)


def test_a_kill_holds_at_once_and_is_armed_with_a_reason(desk: Desk) -> None:
    desk.deploy()
    text = desk.expect(0, "kill", "--why", "fat finger")
    assert "The kill switch is down (everything of local, by asha: fat finger)" in text
    assert "not evaluated: killed by asha: fat finger" in desk.expect(0, "status")
    assert "everything of local, by asha: fat finger" in desk.expect(0, "doctor")
    assert run("arm", "--database", desk.database).exit_code == 2
    desk.expect(0, "arm", "--why", "all is well")
    text = desk.run()
    assert "armed everything of local" in text
    assert "armed: there is no file" in desk.expect(0, "doctor")


def test_a_kill_that_closes_says_what_it_closes(desk: Desk) -> None:
    desk.deploy()
    assert "Nothing holds a position." in desk.expect(0, "kill", "--why", "fat finger", "--flatten")


def test_a_kill_of_one_by_a_wrong_name_kills_nothing(desk: Desk) -> None:
    desk.deploy()
    assert "Did you mean 'dip'" in desk.expect(2, "kill", "dap")
    switch = KillSwitch(places_of_url(desk.database).flag)
    assert not switch.down()
    desk.expect(0, "kill", "dip")
    assert switch.down("local", "dip") and not switch.down("local", "dap")


@pytest.mark.parametrize("content", ["locked", "no database at all, and long enough to look like one" * 40])
def test_a_kill_holds_whatever_the_database_is(desk: Desk, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store.open.__func__, "__defaults__", (0.05,))  # type: ignore[attr-defined]
    connection: Any = None
    if content == "locked":
        connection = sqlite3.connect(desk.database)
        connection.execute("BEGIN EXCLUSIVE")
    else:
        pathlib.Path(desk.database).write_text(content)
    text = desk.expect(0, "kill", "--why", "now")
    assert "nothing is entered" in text and "The journals will be told" in text
    assert KillSwitch(places_of_url(desk.database).flag).down("local", "anything")
    if connection is not None:
        connection.close()


def test_the_doctor_says_what_is_wrong(desk: Desk, folder: pathlib.Path) -> None:
    desk.deploy()
    desk.run()
    text = desk.expect(0, "doctor")
    for found in ("SQLite 3.", "synchronous FULL", "revision 0001", "none is running", "1 RUNNING", "calendar NSE",
                  "the next 10 sessions are known", "newest 5m bar 2023-01-11 09:55:00Z", "engine", "sqlalchemy"):
        assert found in text, found
    KillSwitch(places_of_url(desk.database).flag).kill(Kill("ben", "", "ben", "his own", 1))
    text = desk.expect(0, "doctor")
    assert "something of another owner is killed" in text and "his own" not in text
    desk.database = str(folder / "x.db")
    pathlib.Path(desk.database).write_text("no database at all, and long enough to look like one" * 40)
    text = desk.expect(1, "doctor")
    assert "a file of another kind" in text and "kill switch" in text and "python" in text


def test_a_password_is_never_shown(tmp_path: pathlib.Path) -> None:
    text = expect(1, "doctor", "--database", "postgresql://me:s3cret@127.0.0.1:1/none")
    assert "s3cret" not in text and "me@127.0.0.1:1/none" in text


def test_the_database_is_where_the_environment_says(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.deploy()
    monkeypatch.setenv("WORKBENCH_DATABASE", desk.database)
    assert "dip" in expect(0, "status")
    monkeypatch.delenv("WORKBENCH_DATABASE")
    monkeypatch.setenv("WORKBENCH_HOME", str(desk.folder / "home"))
    assert "Nothing is deployed" in expect(0, "status")
    assert (desk.folder / "home" / "workbench.db").exists()


def test_what_cannot_be_run_is_refused(desk: Desk) -> None:
    assert "--feed folder:PATH" in desk.expect(2, "run")
    assert "--replay-from" in desk.expect(2, "run", "--replay-from", "soon")


def test_flatten_and_resolve_are_asked_like_the_rest(desk: Desk) -> None:
    desk.deploy()
    assert "FLATTEN is written. No runner is running" in desk.expect(0, "flatten", "dip", "--why", "news")
    assert "RESOLVE is written" in desk.expect(0, "resolve", "dip", "flatten")
    assert "CHOICE 'sell' does not exist" in desk.expect(2, "resolve", "dip", "sell")
    text = desk.run()
    assert "FLATTEN dip, asked by asha: refused: dip holds nothing: there is nothing to flatten." in text
    assert "RESOLVE dip, asked by asha: refused: dip is" in text and "does not wait beside a position" in text


def test_limits_are_shown_and_set(desk: Desk) -> None:
    text = desk.expect(0, "limits")
    assert "orders_per_day 1,000,000 0" in text and "never blocked" in text
    assert "orders_per_day 200 0 asha" in desk.expect(0, "limits", "orders_per_day", "200")
    assert "Did you mean 'orders_per_day'?" in desk.expect(2, "limits", "order_per_day", "1")
    assert "say how many" in desk.expect(2, "limits", "orders_per_day")
    assert "neither a whole number nor default" in desk.expect(2, "limits", "orders_per_day", "many")
    assert "orders_per_day 1,000,000 0" in desk.expect(0, "limits", "orders_per_day", "default")
    desk.expect(0, "limits", "deployments", "0")
    text = desk.expect(2, "deploy", desk.strategy, "--bars", desk.bars)
    assert "workbench limits deployments NUMBER" in text


def test_what_can_hurt_more_needs_its_word(desk: Desk) -> None:
    text = desk.expect(2, "deploy", desk.strategy, "--bars", desk.bars, "--enter-at-once")
    assert "--confirm-entry" in text
    text = desk.expect(2, "deploy", desk.strategy, "--bars", desk.bars, "--enter-at-once", "--start", START)
    assert "leave --start out" in text
    text = desk.expect(0, "deploy", desk.strategy, "--bars", desk.bars, "--enter-at-once", "--confirm-entry")
    assert "decisions begin 2023-01-11 09:45Z" in text, "with the last bar of fifteen minutes"
    short = write_strategy(desk.folder, more='direction = "SHORT"\ndaily_loss_limit_frac = 0.02\n')
    given = ("deploy", short, "--bars", desk.bars, "--name", "fade")
    assert "--acknowledge-short" in desk.expect(2, *given)
    assert "deployed fade" in desk.expect(0, *given, "--acknowledge-short")
