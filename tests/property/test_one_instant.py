"""One instant from Python is the loop's instant: the live runner's call against the backtest's, byte for byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine_adapter import build, callable_charges, rates_table, rows_of, run_engine
from tests.reference import scenario
from workbench.engine.desk import grown
from workbench.engine.one_instant import OneInstant
from workbench.engine.records import Curve, Instant


def drive(built: dict[str, Any]) -> tuple[OneInstant, Curve]:
    """Advance instant by instant, growing buffers when the call says that they are full."""
    market, signals = built["market"], built["signals"]
    m = len(market.open)
    curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
    one = OneInstant(built["desk"], ranked=True, with_atr=True)
    closes = 0
    for i in range(m):
        for room, column in zip((*one.market.times, *one.market[1:]), (*market.times, *market[1:]), strict=True):
            room[0] = column[i]
        is_close = bool(market.times.flags[i] & Instant.STRATEGY_CLOSE)
        for room, column in zip(one.signals, signals, strict=True):
            if is_close:
                room[0] = column[closes]
        stepped = one.advance()
        while stepped < 0:
            one.use(grown(one.desk))
            stepped = one.advance()
        assert stepped == int(is_close)
        closes += stepped
        account = one.desk.account[0]
        curve.cash[i], curve.position_value[i] = account["cash"], account["position_value"]
        curve.held[i] = account["n_positions"] > 0
    return one, curve


@pytest.mark.parametrize("seed", range(24))
def test_D3_one_instant_at_a_time_is_the_loop_over_all(seed: int) -> None:
    world = scenario(seed)
    rates = rates_table(seed)
    world["costs"]["charges"] = callable_charges(rates)
    whole = run_engine(build(world, rates))
    apart = build(world, rates)
    one, curve = drive(apart)
    assert repr(rows_of(one.desk, apart["market"], curve, apart["names"])) == repr(whole)
