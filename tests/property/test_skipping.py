"""The loop of a sweep, which passes over bars, against the loop that walks every bar, on random worlds."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from tests.engine_adapter import build, callable_charges, rates_table
from tests.reference import scenario
from workbench.engine.course import course_of
from workbench.engine.desk import grown, written
from workbench.engine.loop import run
from workbench.engine.records import Curve
from workbench.engine.skipping import run_quickly
from workbench.engine.tally import new_tally
from workbench.research.curve import EquityRows, Summary, summary_of, summary_of_tally
from workbench.research.frames import trade_numbers, trades_of
from workbench.research.stats import statistics_of
from workbench.schema import Signal

CASH = 1_000_000.0


def one_instrument(seed: int) -> dict[str, Any] | None:
    """A random world, cut down to its first instrument."""
    world = scenario(seed)
    first = min(world["instruments"])
    for key in ("instruments", "bars", "signals"):
        world[key] = {first: world[key][first]}
    world["initial_cash"] = CASH
    rates = rates_table(seed)
    world["costs"]["charges"] = callable_charges(rates)
    return build(world, rates)


def walked(built: dict[str, Any]) -> tuple[Any, Summary]:
    """Every bar."""
    desk, market, m = built["desk"], built["market"], len(built["market"].open)
    curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
    at = close = 0
    while at < m:
        at, close = run(desk, market, built["signals"], curve, at, close)
        desk = grown(desk) if at < m else desk
    rows = ~np.isnan(market.close[:, 0])
    session = np.asarray(market.times.session)[rows]
    dates = np.arange(int(session.max(initial=0)) + 1, dtype=np.int32)
    equity = curve.cash[rows] + curve.position_value[rows]
    return desk, summary_of(EquityRows(equity, curve.cash[rows], curve.held[rows], session, dates, CASH, 252.0))


def skipped(built: dict[str, Any]) -> tuple[Any, Summary]:
    """As a sweep does."""
    desk, market, m = built["desk"], built["market"], len(built["market"].open)
    sessions = int(market.times.session.max(initial=0)) + 1
    course = course_of(market, (built["signals"].flags[:, 0] & np.uint8(Signal.BAR)) > 0, sessions)
    tally = new_tally(sessions, CASH)
    at = close = 0
    while at < m:
        at, close = run_quickly(desk, market, built["signals"], course, tally, at, close)
        desk = grown(desk) if at < m else desk
    return desk, summary_of_tally(tally, course, np.arange(sessions, dtype=np.int32), CASH, 252.0)


def compared(seed: int) -> int:
    """Compare one world in every byte; the count of its trades."""
    (desk, whole), (quick_desk, quick) = walked(one_instrument(seed)), skipped(one_instrument(seed))
    for name in ("fills", "trades"):
        ours, theirs = written(quick_desk, name), written(desk, name)
        assert len(ours) == len(theirs), (seed, name)
        for field in ours.dtype.names:
            assert ours[field].tobytes() == theirs[field].tobytes(), (seed, name, field)
    numbers = [trade_numbers(trades_of(one)) for one in (desk, quick_desk)]
    for field, values in numbers[0].items():
        assert values.tobytes() == numbers[1][field].tobytes(), (seed, "open trades", field)
    for one in dataclasses.fields(Summary):
        ours, theirs = getattr(quick, one.name), getattr(whole, one.name)
        if one.name == "sessions":
            assert ours.date.tobytes() == theirs.date.tobytes(), (seed, "dates")
            assert ours.equity.tobytes() == theirs.equity.tobytes(), (seed, "equity")
        elif one.name != "mean_equity":
            assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes(), (seed, one.name, ours, theirs)
    fills = {name: written(desk, "fills")[name] for name in ("qty", "price", "charges")}
    mine, other = (statistics_of(part, trades, fills) for part, trades in zip((whole, quick), numbers, strict=True))
    mine.pop("turnover"), other.pop("turnover")
    assert mine == other, seed
    return len(written(desk, "trades"))


def test_R4_passing_over_bars_changes_nothing() -> None:
    trades = [compared(seed) for seed in range(150)]
    assert sum(trades) > 150, "too few trades to prove anything"


@pytest.mark.fuzz
@pytest.mark.timeout(1_800)
def test_R4_passing_over_bars_changes_nothing_in_five_thousand_worlds() -> None:
    trades = [compared(seed) for seed in range(1_000, 6_000)]
    assert sum(trades) > 5_000
