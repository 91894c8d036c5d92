"""What stages look at: the strategy, its bars in two parts, and results that several of them need, each made once.

Research sees the sessions up to the split; the rest is held out for paper trading and the last test. A run over the
held-out part sees all bars before it, so that it begins warm, and an account of its own.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.fitting import bars_by_instrument, common_grid
from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.sessions import date_of
from workbench.promotion import functions
from workbench.promotion.given import Given
from workbench.promotion.settings import Settings
from workbench.research.backtest import backtest
from workbench.research.result import Result
from workbench.strategy import Strategy

T = TypeVar("T")


class Case:
    """One promotion, as its stages see it.

    Parameters
    ----------
    given : Given
        What is promoted.
    folder : Path
        Where it was written, and where a stage may write.
    """

    def __init__(self, given: Given, folder: pathlib.Path) -> None:
        self.given, self.folder = given, folder
        self._made: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What several parts of one stage look at, made when it is first asked for."""
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found

    @property
    def settings(self) -> Settings:
        """What must be reached."""
        return self.given.settings

    @cached_property
    def strategy(self) -> Strategy:
        """The strategy; an error of ``errors`` if there is none, which only stage 1 expects."""
        if self.given.subject.is_function:
            return functions.kept_strategy(self.folder, self.given)
        return Strategy.from_toml(self.given.subject.text)

    @cached_property
    def data(self) -> dict[str, Bars]:
        """Bars of the strategy's instruments; those of a function with what it says of all of them."""
        if self.given.subject.is_function:
            return functions.taped_data(self.strategy, self.given.data, functions.kept_codes(self.folder))
        return bars_by_instrument(self.strategy, self.given.data)

    @cached_property
    def sessions(self) -> list[pd.Timestamp]:
        """Dates of the sessions that have a bar."""
        return sessions_of(self.given.data)

    @property
    def n_held_out(self) -> int:
        """Sessions held out."""
        return held_out(len(self.sessions), self.settings.data.held_out_frac)

    @property
    def held_out_from(self) -> str:
        """Date of the first session held out, ISO."""
        return str(self.sessions[-self.n_held_out].date())

    def is_held_out(self, bars: Bars) -> npt.NDArray[np.bool_]:
        """Which bars are of a session held out."""
        day = np.datetime64(self.sessions[-self.n_held_out].date(), "D").astype(np.int64)
        held: npt.NDArray[np.bool_] = bars.grid.sessions.date[bars.grid.session[bars.at]] >= day
        return held

    @cached_property
    def research(self) -> dict[str, Bars]:
        """Bars of the sessions before."""
        last = str(self.sessions[-self.n_held_out - 1].date())
        return {name: item.between(None, last) for name, item in self.data.items()}

    @cached_property
    def result(self) -> Result:
        """The research part, costs on."""
        return backtest(self.strategy, self.research, self.given.initial_cash, self.given.costs)

    @cached_property
    def held_out_result(self) -> Result:
        """The part held out, costs on."""
        return backtest(self.strategy, self.data, self.given.initial_cash, self.given.costs, self.held_out_from)

    def last_bars(self, count: int) -> dict[str, Bars]:
        """About as many of the last research bars of each instrument, cut at the same session."""
        return self.once(f"last {count} bars", lambda: self._last_bars(count))

    def _last_bars(self, count: int) -> dict[str, Bars]:
        grid = common_grid(self.research)
        first = grid.session[max(0, len(grid) - count)]
        begin = str(date_of(int(grid.sessions.date[first])))
        return {name: item.between(begin, None) for name, item in self.research.items()}


def sessions_of(data: Mapping[str, Bars]) -> list[pd.Timestamp]:
    """Dates of sessions in which any instrument has a bar, ascending."""
    dates = [item.grid.sessions.date[np.unique(item.grid.session[item.at])] for item in data.values()]
    found = np.unique(np.concatenate(dates)).astype("datetime64[D]")
    return [pd.Timestamp(one) for one in found]


def held_out(n_sessions: int, frac: float) -> int:
    """How many of some sessions are held out: at least one, and at least one is not.

    Raises
    ------
    ConfigError
        There are fewer than two.
    """
    if n_sessions < 2:
        raise ConfigError(f"the bars have {n_sessions} session(s), and two are needed to hold one out.")
    return min(max(1, round(n_sessions * frac)), n_sessions - 1)
