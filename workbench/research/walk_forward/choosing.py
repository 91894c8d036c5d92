"""Which set of a sweep is traded next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError
from workbench.research.curve import EquityRows
from workbench.research.stats import statistics
from workbench.research.sweep import Sweep
from workbench.research.sweep.plateau import plateau_scores

#: Statistics that the returns of sessions determine, so that sessions can be left out of them.
OF_RETURNS = (
    "total_return_frac", "cagr_frac", "volatility_ann", "sharpe_ann", "sortino_ann", "var_95_frac", "es_95_frac",
    "best_session_frac", "worst_session_frac",
)  # fmt: skip


class Choice(NamedTuple):
    """What training came to.

    Attributes
    ----------
    number : int or None
        Of the chosen set; None where the statistic that chooses is undefined for all.
    statistic : float
        The rank statistic of that set, NaN without one.
    """

    number: int | None
    statistic: float


def check_embargo(rank_by: str, embargo_sessions: int) -> None:
    """ConfigError for a statistic that sessions cannot be left out of."""
    name = rank_by.removeprefix("-")
    if embargo_sessions and name not in OF_RETURNS:
        raise ConfigError(
            f"embargo_sessions leaves sessions out of the statistic that ranks, and {name!r} is more than the returns "
            f"of sessions; rank by one of {', '.join(OF_RETURNS)}."
        )


def choice_of(sweep: Sweep, choose: str, left_out: Sequence[pd.Timestamp], sessions_per_year: float) -> Choice:
    """Choose a set.

    Parameters
    ----------
    sweep : Sweep
        Over the training.
    choose : {"best", "plateau"}
        The best statistic, or the best worst neighbour; ties in the order of the sets.
    left_out : sequence of Timestamp
        Sessions that do not count.
    sessions_per_year : float
        Of the calendar.
    """
    name = sweep.rank_by.removeprefix("-")
    sign = -1.0 if sweep.rank_by.startswith("-") else 1.0
    in_order = sweep.table.sort_index()
    values = in_order[name].to_numpy(np.float64)
    if len(left_out):
        values = _without(sweep.returns, left_out, name, sessions_per_year)
    scores = sign * values
    if choose == "plateau":
        columns = [in_order[one].tolist() for one in sweep.parameters]
        scores = plateau_scores(list(zip(*columns, strict=True)), scores)
    if np.isnan(scores).all():
        return Choice(None, float("nan"))
    number = int(np.nanargmax(scores))
    return Choice(number, float(values[number]))


def _without(
    returns: pd.DataFrame, left_out: Sequence[pd.Timestamp], name: str, sessions_per_year: float
) -> npt.NDArray[np.float64]:
    """The statistic of each set over the sessions that count, by the one function of R3."""
    counted = returns.loc[~returns.index.isin(left_out)].to_numpy(np.float64)
    session = np.arange(len(counted), dtype=np.int32)
    trades, fills = pd.DataFrame(columns=_TRADES), pd.DataFrame(columns=_FILLS)
    values = np.full(counted.shape[1], np.nan)
    for i in range(len(values)):
        equity = np.asarray(np.cumprod(1.0 + counted[:, i]), np.float64)
        if np.isfinite(equity).all():
            idle = np.zeros(len(equity), np.bool_)
            rows = EquityRows(equity, equity, idle, session, session, 1.0, sessions_per_year)
            found = statistics(rows, trades, fills)[name]
            values[i] = np.nan if found is None else found
    return values


_TRADES = ("is_open", "net_pnl", "return_frac", "r_multiple", "bars_held")
_FILLS = ("qty", "price", "charges")
