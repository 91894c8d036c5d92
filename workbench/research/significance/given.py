"""What a question of significance is asked about: session returns, by set, and which set was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError
from workbench.market.calendar import resolve_calendar
from workbench.research.curve import FloatArray
from workbench.research.result import Result
from workbench.research.significance.sharpe import sharpe_ratios

if TYPE_CHECKING:
    from workbench.strategy import Strategy

#: Sessions of a year when only returns are given.
SESSIONS_PER_YEAR = 252.0


@runtime_checkable
class SweepLike(Protocol):
    """What is read of a sweep: ``workbench.research.sweep.Sweep``, or anything that has these."""

    @property
    def returns(self) -> pd.DataFrame:
        """Session returns, a row a session and a column a set, by the set's number."""

    @property
    def ranking(self) -> npt.NDArray[np.int64]:
        """Numbers of the sets, best first."""

    @property
    def best(self) -> Strategy:
        """The strategy of the first of them."""

    rank_by: str


@dataclass(frozen=True, eq=False)
class Given:
    """Session returns of everything that was tried, as far as it is known.

    Attributes
    ----------
    name : str
        Of what was chosen.
    returns : float64[sets, sessions]
        Finite. One row where a single result was given.
    chosen : int
        Row of the set that was chosen.
    ranked_by : str
        How it was chosen; empty where nothing was.
    n_trials : int
        Sets that were tried.
    trials_said : bool
        Whether the user gave that number, or there is a row for each.
    n_left_out : int
        Sets without finite returns: accounts that fell to nothing or into debt.
    sessions_per_year : float
        For annual figures.
    result : Result or None
        Where one was given.
    """

    name: str
    returns: FloatArray
    chosen: int
    ranked_by: str
    n_trials: int
    trials_said: bool
    n_left_out: int
    sessions_per_year: float
    result: Result | None = None

    @property
    def own(self) -> FloatArray:
        """Session returns of the chosen set."""
        return np.asarray(self.returns[self.chosen], dtype=np.float64)

    @property
    def is_sweep(self) -> bool:
        """Whether there are several sets to compare."""
        return len(self.returns) > 1


def given(tested: Any, trials: int | None, sessions_per_year: float | None) -> Given:
    """Read a result, a sweep or a table of returns.

    Parameters
    ----------
    tested : Result, sweep, Series or DataFrame
        A table has one row a session and one column a set; the column with the highest Sharpe ratio is the chosen one.
    trials : int, optional
        What was tried, if more than can be seen.
    sessions_per_year : float, optional
        Otherwise that of the calendar, or 252 of a table.

    Raises
    ------
    ConfigError
        It is none of these, or ``trials`` is fewer than can be seen.
    """
    if sessions_per_year is not None and not sessions_per_year > 0:
        raise ConfigError(f"sessions_per_year={sessions_per_year!r} is a number above 0, such as 252.")
    if isinstance(tested, Result):
        calendar = next(iter(tested.bars.values())).calendar
        year = sessions_per_year or float(calendar.sessions_per_year)
        rows = np.asarray(tested.sessions.returns, dtype=np.float64)[None, :]
        return _checked(f"{tested.strategy.name} {tested.strategy.version}", rows, 0, "", trials, year, tested)
    if isinstance(tested, (pd.DataFrame, pd.Series)):
        table = tested.to_frame() if isinstance(tested, pd.Series) else tested
        rows = _rows(table)
        year = sessions_per_year or SESSIONS_PER_YEAR
        chosen = _best(rows)
        name = str(table.columns[chosen]) if len(rows) else ""
        return _checked(name, rows, chosen, "sharpe_ann" if len(rows) > 1 else "", trials, year, None)
    if isinstance(tested, SweepLike):
        best, number = tested.best, int(tested.ranking[0])
        year = sessions_per_year or float(resolve_calendar(best.calendar).sessions_per_year)
        table = tested.returns
        rows = _rows(table)
        chosen = int(np.flatnonzero(table.columns == number)[0])
        name = f"{best.name} {best.version}, set {number}"
        return _checked(name, rows, chosen, tested.rank_by.removeprefix("-"), trials, year, None)
    raise ConfigError(
        f"significance of {type(tested).__name__}: give a Result, a sweep, or a DataFrame of session returns with one "
        "column a set."
    )


def _rows(table: pd.DataFrame) -> FloatArray:
    """float64[sets, sessions] of a table with a column a set."""
    return np.ascontiguousarray(table.to_numpy(dtype=np.float64, na_value=np.nan).T)


def _whole(rows: FloatArray) -> npt.NDArray[np.bool_]:
    """bool[sets]: whether every return of a set is a number."""
    return np.asarray(np.isfinite(rows).all(axis=1), dtype=np.bool_)


def _best(rows: FloatArray) -> int:
    """Row with the highest Sharpe ratio, the first of several; 0 where none has one."""
    if rows.ndim != 2 or rows.shape[1] < 2 or not len(rows):
        return 0
    ratios = sharpe_ratios(np.where(_whole(rows)[:, None], rows, 0.0))
    return int(np.nanargmax(ratios)) if not np.isnan(ratios).all() else 0


def _checked(
    name: str, rows: FloatArray, chosen: int, ranked_by: str, trials: int | None, year: float, result: Result | None
) -> Given:
    if rows.ndim != 2 or not len(rows):
        raise ConfigError("significance of nothing: there is no set of session returns.")
    if trials is not None and (type(trials) is not int or trials < 1):
        raise ConfigError(f"trials={trials!r} is a whole number from 1: how many variants were tried in all.")
    if trials is not None and trials < len(rows):
        raise ConfigError(f"trials={trials} is fewer than the {len(rows)} sets that are given.")
    if not 0 <= chosen < len(rows):
        raise ConfigError(f"best={chosen} is no row of {len(rows)} sets.")
    whole = _whole(rows)
    kept = np.ascontiguousarray(rows[whole]) if whole[chosen] else rows[chosen : chosen + 1]
    position = int(np.count_nonzero(whole[:chosen])) if whole[chosen] else 0
    said = trials is not None or len(rows) > 1
    left_out = int(np.count_nonzero(~whole))
    counted = len(rows) if trials is None else int(trials)
    return Given(name, kept, position, ranked_by, counted, said, left_out, year, result)
