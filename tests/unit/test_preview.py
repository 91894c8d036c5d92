"""The dry run: what it says of the last bar is what a backtest and a paper runner decide, and nothing is written."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from typing import Any

import orjson
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.operated import CASH, COSTS, START, Operated, bars, folder, strategy
from tests.unit.test_live_beside import shorts
from workbench.errors import ConfigError
from workbench.journal import tables
from workbench.live import preview
from workbench.live.client import Client
from workbench.market.bars import Bars
from workbench.research.backtest import backtest
from workbench.research.evaluate import evaluate
from workbench.strategy import FixedCash, PercentOfEquity, Strategy
from workbench_jupyter.plain import encoded

__all__ = ["folder"]

HOUR = pd.Timedelta("1h")


def told(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """Decisions of the last bar as a journal says them."""
    return [tuple(one[name] for name in ("instrument", "decision", "entry", "reason"))
            for one in found["last_bar"]["decisions"]]  # fmt: skip


def cut(data: dict[str, Bars], at: int) -> dict[str, Bars]:
    """The first bars of a week, up to the instant of the bar with a number."""
    until = next(iter(data.values())).ts_ns[at]
    return {name: one.between(None, pd.Timestamp(int(until) + 1, tz="UTC")) for name, one in data.items()}


TWO = ("NSE:AAA", "NSE:BBB")
ASKED: list[dict[str, Any]] = [
    {},
    {"entry": "RSI(5) < 100"},
    {"entry": "SMA(close, 3, '1h') < close", "entry_window": ("10:15", "14:30")},
    {"entry": "close > 0", "sizing": FixedCash(50.0)},
    {"entry": "close > SMA(close, 90)"},
    {"timeframe": "30m", "stop_loss_frac": None, "take_profit_frac": None, "stop_loss_atr": 2.0},
    {"timeframe": "1d", "execution": "proxy_close", "product": "CNC", "entry": "close > SMA(close, 2)"},
    {"instruments": TWO, "rank": "RSI(3)", "allocation": "RANKING", "max_open_positions": 1},
    {"direction": "BOTH", "short_entry": "RSI(5) > 55", "short_exit": "RSI(5) < 45", "daily_loss_limit_frac": 0.05},
]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ASKED), st.integers(80, 590))
def test_P1_the_last_bar_is_decided_as_a_backtest_and_a_paper_runner_decide_it(asked: dict[str, Any], at: int) -> None:
    made = strategy().replace(**asked)
    history = cut({name: bars(name[4:])[name] for name in made.instruments}, at)
    place = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None))
    try:
        desk = Operated(place, *(name[4:] for name in made.instruments))
        desk.clock.wait_until(max(int(one.grid.close_ns[-1]) for one in history.values()))
        words = ("short", "at_once")
        found = desk.client.preview(made, history, COSTS, CASH, "at once", "now", words)
        opened, closed = (found["last_bar"][name] for name in ("opened", "closed"))
        assert opened < closed <= pd.Timestamp(desk.clock.now_ns(), tz="UTC")

        result = backtest(made, history, CASH, COSTS, opened)
        rows = result.decisions[result.decisions["ts"] == closed].astype(str)
        wanted = rows[["instrument", "decision", "entry", "reason"]].itertuples(index=False, name=None)
        assert told(found) == list(wanted)

        desk.client.deploy(made, history, COSTS, CASH, "at once", "now", words)
        desk.start()
        desk.runner.turn()
        body = next(row["body"] for row in desk.rows("EVALUATED", "now") if row["instant"] == closed)
        assert body.get("held_back", "") == found["last_bar"]["held_back"]
        if not found["last_bar"]["held_back"]:
            assert told(found) == [tuple(row) for row in body["decisions"]]
    finally:
        shutil.rmtree(place, ignore_errors=True)


# --- nothing is written -----------------------------------------------------------------------------------------------


def test_nothing_is_written(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    before = desk.store.path.read_bytes()  # type: ignore[union-attr]
    found = desk.client.preview(strategy(), desk.data, COSTS, CASH)
    assert found["can_deploy"] and found["problems"] == []
    with desk.store.read() as connection:
        counts = [connection.execute(sa.select(sa.func.count()).select_from(one)).scalar()
                  for one in (tables.deployments, tables.bars, tables.strategy_versions, tables.commands)]  # fmt: skip
    assert counts == [0, 0, 0, 0]
    assert desk.store.path.read_bytes() == before  # type: ignore[union-attr]


def test_it_is_plain_enough_for_json(folder: pathlib.Path) -> None:
    found = orjson.loads(encoded(Operated(folder).client.preview(strategy(), bars(), COSTS, CASH, START)))
    assert found["begins"].endswith("Z") and found["last_bar"]["decisions"][0]["instrument"] == "NSE:AAA"


# --- what it says -----------------------------------------------------------------------------------------------------


def test_it_says_what_comes_and_what_it_needs(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    history = desk.data["NSE:AAA"].between(None, "2023-01-10 05:31+00:00")
    desk.clock.wait_until(int(history.grid.close_ns[-1]))
    found = desk.client.preview(strategy(), history, COSTS, CASH)
    assert [str(at)[11:16] for at in found["next_evaluations"]] == ["06:00", "06:15", "06:30"]
    assert found["begins"] == pd.Timestamp(int(history.grid.close_ns[-1]), tz="UTC") and not found["is_at_once"]
    needs = strategy().program.warm_bars
    assert found["warm_up"]["is_warm"] and found["warm_up"]["needs_bars"] == needs
    assert found["warm_up"]["text"] == f"warm after {needs} bars, {found['warm_up']['bars']} stored"
    desk.client.deploy(strategy(), history, COSTS, CASH)
    warm = desk.client.status("dip")
    assert warm["next_evaluations"] == found["next_evaluations"] and warm["begins"] == found["begins"]
    assert warm["warm_up"]["bars"] == found["warm_up"]["bars"]
    assert warm["calendar"] == found["calendar"]


def test_what_is_not_warm_is_said(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    slow = strategy().replace(entry="SMA(close, 2000) > 0")
    found = desk.client.preview(slow, desk.data, COSTS, CASH)
    assert found["warm_up"]["text"].startswith("not warm: needs 2,000 bars, ")
    assert "WARMING_UP: the indicators are not warm" in found["last_bar"]["text"]


def test_an_old_bar_and_a_kill_hold_an_entry_back(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    always = strategy().replace(entry="close > 0")
    history = desk.data["NSE:AAA"].between(None, "2023-01-10 05:30+00:00")
    desk.clock.wait_until(int(history.grid.close_ns[-1]))
    assert "ENTRY_TRUE: it enters at the next open" in preview_text(desk, always, history)
    desk.client.kill("bad bars", wait_s=0)
    assert "nothing is sent: the kill switch is down" in preview_text(desk, always, history)
    desk.switch.arm("local", "", desk.clock.now_ns())
    desk.clock.wait_until(desk.clock.now_ns() + int(HOUR.value))
    assert "nothing is sent: the bar is old" in preview_text(desk, always, history)


def test_a_kill_of_one_name_holds_back_that_name_alone(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    desk.client.kill("bad bars", "dip", wait_s=0)
    desk.clock.wait_until(int(desk.data["NSE:AAA"].grid.close_ns[-1]))
    for name, word in (("dip", "KILLED"), ("other", ""), ("dip", "KILLED")):
        found = desk.client.preview(strategy(), desk.data, COSTS, CASH, name=name)
        assert found["last_bar"]["held_back"] == word


def test_the_same_question_is_answered_once_and_another_one_anew(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    made = strategy().replace(entry="close > 0", sizing=PercentOfEquity(1.0))
    history = desk.data["NSE:AAA"].between(None, "2023-01-10 05:30+00:00")
    preview._decided.cache_clear()
    first = desk.client.preview(made, history, COSTS, CASH)
    again = desk.client.preview(made, history, COSTS, CASH, name="other", start="at once", acknowledged=("at_once",))
    assert preview._decided.cache_info()[:2] == (1, 1), "asked twice, worked out once"
    assert again["last_bar"]["decisions"] == first["last_bar"]["decisions"]
    poor = desk.client.preview(made, history, COSTS, 5.0)
    assert preview._decided.cache_info()[:2] == (1, 2)
    assert [told(one)[0][1] for one in (first, poor)] == ["ENTRY_TRUE", "BLOCKED_CASH"]


def preview_text(desk: Operated, made: Strategy, history: Bars) -> str:
    text: str = desk.client.preview(made, history, COSTS, CASH)["last_bar"]["text"]
    return text


def test_a_limit_of_orders_that_is_reached_holds_an_entry_back(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.client.set_limit("orders_per_day", 0)
    history = desk.data["NSE:AAA"].between(None, "2023-01-10 05:30+00:00")
    desk.clock.wait_until(int(history.grid.close_ns[-1]))
    found = desk.client.preview(strategy().replace(entry="close > 0"), history, COSTS, CASH)
    assert found["last_bar"]["held_back"] == "LIMIT_ORDERS_PER_DAY"
    limits = {one["name"]: one for one in found["limits"]}
    assert limits["orders_per_day"]["allowed"] == 0 and limits["deployments"]["used"] == 0
    assert found["strategy_limits"] == {"max_open_positions": 10}


def test_X5_what_is_held_beside_is_said_and_whether_it_begins_paused(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    desk.start().run_to_position()
    found = desk.client.preview(shorts(), desk.data, COSTS, CASH, acknowledged=("short",))
    assert found["begins_paused"] and found["can_deploy"]
    assert found["existing"][0]["deployments"] == ["dip"] and found["exposure"][0]["deployments"] == ["dip"]
    assert "Beside this deployment you hold long" in found["warnings"][0]
    assert found["warnings"][1].startswith("It begins paused: you hold long")
    same = desk.client.preview(strategy(), desk.data, COSTS, CASH, name="second")
    assert same["existing"] and not same["begins_paused"]
    other = Client(desk.store, "other", clock=desk.clock).preview(strategy(), desk.data, COSTS, CASH)
    assert other["existing"] == other["exposure"] == []


def test_it_says_what_the_indicators_said(folder: pathlib.Path) -> None:
    made = strategy().replace(entry="RSI(5) < SMA(close, 3, '1h')")
    found = Operated(folder).client.preview(made, bars(), COSTS, CASH)
    values = found["last_bar"]["values"]["NSE:AAA"]
    wanted = {"RSI(close, 5)": "RSI(5)", "SMA(close, 3) of 1h": "SMA(close, 3, '1h')"}
    rows = {text: evaluate(text, bars(), timeframe="15m")[found["last_bar"]["opened"]] for text in wanted.values()}
    assert {name: values[name] for name in wanted} == {name: rows[text] for name, text in wanted.items()}


# --- what keeps it from being deployed --------------------------------------------------------------------------------


def test_a_name_that_is_taken_and_a_limit_are_problems(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    desk.client.set_limit("deployments", 1)
    found = desk.client.preview(strategy(), desk.data, COSTS, CASH)
    assert not found["can_deploy"]
    assert "called 'dip' already" in found["problems"][0] and "may have 1 deployment" in found["problems"][1]
    for name in ("dip", "free"):
        with pytest.raises(ConfigError) as refused:
            desk.client.deploy(strategy(), desk.data, COSTS, CASH, name=name)
        assert str(refused.value) in found["problems"]


def test_X5_what_must_be_acknowledged_is_a_problem_until_it_is(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    asked = (shorts(), desk.data, COSTS, CASH, "at once", "")
    found = desk.client.preview(*asked)
    assert list(found["to_acknowledge"]) == ["at_once", "short"] and not found["can_deploy"]
    assert "a short loses without bound" in found["to_acknowledge"]["short"]
    one = desk.client.preview(*asked, acknowledged=("short",))
    assert list(one["to_acknowledge"]) == ["at_once"] and one["problems"] == list(one["to_acknowledge"].values())
    assert desk.client.preview(*asked, acknowledged=("short", "at_once"))["can_deploy"]


BAD: list[dict[str, Any]] = [
    {"strategy": "dip"},
    {"initial_cash": -1.0},
    {"costs": None},
    {"history": {}},
    {"history": bars("BBB")["NSE:BBB"].frame},
    {"start": "yesterday"},
    {"strategy": strategy().replace(timeframe="7m")},
    {"strategy": shorts(daily_loss_limit_frac=None), "acknowledged": ("short",)},
    {"acknowledged": ("everything",)},
    {"strategy": strategy().replace(calendar="XNYS", instruments=("XNYS:AAA",))},
]


@pytest.mark.parametrize("bad", BAD, ids=",".join)
def test_what_can_never_be_deployed_is_refused_with_the_same_words(folder: pathlib.Path, bad: dict[str, Any]) -> None:
    desk = Operated(folder)
    asked = {"strategy": strategy(), "history": desk.data, "costs": COSTS, "initial_cash": CASH} | bad
    with pytest.raises(ConfigError) as deployed:
        desk.client.deploy(**asked)
    with pytest.raises(ConfigError) as previewed:
        desk.client.preview(**asked)
    assert str(previewed.value) == str(deployed.value)
    assert type(previewed.value) is type(deployed.value)


def test_a_day_that_no_calendar_covers_is_said(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.clock.wait_until(pd.Timestamp("2199-01-04 06:00", tz="UTC").value)
    assert desk.client.preview(strategy(), desk.data, COSTS, CASH)["calendar"]["session"] == "CALENDAR_UNKNOWN"
