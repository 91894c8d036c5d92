"""What other deployments do to those that run: bars that they bring, and one that cannot be put together."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.operated import CASH, COSTS, START, folder, strategy
from tests.watched import DATA, Watched, watched
from workbench.journal import tables
from workbench.live.exit_codes import Exit
from workbench.live.replay import find, replayed
from workbench.live.standing import NO_COUNTS
from workbench.market.bars import Bars
from workbench.research.backtest import backtest

__all__ = ["folder", "watched"]


@pytest.mark.parametrize("is_missing", [False, True])
def test_B5_what_the_history_of_another_stored_first_is_what_counts(watched: Watched, is_missing: bool) -> None:
    (name,), (one,) = DATA.keys(), DATA.values()
    other = one.frame.copy()
    other["close"] = other["open"]
    ahead = {name: Bars(other, one.timeframe, one.calendar)}
    passed: list[pd.Timestamp] = []

    def deploy() -> None:
        passed.append(watched.client.status("dip")["heartbeat"])
        watched.client.deploy(strategy(), ahead, COSTS, CASH, "2023-01-11", "late")

    watched.ends = False
    watched.on_take[30] = deploy
    last = one.frame.index[-1]
    watched.on_take[200] = lambda: watched.ending.ask("test")
    if is_missing:
        # The feed has not got the bar that passes while the other is being deployed.
        watched.without = {int(pd.Timestamp(f"{START} 06:05", tz="UTC").value)}
    assert watched.serve() == Exit.DONE
    kept = _kept(watched)
    spliced = one.frame.copy()
    spliced.loc[kept.index] = kept
    changed = kept.index[(kept["close"] != one.frame["close"].loc[kept.index])]
    assert passed[0] <= changed[0] and changed[-1] < pd.Timestamp("2023-01-11", tz="UTC") < last
    result = backtest(strategy(), {name: Bars(spliced, one.timeframe, one.calendar)}, CASH, COSTS, START)
    assert_frame_equal(watched.client.trades("dip"), result.trades, check_exact=True)
    assert_frame_equal(watched.client.equity("dip"), result.equity, check_exact=True)
    with watched.client.store.read() as connection:
        assert replayed(connection, find(connection, "dip", "local")).differences == []
    told = {row["instant"] for row in watched.client.journal("dip", "BAR_REVISED", limit=1000).to_dict("records")}
    assert told == set(changed) - {pd.Timestamp(ns, tz="UTC") for ns in watched.without}


def _kept(watched: Watched) -> pd.DataFrame:
    """Bars as they are stored and counted."""
    with watched.client.store.read() as connection:
        rows = connection.execute(tables.bars.select().where(tables.bars.c.revision == 0)).mappings().all()
    frame = pd.DataFrame(rows)[["ts_ns", "open", "high", "low", "close", "volume"]].set_index("ts_ns").sort_index()
    frame.index = pd.DatetimeIndex(frame.index, tz="UTC", name="ts")
    return frame


def test_one_that_cannot_be_put_together_ends_nobody_and_is_taken_on_when_it_is_resumed(watched: Watched) -> None:
    watched.deploy("bad")
    states, deployments = tables.deployment_states, tables.deployments
    with watched.client.store.write() as connection:
        ident = connection.execute(deployments.select().where(deployments.c.name == "bad")).one().id
        connection.execute(states.update().where(states.c.deployment_id == ident).values(counts="{"))

    def mended() -> None:
        with watched.client.store.write() as connection:
            ours = states.c.deployment_id == ident
            connection.execute(states.update().where(ours).values(counts=json.dumps(NO_COUNTS)))
        watched.client.resume("bad", "mended", wait_s=0)

    watched.on_take[30] = mended
    assert watched.serve() == Exit.DONE
    assert watched.said("runs 1 deployment: dip") and watched.said("bad stands aside: it cannot be put together: ")
    assert watched.said("RESUME, asked by local: bad can be put together again") and watched.said("runs 2 deployments")
    assert watched.equals_backtest("dip")
    assert watched.seen("bad").keys() == watched.seen("dip").keys()
