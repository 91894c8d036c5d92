"""``wb.lookahead_check``: whether what is said of a bar depends on bars that come later (rule P2).

Two probes take the future away. The first cuts it off: what is said of the bars up to number i must be what is said of
them in the whole, at every bar i and not only where a signal came. The second replaces it by other bars of the same
number and stamps, so that whoever looks at the length of the data, or at its last row, is seen too.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.engine.fitting import AnyBars, bars_by_instrument, check_timeframes
from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.research.lookahead.answer import Lookahead
from workbench.research.lookahead.probed import Decides, probed
from workbench.research.lookahead.probes import Probing
from workbench.strategy import Strategy

#: Up to how many bars the data are cut at every one, unless said otherwise; how many bars the cuts of longer data have
#: together; and how many cuts there are at least.
EVERY, BARS_OF_CUTS, LEAST = 4_000, 40_000_000, 200


def lookahead_check(
    subject: Strategy | Decides,
    bars: AnyBars,
    cuts: int | Literal["all"] | None = None,
    futures: int = 32,
    seed: int = 0,
) -> Lookahead:
    """Whether decisions and indicators depend on the future.

    Parameters
    ----------
    subject : Strategy or callable
        A strategy, whose expressions are evaluated as the backtest does; or a function of a DataFrame of bars (open,
        high, low, close, volume; index ``ts``, UTC) that returns a DataFrame with the same index, boolean columns
        ``entry`` and ``exit``, if it likes ``short_entry`` and ``short_exit``, and numbers, which are compared too.
    bars : Bars or mapping of str to Bars
        Base bars; each instrument is checked by itself.
    cuts : int or "all", optional
        At how many bars of an instrument the data are cut at most. Left out: up to 4,000 bars at every one, in longer
        data at fewer the longer they are (4,000 of 10,000 bars, 400 of 100,000, 200 of more than 200,000). Half of the
        cuts are the last bars, every one of them; the others are spread evenly over the rest, one drawn from each
        stretch. ``"all"`` cuts at every bar, which takes time that grows with the square of the length.
    futures : int
        Other futures that are tried, at as many bars, spread evenly.
    seed : int
        Of the draws; equal seeds ask equal questions.

    Returns
    -------
    Lookahead
        ``passed``, ``first``, ``compared``, ``differences``, ``not_comparable``. It has not passed if nothing could
        be compared.

    Raises
    ------
    ConfigError
        The subject is neither, fails on all the bars, or returns something else than it should.
    """
    count: Any = cuts
    counted = count is not True and isinstance(count, Integral) and int(count) >= 1
    if not (counted or count is None or count == "all"):
        raise ConfigError(f"cuts is {cuts!r}; it is a count from 1 on, or 'all' for every bar.")
    if futures < 0:
        raise ConfigError(f"futures is {futures!r}; it is a count from 0 on.")
    data = bars_of(subject, bars)
    answers = []
    for name, item in data.items():
        draw = np.random.default_rng(seed)
        probing = Probing(probed(subject, item), name if len(data) > 1 else "")
        chosen = choose_cuts(len(item) - 1, cuts, draw)
        probing.run(chosen, spread(len(item) - 1, futures, draw), draw)
        answers.append((probing, len(chosen) == len(item) - 1))
    return _together(name_of(subject), answers)


def bars_of(subject: Any, bars: AnyBars) -> dict[str, Bars]:
    """Bars by instrument; those of a strategy must fit it."""
    if isinstance(subject, Strategy):
        data = bars_by_instrument(subject, bars)
        for item in data.values():
            check_timeframes(subject, item.grid)
        return data
    data = dict(bars) if isinstance(bars, Mapping) else {"": bars}
    for name, item in data.items():
        if not isinstance(item, Bars):
            raise ConfigError(f"the bars{f' of {name}' if name else ''} are of type {type(item).__name__}; make "
                              "wb.Bars(frame, timeframe, calendar) of them.")
    if not data:
        raise ConfigError("bars is an empty mapping: there is nothing to check on.")
    return data


def choose_cuts(n: int, cuts: int | Literal["all"] | None, draw: np.random.Generator) -> npt.NDArray[np.intp]:
    """Bars of ``0 … n - 1`` after which to cut, ascending: all, or the last ones and a spread over the rest."""
    if cuts is None:
        cuts = EVERY if n <= EVERY else max(LEAST, min(EVERY, BARS_OF_CUTS // n))
    if cuts == "all" or n <= cuts:
        return np.arange(max(n, 0))
    most = int(cuts)
    window = (most + 1) // 2
    return np.concatenate([spread(n - window, most - window, draw), np.arange(n - window, n)])


def spread(n: int, count: int, draw: np.random.Generator) -> npt.NDArray[np.intp]:
    """As many numbers of ``0 … n - 1``, ascending: one drawn from each of ``count`` even stretches."""
    if n <= count:
        return np.arange(max(n, 0))
    edges = np.linspace(0, n, count + 1).astype(np.intp)
    return np.asarray(draw.integers(edges[:-1], edges[1:]), np.intp)


def name_of(subject: Any) -> str:
    """What a strategy or a function is called."""
    if isinstance(subject, Strategy):
        return f"{subject.name} {subject.version}"
    return str(getattr(subject, "__name__", type(subject).__name__))


def _together(name: str, answers: list[tuple[Probing, bool]]) -> Lookahead:
    """One answer from those of each instrument."""
    parts = [part for part, _ in answers]
    differences = pd.concat([part.differing.table(part.instrument) for part in parts], ignore_index=True)
    failures = pd.concat([part.failures() for part in parts], ignore_index=True)
    notes = list(dict.fromkeys(note for part in parts for note in part.notes()))
    if not all(complete for _, complete in answers):
        notes.append("not every bar was cut at: the last ones all, the others by an even sample; cuts='all' cuts "
                     "at every bar")
    return Lookahead(
        name=name,
        bars=sum(part.n_later for part in parts),
        compared=sum(part.compared for part in parts),
        replaced=sum(part.replaced for part in parts),
        n_values=sum(part.differing.n_values for part in parts),
        deterministic=all(part.deterministic for part in parts),
        reads_prices=all(part.reads_prices for part in parts),
        differences=differences.sort_values("ts", kind="stable", ignore_index=True),
        not_comparable=failures,
        notes=tuple(notes),
    )
