"""A function's answers as a tape that the engine reads: in place of the volume, which nothing that trades depends on.

How it works: each bar's answer is a number, one bit for each of the four signals. It stands where the bar's volume
stood, and expressions that exist anyway read it. So a function trades by the same compiled step as everything else, in
a backtest and in the runner, and a journal that holds the bars holds the answers.

Invariants: fills are not limited by the volume of a bar (rule F1); what is missing says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.columns import PRICES
from workbench.research.lookahead.returned import read_returned
from workbench.research.signals.function import Signals
from workbench.strategy import Strategy

#: The bit of each signal.
BITS = {"entry": 1, "exit": 2, "short_entry": 4, "short_exit": 8}

#: What a bar's volume may be on a tape.
_CODES = range(sum(BITS.values()) + 1)

Codes = npt.NDArray[np.uint8]


def codes_of(returned: Any, stamps: npt.NDArray[np.int64]) -> Codes:
    """What a function returned, as numbers.

    Parameters
    ----------
    returned : Any
        A DataFrame, if all is well.
    stamps : int64[n]
        Of the bars that were given.

    Returns
    -------
    uint8[n]

    Raises
    ------
    ConfigError
        It is none, has another index, lacks ``entry`` or ``exit``, or one of them is no condition.
    """
    columns = read_returned(returned, stamps, tuple(BITS), set())
    out = np.zeros(len(stamps), np.uint8)
    for name, bit in BITS.items():
        if name in columns:
            out |= np.where(columns[name] == 1.0, bit, 0).astype(np.uint8)
    return out


def on_tape(bars: Bars, codes: Codes) -> Bars:
    """The same prices, with answers in place of the volume."""
    frame = bars.frame[list(PRICES)].assign(volume=codes.astype(np.float64))
    return Bars(frame, bars.timeframe, bars.calendar, bars.basis, max_jump_ratio=1e9)


def strategy_of(fields: Mapping[str, Any], data: Mapping[str, Bars], name: str) -> Strategy:
    """The strategy that reads a tape; what the fields leave out comes from the bars.

    Raises
    ------
    ConfigError
        There are no bars, or the timeframe is not that of the bars, which the function sees.
    StrategyError
        A field is wrong.
    """
    one = next(iter(data.values()), None)
    if one is None:
        raise ConfigError("there are no bars to ask the function about.")
    known: dict[str, Any] = {
        "name": name, "version": "0.1.0", "instruments": tuple(sorted(data)), "timeframe": str(one.timeframe),
        "calendar": one.calendar.name, "product": "CNC", **fields,
    }  # fmt: skip
    if str(known["timeframe"]) != str(one.timeframe):
        raise ConfigError(
            f"signals: timeframe {known['timeframe']} with bars of {one.timeframe}: a function decides at every bar "
            "that it is given. Give bars of its timeframe."
        )
    both = known.get("direction") == "BOTH"
    read: dict[str, Any] = {side: _reads(bit) for side, bit in BITS.items() if both or not side.startswith("short")}
    return Strategy(**known, **read)


def _reads(bit: int) -> str:
    """An expression that is true where the volume has a bit."""
    return " OR ".join(f"volume == {code}" for code in _CODES if code & bit)


def taped(subject: Signals, bars: Bars | Mapping[str, Bars]) -> tuple[Strategy, dict[str, Bars]]:
    """A function as a strategy, and its answers on a tape: the function is called once an instrument.

    Raises
    ------
    ConfigError
        What it returned is not what it should be; or bars and fields do not fit.
    """
    if isinstance(bars, Bars):
        bars = {named(subject.fields, bars): bars}
    if not isinstance(bars, Mapping):
        raise ConfigError(f"bars is of type {type(bars).__name__}; Bars are asked, or {{instrument: Bars}}.")
    data = {
        name: on_tape(item, codes_of(subject(item.frame.copy()), item.index.as_unit("ns").asi8))
        for name, item in sorted(bars.items())
    }
    return strategy_of(subject.fields, data, subject.name), data


def named(fields: Mapping[str, Any], bars: Bars) -> str:
    """The instrument of bars that were given without one."""
    given = fields.get("instruments", ())
    return str(given[0]) if len(given) == 1 else f"{bars.calendar.name}:UNNAMED"
