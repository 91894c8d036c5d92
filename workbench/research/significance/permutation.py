"""The same trades at other times: what a strategy's timing is worth beside a random one.

How it works: all trades of a result are moved together by a number of whole sessions, round the end to the beginning.
Each keeps its instrument, direction, size (as a share of equity), holding time and time of day, and its distance from
the others; only what the market did at these times changes. Every other shift is a random strategy with the same
habits. Prices are those of the bars: an entry fills at the open of its bar; an exit at the open too, or, if a stop or
target caught it inside the bar, at the bar's close. The real trades are taken at the prices they had, with charges and
slippage left out on both sides.

What is assumed (the null): when the strategy was in the market has nothing to do with what the market did then, and
one session is like another. So a strategy that is long in a rising market is not praised for that: its shifts are long
too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.engine.fitting import common_grid
from workbench.research.curve import FloatArray

if TYPE_CHECKING:
    import pandas as pd

    from workbench.market.bars import Bars
    from workbench.market.grid import Grid
    from workbench.research.result import Result

Integers = npt.NDArray[np.int64]

#: Fewer trades than this have no timing to judge.
MIN_TRADES = 5
#: Reasons that leave inside a bar.
_INSIDE = ("STOP_LOSS", "TRAILING_STOP", "TAKE_PROFIT")


@dataclass(frozen=True, eq=False)
class Shifts:
    """The trades of a result beside the same trades at other times.

    Attributes
    ----------
    random_frac : float
        Share of the shifts, the real one among them, that gained at least as much.
    gained_frac : float
        Sum over the real trades of their gain, each as a fraction of the equity at its entry, before costs.
    shifted_frac : float64[shifts]
        The same of each shift.
    """

    random_frac: float
    gained_frac: float
    shifted_frac: FloatArray

    @property
    def n_shifts(self) -> int:
        """How many other times there were."""
        return len(self.shifted_frac)


def shifted(result: Result, draws: int, seed: int) -> Shifts:
    """Move the trades of a result by whole sessions.

    Parameters
    ----------
    result : Result
        With at least ``MIN_TRADES`` trades over at least a handful of sessions.
    draws : int
        The most shifts to try; all of them where there are fewer.
    seed : int
        Which of them, where there are more.
    """
    grid = common_grid(result.bars)
    first = int(np.searchsorted(grid.close_ns, result.equity.index[0].value))
    shifts = np.arange(1, int(grid.session[-1]) - int(grid.session[first]) + 1)
    if len(shifts) > draws:
        shifts = np.sort(np.random.default_rng(seed).permutation(shifts)[:draws])
    gains = np.zeros(len(shifts))
    real = 0.0
    for name, trades in result.trades.groupby("instrument", sort=True):
        bars = result.bars[str(name)]
        layout = _Layout(bars, grid, first)
        schedule, prices = _Schedule(result, grid, trades, layout.last), _Prices(bars, layout, len(grid))
        real += schedule.real()
        for row, shift in enumerate(shifts):
            gains[row] += schedule.gain(prices, layout, int(shift))
    # Sums of the same gains in another order differ in their last digits.
    reached = gains >= real - 1e-12 * max(1.0, abs(real))
    share = (1 + int(np.count_nonzero(reached))) / (1 + len(shifts))
    return Shifts(share, real, gains)


class _Layout:
    """The sessions in which one instrument can be traded: from its first bar, or the first row of equity, to its last.

    An instrument that was listed later is moved round in its own sessions: before, there was nothing to trade.
    """

    def __init__(self, bars: Bars, grid: Grid, first: int) -> None:
        at = np.asarray(grid.locate(bars.ts_ns))
        self.at, self.last = at, int(at[-1])
        self.session = np.asarray(grid.session, np.int64)
        self.first_session = int(self.session[max(first, int(at[0]))])
        self.n_sessions = int(self.session[self.last]) - self.first_session + 1
        self.begins = np.searchsorted(self.session, np.arange(int(self.session[-1]) + 2))

    def moved(self, at: Integers, shift: int) -> Integers:
        """The interval at the same place of the session ``shift`` sessions later; the last one of a shorter session."""
        own = self.session[at]
        place = at - self.begins[own]
        other = (own - self.first_session + shift) % self.n_sessions + self.first_session
        return np.asarray(np.minimum(self.begins[other] + place, self.begins[other + 1] - 1), dtype=np.int64)


class _Prices:
    """Opens and closes of one instrument by interval of the grid; where it has no bar, its close before."""

    def __init__(self, bars: Bars, layout: _Layout, length: int) -> None:
        own = np.full(length, -1, np.int64)
        own[layout.at] = np.arange(len(layout.at))
        held = np.maximum.accumulate(own)
        # Before the first bar there is only its open.
        self.close = np.where(held >= 0, bars.close[held], bars.open[0])
        self.open = np.where(own >= 0, bars.open[held], self.close)
        # Round the end to the beginning, as if the first open followed the last close.
        self.round_the_end = float(self.close[layout.last] / self.open[layout.begins[layout.first_session]])


class _Schedule:
    """When the trades of one instrument begin and end, by session and place in it, and how large they are."""

    def __init__(self, result: Result, grid: Grid, trades: pd.DataFrame, last: int) -> None:
        self._direction = np.where(trades["direction"] == "LONG", 1.0, -1.0)
        notional = (trades["qty"] * trades["entry_price"]).to_numpy(dtype=np.float64)
        before = result.equity.index.searchsorted(trades["entry_ts"], side="right") - 1
        equity = np.where(before >= 0, result.equity["equity"].to_numpy()[before], result.initial_cash)
        self._weight = np.where(equity > 0.0, notional / np.where(equity > 0.0, equity, 1.0), 0.0)
        slippage = float(result.costs.slippage_frac)
        is_open, target = trades["is_open"].to_numpy(dtype=bool), trades["exit_reason"].to_numpy() == "TAKE_PROFIT"
        paid = slippage * (1.0 + ~(is_open | target))
        self._gained = trades["gross_pnl"].to_numpy(dtype=np.float64) / notional + paid
        self._enters = _intervals(grid, trades["entry_ts"])
        exits = trades["exit_ts"].fillna(trades["entry_ts"])
        self._exits = np.where(is_open, last, _intervals(grid, exits))
        self._at_close = is_open | trades["exit_reason"].isin(_INSIDE).to_numpy(dtype=bool)

    def real(self) -> float:
        """Sum of gains of the real trades, fractions of equity, before costs."""
        return float((self._weight * self._gained).sum())

    def gain(self, prices: _Prices, layout: _Layout, shift: int) -> float:
        """The same at the prices of another time."""
        enter, leave = layout.moved(self._enters, shift), layout.moved(self._exits, shift)
        end = np.where(self._at_close, prices.close[leave], prices.open[leave])
        ratio = end / prices.open[enter] * np.where(leave < enter, prices.round_the_end, 1.0)
        return float((self._weight * self._direction * (ratio - 1.0)).sum())


def _intervals(grid: Grid, instants: pd.Series[pd.Timestamp]) -> Integers:
    """Positions in the grid of the bars that opened at these instants."""
    ns = instants.astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    found = np.searchsorted(grid.open_ns, ns)
    assert np.array_equal(grid.open_ns[found], ns), "a trade begins and ends with an interval"
    return np.asarray(found, dtype=np.int64)
