"""The client: what it shows is what a backtest shows, what it asks is obeyed, and owners never see each other."""

from __future__ import annotations

import inspect
import pathlib
import sqlite3
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.operated import CASH, COSTS, START, Operated, bars, folder, strategy
from tests.postgres import new_database
from workbench.errors import ConfigError
from workbench.journal.store import Store
from workbench.live import frames
from workbench.live.client import Client, Reply
from workbench.live.clock import VirtualClock
from workbench.live.places import places_of, places_of_url
from workbench.live.reading import Reading
from workbench.live.starting import instant_of
from workbench.live.wall import Wake
from workbench.market.calendar import resolve_calendar
from workbench.research.backtest import backtest

__all__ = ["folder"]

CLOSE_1 = pd.Timestamp("2023-01-10 10:00", tz="UTC")


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment, running."""
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


class Obeying(VirtualClock):
    """A clock whose waiting lets the runner obey."""

    def __init__(self, desk: Operated) -> None:
        super().__init__(desk.clock.now_ns())
        self._desk = desk

    def wait_until(self, ns: int | None) -> None:
        super().wait_until(ns)
        self._desk.obey()


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_N5_tables_are_those_of_a_backtest(desk: Operated) -> None:
    desk.run()
    result = backtest(strategy(), desk.data, CASH, COSTS, START)
    assert len(result.trades) > 3
    for ours, theirs in (
        (desk.client.trades("dip"), result.trades),
        (desk.client.fills("dip").drop(columns="order_id"), result.fills.drop(columns="order_id")),
        (desk.client.orders("dip").drop(columns="order_id"), result.orders.drop(columns="order_id")),
        (desk.client.equity("dip"), result.equity),
    ):
        assert_frame_equal(ours, theirs, check_exact=True)


def test_F9_a_trade_that_is_open_is_marked(desk: Operated) -> None:
    standing = desk.run_to_position()
    shown = desk.client.trades("dip").iloc[-1]
    position = desk.client.status("dip")["position"][0]
    assert shown["is_open"] and pd.isna(shown["exit_ts"]) and pd.isna(shown["exit_price"])
    assert shown["net_pnl"] == position["unrealised_pnl"]
    assert position["qty"] == standing.deployed.desk.positions[0]["qty"] == shown["qty"]


def test_tables_of_nothing_have_the_columns_of_something(desk: Operated) -> None:
    result = backtest(strategy(), desk.data, CASH, COSTS, START)
    client = desk.client
    for ours, theirs in (
        (client.trades("dip"), result.trades),
        (client.fills("dip"), result.fills),
        (client.orders("dip"), result.orders),
        (client.equity("dip"), result.equity),
    ):
        assert len(ours) == 0
        assert list(ours.dtypes.items()) == list(theirs.dtypes.items())


def test_status_in_a_position(desk: Operated) -> None:
    desk.run_to_position()
    found = desk.client.status("dip")
    (position,) = found["position"]
    assert (found["status"], found["runtime_state"], found["is_evaluated"]) == ("RUNNING", "IN_POSITION", True)
    assert position["stop"] < position["entry_price"] < position["target"]
    assert position["protected_by"] == "the broker"
    assert {(order["kind"], order["side"]) for order in found["orders"]} == {("stop", "SELL"), ("target", "SELL")}
    assert found["equity"] == pytest.approx(found["cash"] + position["qty"] * position["mark"])
    assert found["equity"] - CASH == pytest.approx(found["realised_pnl"] + found["unrealised_pnl"])
    assert found["runner"] == "test"
    (seen,) = found["bars"].values()
    assert seen["timeframe"] == "5m" and seen["ts"] + pd.Timedelta("5min") == found["last_evaluation"]
    assert found["next_evaluations"][0] - found["last_evaluation"] == pd.Timedelta("15min")
    assert found["warm_up"]["is_warm"]
    desk.lease.release()
    (position,) = desk.client.status("dip")["position"]
    assert position["protected_by"] == "nobody until a runner runs, then the broker"
    assert found["calendar"] == {
        "name": "NSE", "date": found["last_evaluation"].date(), "session": "NORMAL", "is_known": True,
        "sessions": 10, "unknown": [],
    }  # fmt: skip


def test_status_before_the_first_bar(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.client.deploy(strategy(), desk.data["NSE:AAA"].between(None, "2023-01-02"), COSTS, CASH)
    found = desk.client.status("dip")
    assert (found["status"], found["is_evaluated"], found["hindrance"]) == ("RUNNING", False, "no runner is running")
    assert found["begins"] == pd.Timestamp("2023-01-02 10:00", tz="UTC")
    assert found["last_evaluation"] is None and found["bars"] == {}
    assert found["warm_up"]["bars"] == 25
    assert found["equity"] == CASH and found["position"] == []
    assert found["freshness"] == {"NSE:AAA": pd.Timestamp("2023-01-02 09:55", tz="UTC")}


def test_a_deployment_that_is_not_warm_says_how_far_it_is(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    slow = strategy().replace(entry="SMA(close, 60) > 0")
    desk.client.deploy(slow, desk.data["NSE:AAA"].between(None, "2023-01-02"), COSTS, CASH)
    desk.start()
    desk.run(lambda: desk.standing().counts["bars"] == 5)
    warm = desk.client.status("dip")["warm_up"]
    assert warm == {"is_warm": False, "bars": 30, "needs_bars": 60, "text": "warming up 30/60 bars"}


def test_next_evaluations_go_on_over_the_weekend(desk: Operated) -> None:
    friday = pd.Timestamp("2023-01-13 09:50", tz="UTC")
    desk.client._clock.wait_until(friday.value)  # type: ignore[attr-defined]
    assert [str(at) for at in desk.client.status("dip")["next_evaluations"]] == [
        "2023-01-13 10:00:00+00:00",
        "2023-01-16 04:00:00+00:00",
        "2023-01-16 04:15:00+00:00",
    ]


def test_a_day_that_no_calendar_covers_is_said(desk: Operated) -> None:
    desk.clock.wait_until(pd.Timestamp("2199-01-04 06:00", tz="UTC").value)
    assert desk.client.status("dip")["calendar"]["session"] == "CALENDAR_UNKNOWN"


def test_exposure_is_of_all_deployments_together(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy("one")
    desk.deploy("two")
    desk.deploy("theirs", owner="other")
    desk.start()
    desk.run_to_position("one")
    row = desk.client.exposure().iloc[0]
    both = [desk.client.status(name)["position"][0] for name in ("one", "two")]
    assert row["deployments"] == ["one", "two"]
    assert row["qty"] == sum(one["qty"] for one in both)
    assert row["notional"] == sum(one["qty"] * one["mark"] for one in both)
    assert desk.client.status("one")["exposure"] == [dict(row)]


def test_what_is_not_evaluated_is_never_shown_as_if_it_were(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    for name in ("runs", "paused", "killed", "unclear", "stopped"):
        desk.deploy(name)
    desk.start()
    desk.standing("unclear").state, desk.standing("unclear").note = "PAUSED_RECONCILE", "one fill too many"
    desk.client._clock = Obeying(desk)
    desk.client.pause("paused", "lunch")
    desk.client.stop("stopped")
    desk.client.kill("bad bars", "killed")
    desk.run(lambda: desk.standing("runs").evaluated_ns > 0)
    frame = desk.client.deployments().set_index("name")
    assert frame["hindrance"].to_dict() == {
        "killed": "killed by local: bad bars",
        "paused": "paused by local: lunch",
        "runs": "",
        "stopped": "stopped",
        "unclear": "one fill too many",
    }
    assert list(frame.index[frame["is_evaluated"]]) == ["runs"]
    desk.lease.release()
    assert not desk.client.deployments()["is_evaluated"].any()


def test_a_journal_is_read_in_pages(desk: Operated) -> None:
    desk.run()
    whole = desk.client.journal("dip", limit=10_000)
    assert list(whole["seq"]) == list(range(len(whole), 0, -1))
    first = desk.client.journal("dip", limit=7)
    second = desk.client.journal("dip", before=int(first["seq"].iloc[-1]), limit=7)
    assert_frame_equal(pd.concat([first, second], ignore_index=True), whole.head(14))
    assert set(desk.client.journal("dip", "FILLED")["kind"]) == {"FILLED"}
    assert desk.client.journal("dip", "NOTHING").dtypes.equals(whole.dtypes)


def test_state_of_another_engine_is_not_guessed(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run_to_position()
    monkeypatch.setattr("workbench.live.holdings.layout", lambda: "another")
    monkeypatch.setattr("workbench.live.facts.layout", lambda: "another")
    found = desk.client.status("dip")
    assert (found["cash"], found["equity"], found["unrealised_pnl"], found["position"]) == (None, None, None, [])
    assert not desk.client.trades("dip")["is_open"].any()


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_a_deployment_begins_where_a_backtest_would(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    start = "2023-01-06T11:07+05:30"
    desk.client.deploy(strategy(), desk.data, COSTS, CASH, start)
    desk.start()
    desk.run()
    result = backtest(strategy(), desk.data, CASH, COSTS, start)
    assert_frame_equal(desk.client.equity("dip"), result.equity, check_exact=True)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("soon", "neither a date"),
        ("2600-01-01", "neither a date"),
        ("2023-01-06 11:00", "no zone"),
        (pd.NaT, "missing time"),
    ],
)
def test_a_start_that_cannot_be_meant_is_refused(desk: Operated, start: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        desk.client.deploy(strategy(), desk.data, COSTS, CASH, start, "again")


def test_a_date_is_the_open_of_the_first_session_from_then_on() -> None:
    nse = resolve_calendar("NSE")
    monday = pd.Timestamp("2023-01-09 03:45", tz="UTC").value
    assert instant_of("2023-01-07", nse) == instant_of("2023-01-09", nse) == monday


def test_what_is_written_wakes_the_runner(desk: Operated) -> None:
    wake = Wake(places_of(desk.store).wake)
    desk.client.pause("dip", wait_s=0)
    assert wake.answer() and not wake.answer()
    desk.client.deploy(strategy(), desk.data, COSTS, CASH, START, "again")
    assert wake.answer()
    desk.client.kill("x", wait_s=0)
    assert wake.answer()


def test_the_runners_answer_is_waited_for(desk: Operated) -> None:
    desk.client._clock = Obeying(desk)
    reply = desk.client.pause("dip", "lunch")
    assert reply.is_done and reply.text.startswith("No evaluation and no new order")
    with pytest.raises(ConfigError, match="needs a reason"):
        desk.client.arm(" ")
    with pytest.raises(ConfigError, match="dip holds nothing"):
        desk.client.flatten("dip")
    assert desk.client.resume("dip").is_done
    assert desk.client.stop("dip").is_done
    with pytest.raises(ConfigError, match="stopped, for good"):
        desk.client.pause("dip")


def test_who_does_not_answer_is_named(desk: Operated) -> None:
    reply = desk.client.pause("dip", wait_s=0.05)
    assert not reply.is_done and "the runner (test) has not answered yet" in reply.text
    desk.lease.release()
    assert "No runner is running" in desk.client.pause("dip").text


def test_a_kill_holds_at_once_without_a_runner_and_with_a_locked_database(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    other = sqlite3.connect(folder / "w.db")
    other.execute("BEGIN EXCLUSIVE")
    reply = desk.client.kill("fat finger")
    assert reply.is_done and reply.number == 0 and "The journals will be told" in reply.text
    assert desk.switch.down("local", "dip")
    other.rollback()
    other.close()
    desk.start()
    desk.obey()
    (row,) = desk.rows("KILLED")
    assert (row["body"]["who"], row["body"]["why"]) == ("local", "fat finger")


def test_a_kill_of_a_name_that_does_not_exist_kills_nothing(desk: Operated) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'dip'"):
        desk.client.kill("x", "dap")
    assert not desk.switch.down()


def test_an_owner_has_a_name(desk: Operated) -> None:
    with pytest.raises(ConfigError, match="owner is the empty text"):
        Client(desk.store, "")


# --- owners -----------------------------------------------------------------------------------------------------------

#: How each method of a client is called for a deployment; new ones must be added here.
CALLS: dict[str, dict[str, Any]] = {
    "status": {"name": "dip"},
    "journal": {"name": "dip"},
    "orders": {"name": "dip"},
    "fills": {"name": "dip"},
    "trades": {"name": "dip"},
    "equity": {"name": "dip"},
    "slippage": {"name": "dip"},
    "pause": {"name": "dip"},
    "resume": {"name": "dip"},
    "stop": {"name": "dip", "keep": True},
    "flatten": {"name": "dip"},
    "resolve": {"name": "dip", "choice": "stay"},
    "kill": {"why": "x", "name": "dip"},
    "arm": {"why": "x", "name": "dip"},
}
OF_NO_NAME = {"deployments", "exposure", "limits", "set_limit", "deploy", "preview", "open", "health", "trade_counts"}


def test_every_method_is_tried_by_another_owner() -> None:
    public = {name for name, _ in inspect.getmembers(Client, callable) if not name.startswith("_")}
    assert public == set(CALLS) | OF_NO_NAME
    assert issubclass(Client, Reading)


@pytest.mark.parametrize("method", CALLS)
def test_a_foreign_deployment_is_an_unknown_one(desk: Operated, method: str) -> None:
    desk.run_to_position()
    stranger = Client(desk.store, "stranger", clock=desk.clock)
    texts = []
    for name in ("dip", "dup"):
        with pytest.raises(ConfigError) as refused:
            getattr(stranger, method)(**{**CALLS[method], "name": name})
        texts.append(str(refused.value).replace(repr(name), "?"))
    assert texts[0] == texts[1] == "there is no deployment ?. There are none."
    assert desk.obey() == [] and not desk.switch.down()


def test_lists_hold_what_is_ones_own(desk: Operated) -> None:
    desk.run_to_position()
    stranger = Client(desk.store, "stranger", clock=desk.clock)
    assert len(stranger.deployments()) == len(stranger.exposure()) == len(stranger.trade_counts()) == 0
    assert stranger.health()["deployments"] == 0 and not stranger.health()["kills"]
    stranger.deploy(strategy(), desk.data, COSTS, CASH, START)
    assert list(stranger.deployments()["equity"]) == [CASH]
    assert len(desk.client.deployments()) == 1


def test_nobody_kills_or_arms_for_another(desk: Operated) -> None:
    stranger = Client(desk.store, "stranger", clock=desk.clock)
    stranger.kill("theirs", wait_s=0)
    desk.obey()
    assert desk.client.status("dip")["is_evaluated"] and not desk.rows("KILLED")
    desk.client.kill("mine", wait_s=0)
    stranger.arm("theirs", wait_s=0)
    desk.obey()
    assert desk.switch.down("local", "dip") and not desk.switch.down("stranger", "x")


def test_the_same_on_postgresql() -> None:
    url = new_database()
    with Store.open(url) as store:
        assert places_of(store) == places_of_url(url)
        client = Client(store, clock=VirtualClock(1))
        assert client.deployments().empty and client.exposure().empty
        client.deploy(strategy(), bars(), COSTS, CASH)
        assert client.status("dip")["hindrance"] == "no runner is running"
        assert isinstance(client.pause("dip"), Reply)
        assert list(client.journal("dip").columns) == list(frames.JOURNAL)
