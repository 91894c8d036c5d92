"""A paper runner of thirty lines: expressions bar by bar, one instant at a time through the compiled step.

It may be stopped after any instant; what it remembers is a few bytes, and going on from them is going on.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.costs import CostModel
from workbench.engine.desk import grown, new_desk, written
from workbench.engine.fitting import common_grid
from workbench.engine.loop import run
from workbench.engine.records import Curve, Desk, Market, Signals
from workbench.engine.timetable import timetable
from workbench.expressions.stepper import Stepper
from workbench.market.bars import Bars
from workbench.market.grid import buckets
from workbench.market.instruments import instrument
from workbench.schema import Signal
from workbench.strategy import Strategy

OUTPUTS = ("actions", "fills", "trades", "decisions", "notes")
ROOTS = {"entry": Signal.ENTRY, "exit": Signal.EXIT, "short_entry": Signal.SHORT_ENTRY, "short_exit": Signal.SHORT_EXIT}

Tables = dict[str, npt.NDArray[Any]]


def fields_differ(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> list[str]:
    """Fields of two record arrays whose bytes differ; the gaps between fields mean nothing."""
    if ours.dtype.names is None:
        return [] if ours.tobytes() == theirs.tobytes() else ["values"]
    return [name for name in ours.dtype.names if ours[name].tobytes() != theirs[name].tobytes()]


def assert_same_bytes(ours: Tables, theirs: Tables) -> None:
    """Fail at the first table that is not the same in every field of every row, to the last bit."""
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert len(ours[name]) == len(theirs[name]), f"{name}: {len(ours[name])} rows against {len(theirs[name])}"
        different = fields_differ(ours[name], theirs[name])
        assert not different, f"{name} differs in {different}"


def left_behind(desk: Desk, curve: Curve) -> Tables:
    """Everything a run leaves behind."""
    kept = {name: written(desk, name) for name in OUTPUTS}
    return {
        **kept,
        "account": desk.account,
        "positions": desk.positions,
        "cash": curve.cash,
        "position_value": curve.position_value,
        "held": curve.held,
    }


class Paper:
    """One strategy over some instruments, fed instant by instant.

    Parameters
    ----------
    strategy, data, costs, initial_cash
        As for ``wb.backtest``; data sorted by instrument.
    """

    def __init__(self, strategy: Strategy, data: dict[str, Bars], costs: CostModel, initial_cash: float = 1e6) -> None:
        self.strategy, self.costs, self.initial_cash = strategy, costs, initial_cash
        self.names, self.grid = sorted(data), common_grid({name: data[name] for name in sorted(data)})
        m, n = len(self.grid), len(data)
        self.bars = np.full((m, n, 5), np.nan)
        for k, name in enumerate(self.names):
            item = data[name]
            self.bars[self.grid.locate(item.ts_ns), k] = np.column_stack(
                [item.open, item.high, item.low, item.close, item.volume]
            )
        proxy = strategy.execution == "proxy_close"
        own = strategy.bar_timeframe
        self.times = timetable(strategy, self.grid, buckets(self.grid, own, cut_at_proxy=proxy and own.is_daily))
        self.steppers = [Stepper([strategy.program], self.grid, cut_at_proxy=proxy) for _ in self.names]
        self.desk = self.new_desk()
        self.curve = Curve(np.empty(m), np.empty(m), np.empty(m, np.bool_))
        self.shown: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in OUTPUTS}

    def new_desk(self) -> Desk:
        """A desk of this strategy that knows nothing yet."""
        return new_desk(self.strategy, [instrument(name) for name in self.names], self.costs, self.initial_cash)

    def signals(self, i: int) -> Signals:
        """Feed instant ``i`` to the expressions; one row of what they say."""
        n, roots = len(self.names), self.strategy.program.roots
        flags, rank, atr = np.zeros((1, n), np.uint8), np.full((1, n), np.nan), np.full((1, n), np.nan)
        for k, stepper in enumerate(self.steppers):
            bar = self.bars[i, k]
            if self.strategy.bar_timeframe not in stepper.feed(None if np.isnan(bar[3]) else bar.tolist()):
                continue
            flags[0, k] = Signal.BAR | (Signal.WARM if stepper.is_warm() else 0)
            for root, bit in ROOTS.items():
                if root in roots and stepper.value(root) == 1.0:
                    flags[0, k] |= bit
            rank[0, k] = stepper.value("rank") if "rank" in roots else np.nan
            atr[0, k] = stepper.value("stop_atr") if "stop_atr" in roots else np.nan
        nothing = np.empty((0, n))
        return Signals(flags, rank if "rank" in roots else nothing, atr if "stop_atr" in roots else nothing)

    def advance(self, i: int) -> None:
        """Let one instant pass, through the compiled step with arrays of length one."""
        signals = self.signals(i)
        prices = (np.ascontiguousarray(self.bars[i : i + 1, :, column]) for column in range(4))
        market = Market(self.times.part(i, i + 1), *prices)
        curve = Curve(*(column[i : i + 1] for column in self.curve))
        while run(self.desk, market, signals, curve, 0, 0)[0] == 0:
            self.desk = grown(self.desk)

    def restart(self) -> None:
        """Stop and start: all that survives is the account, the positions and the memory of the expressions, as bytes.

        What was put out is handed over, as a runner hands it to its journal, and forgotten.
        """
        for name in OUTPUTS:
            self.shown[name].append(written(self.desk, name).copy())
        survives = pickle.dumps((self.desk.account, self.desk.positions, [one.save() for one in self.steppers]))
        account, positions, memories = pickle.loads(survives)
        for name in OUTPUTS:
            account[f"n_{name}"] = 0
        self.desk = self.new_desk()._replace(account=account, positions=positions)
        self.steppers = [Stepper([self.strategy.program], self.grid, one.cut_at_proxy) for one in self.steppers]
        for stepper, memory in zip(self.steppers, memories, strict=True):
            stepper.restore(memory)

    def tables(self) -> Tables:
        """Everything it left behind, before all restarts and since."""
        now = left_behind(self.desk, self.curve)
        for name in OUTPUTS:
            now[name] = np.concatenate([*self.shown[name], now[name]])
        account = now["account"].copy()
        for name in OUTPUTS:
            account[f"n_{name}"] = len(now[name])
        return {**now, "account": account}
