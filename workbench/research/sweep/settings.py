"""The settings of a sweep: how sets are chosen, what is computed of them, and where they run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import workbench.costs as cost_models
from workbench.costs import CostModel
from workbench.errors import ConfigError
from workbench.research.sweep.space import Where
from workbench.strategy.checks import suggestion

#: What ``executor`` may be.
EXECUTORS = ("threads", "dask")

#: Columns of the table unless others are asked for.
STATISTICS = (
    "total_return_frac", "cagr_frac", "sharpe_ann", "sortino_ann", "max_drawdown_frac", "calmar", "n_trades",
    "win_rate_frac", "profit_factor", "expectancy_r", "exposure_frac", "charges", "final_equity",
)  # fmt: skip


class Settings(TypedDict, total=False):
    """What a sweep takes besides strategy, bars, parameters and the statistic that ranks.

    Attributes
    ----------
    initial_cash, costs, start
        As for ``wb.backtest``.
    statistics : sequence of str, or "all"
        Columns of the table besides the parameters. ``turnover`` asks for the equity of every bar, which takes several
        times as long as all others.
    where : str or callable
        Which sets make sense: ``"fast < slow"``, or a function of the parameters by name.
    sample : int
        So many sets instead of all.
    method : {"random", "latin_hypercube"}
        How the sample is drawn.
    seed : int
        Of the sample.
    workers : int
        Threads; as many as there are processors unless given. The rows do not depend on it.
    executor : {"threads", "dask"}
        Where the sets run: here, or on the Dask cluster this process is a client of (``workers`` then has no part).
    keep : bool or path
        Finished sets are kept in the project's home (or in this folder), so that after an interruption the same sweep
        goes on where it was; True unless given.
    progress : bool
        Show a bar with the time that is left; True unless given.
    """

    initial_cash: float
    costs: CostModel | None
    start: Any
    statistics: Sequence[str] | str
    where: Where
    sample: int | None
    method: str
    seed: int
    workers: int | None
    executor: str
    keep: bool | str | os.PathLike[str]
    progress: bool


@dataclass(frozen=True)
class Chosen:
    """Settings with every default in its place; attributes as in ``Settings``."""

    costs: CostModel
    workers: int
    initial_cash: float = 1_000_000.0
    start: Any = None
    statistics: Sequence[str] | str = STATISTICS
    where: Where = None
    sample: int | None = None
    method: str = "random"
    seed: int = 0
    executor: str = "threads"
    keep: bool | str | os.PathLike[str] = True
    progress: bool = True


def chosen(settings: Settings) -> Chosen:
    """Put the defaults in; ConfigError for a name, an executor or a number of workers that does not exist."""
    unknown = [name for name in settings if name not in Settings.__annotations__]
    if unknown:
        near = suggestion(unknown[0], Settings.__annotations__)
        raise ConfigError(f"sweep takes no {unknown[0]!r}{near}. It takes {', '.join(Settings.__annotations__)}.")
    given: dict[str, Any] = dict(settings)
    given["costs"] = given.get("costs") or cost_models.none()
    workers = given.get("workers")
    given["workers"] = os.cpu_count() or 1 if workers is None else workers
    found = Chosen(**given)
    if found.executor not in EXECUTORS:
        raise ConfigError(f"executor={found.executor!r} does not exist; it is one of {', '.join(EXECUTORS)}.")
    if isinstance(workers, bool) or not isinstance(given["workers"], int) or given["workers"] < 1:
        raise ConfigError(f"workers={workers!r} is a number of threads, 1 or more.")
    return found
