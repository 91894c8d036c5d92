"""The locked strategy as a file that says where it comes from: data, grids, scores, what came out of sample.

The table ``[provenance]`` is no part of the strategy: it does not change its hash, and ``Strategy.from_toml`` takes it
for what it is, a statement about the strategy beside it, which it checks.
"""

from __future__ import annotations

import csv
import io
import math
import os
import pathlib
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError
from workbench.jit import engine_hash
from workbench.market.home import write_atomically
from workbench.research.stats import Statistic
from workbench.strategy.sizing import POLICIES, policy_to_dict

if TYPE_CHECKING:
    from workbench.research.result import Result
    from workbench.research.significance import Significance
    from workbench.research.staged_search.answer import Stage, StagedSearch

#: What TOML, which has no word for nothing, says for a field that is off; as in a sweep file.
OFF = "off"

#: Statistics of both parts that are written beside the one that ranks.
WRITTEN = ("sharpe_ann", "total_return_frac", "max_drawdown_frac", "n_sessions", "n_trades", "charges", "final_equity")


def locked_file(found: StagedSearch, path: str | os.PathLike[str] | None) -> str:
    """Text of the file, written to ``path`` too where one is given.

    Raises
    ------
    ConfigError
        The path does not end in ``.toml``.
    """
    import tomli_w

    if path is not None and pathlib.Path(path).suffix.lower() != ".toml":
        raise ConfigError(f"{os.fspath(path)!r} becomes a strategy file. End it in .toml.")
    content = {**found.strategy.to_dict(), "provenance": provenance_of(found)}
    text = tomli_w.dumps(content, multiline_strings=True)
    if path is not None:
        write_atomically(pathlib.Path(path), text.encode())
    return text


def provenance_of(found: StagedSearch) -> dict[str, Any]:
    """Everything that the locked strategy depends on, as plain data; nothing in it depends on the day it is made."""
    result, split = found.out_of_sample, found.split
    inside, outside = found.in_sample_significance, found.out_of_sample_significance
    return {
        "made_by": "workbench staged_search",
        "engine": engine_hash(),
        "strategy_hash": found.strategy.hash,
        "given_hash": found.given.hash,
        "rank_by": found.rank_by,
        "choose": found.choose,
        "where": OFF if found.where is None else found.where if isinstance(found.where, str) else "a function",
        "in_sample_frac": found.in_sample_frac,
        "initial_cash": result.initial_cash,
        "costs": result.costs.name,
        "costs_hash": result.costs.hash,
        "n_trials": found.n_trials,
        "n_distinct": found.n_distinct,
        "n_openings": found.n_openings,
        "parity": OFF if found.parity is None else found.parity,
        "held": found.held,
        "words": list(found.words),
        "split": {
            "instant": split.instant.to_pydatetime(),
            "in_sample_start": split.in_sample_start.date(),
            "in_sample_end": split.in_sample_end.date(),
            "out_of_sample_start": split.out_of_sample_start.date(),
            "out_of_sample_end": split.out_of_sample_end.date(),
        },
        "data": _data(found),
        "in_sample": _part(found, found.in_sample, inside),
        "out_of_sample": _part(found, result, outside),
        "stages": [_stage(found, stage) for stage in found.stages],
    }


def _data(found: StagedSearch) -> dict[str, Any]:
    return {
        name: {
            "hash": item.hash,
            "in_sample_hash": found.in_sample.bars[name].hash,
            "timeframe": str(item.timeframe),
            "calendar": item.calendar.name,
            "basis": item.basis or "not stated",
            "n_bars": len(item),
            "first": item.index[0].to_pydatetime(),
            "last": item.index[-1].to_pydatetime(),
        }
        for name, item in found.out_of_sample.bars.items()
    }


def _part(found: StagedSearch, result: Result, judged: Significance) -> dict[str, Any]:
    names = dict.fromkeys((found.rank_by.removeprefix("-"), *WRITTEN))
    sharpe = judged.sharpe_ann
    return {
        "result_hash": result.hash,
        **{name: _number(result.stats[name]) for name in names},
        "sharpe_ann_low": _number(None if sharpe is None else sharpe.low),
        "sharpe_ann_high": _number(None if sharpe is None else sharpe.high),
        "confidence_frac": judged.confidence_frac,
        "deflated_sharpe_frac": _number(judged.deflated_sharpe_frac),
        "n_trials": judged.n_trials,
    }


def _stage(found: StagedSearch, stage: Stage) -> dict[str, Any]:
    return {
        "name": stage.name,
        "chosen": {name: _plain(value) for name, value in stage.chosen.items()},
        "score": stage.score,
        "plateau": stage.plateau,
        "n_sets": len(stage),
        "n_distinct": stage.n_distinct,
        "strategy_hash": stage.strategy.hash,
        "trials": _grid(found, stage),
    }


def _grid(found: StagedSearch, stage: Stage) -> str:
    """Every set and its score as CSV, a line each, for a TOML array would take a line a number."""
    name = found.rank_by.removeprefix("-")
    scores = stage.trials.table.sort_index()[name].to_numpy(float)[stage.order]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*stage.chosen, name])
    table.writerows([*map(_plain, one), score] for one, score in zip(stage.sets, scores.tolist(), strict=True))
    return text.getvalue()


def _plain(value: Any) -> Any:
    """A parameter's value as TOML can write it."""
    if value is None:
        return OFF
    if type(value) in POLICIES.values():
        return policy_to_dict(value)
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | bool | int | float) else str(value)


def _number(value: Statistic) -> Any:
    return math.nan if value is None else value
