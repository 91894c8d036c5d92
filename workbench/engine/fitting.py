"""What must fit before a strategy can run: its bars, its calendar, its timeframes (rules B3, B9, C1, S3, X3, N1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from workbench.costs import CostModel
from workbench.engine.hours import check_hours
from workbench.errors import ConfigError, StrategyError
from workbench.market.bars import Bars
from workbench.market.grid import Grid, build_grid
from workbench.market.instruments import Instrument, instrument
from workbench.strategy import FixedQty, Strategy

AnyBars = Bars | Mapping[str, Bars]

#: Part of a lot by which a quantity may miss a whole number of them (S3).
LOT_ROUNDING = 1e-9


def check_arguments(strategy: Any, initial_cash: Any, costs: Any) -> None:
    """What a backtest is given must be of its kind, before anything is done with it."""
    if not isinstance(strategy, Strategy):
        raise ConfigError(f"strategy is {strategy!r}; a wb.Strategy is asked. A file is read by Strategy.from_toml.")
    money = isinstance(initial_cash, Real) and not isinstance(initial_cash, bool)
    if not money or not math.isfinite(initial_cash) or initial_cash <= 0:
        raise ConfigError(f"initial_cash is {initial_cash!r}; it is money above zero.")
    if not isinstance(costs, CostModel):
        raise ConfigError(f"costs is {costs!r}; a cost model is asked, like wb.costs.zerodha_equity().")


def bars_by_instrument(strategy: Strategy, bars: AnyBars) -> dict[str, Bars]:
    """Bars of exactly the strategy's instruments, sorted by name, on one timeframe, calendar and basis (B9, C1)."""
    wanted = sorted(strategy.instruments)
    if isinstance(bars, Bars):
        if len(wanted) != 1:
            raise StrategyError(
                f"strategy {strategy.name!r} trades {len(wanted)} instruments; give bars as {{instrument: Bars}}."
            )
        bars = {wanted[0]: bars}
    if not isinstance(bars, Mapping):
        raise ConfigError(
            f"bars is of type {type(bars).__name__}; Bars are asked, or {{instrument: Bars}}. "
            "A DataFrame becomes Bars by wb.Bars(frame, timeframe, calendar)."
        )
    missing = [name for name in wanted if name not in bars]
    if missing:
        raise StrategyError(f"no bars for {', '.join(missing)}; got bars for {', '.join(map(str, bars)) or 'nothing'}.")
    data = {name: _bars_of(name, bars[name]) for name in wanted}
    one = data[wanted[0]]
    for name, item in data.items():
        for what in ("timeframe", "calendar", "basis"):
            ours, theirs = getattr(one, what), getattr(item, what)
            if ours != theirs:
                raise ConfigError(
                    f"{name} has {what} {theirs}, {wanted[0]} has {ours}: the bars of one result share one {what}."
                )
    if one.calendar.name != strategy.calendar and one.calendar.name.upper() != strategy.calendar.upper():
        raise StrategyError(
            f"strategy {strategy.name!r} runs on calendar {strategy.calendar}, its bars on {one.calendar.name}. "
            "Read the bars with the strategy's calendar."
        )
    empty = [name for name, item in data.items() if not len(item)]
    if empty:
        raise ConfigError(f"no bars at all for {', '.join(empty)}.")
    return data


def _bars_of(name: str, given: Any) -> Bars:
    if not isinstance(given, Bars):
        kind = type(given).__name__
        raise ConfigError(f"the bars of {name} are of type {kind}; make wb.Bars(frame, timeframe, calendar).")
    return given


def common_grid(data: Mapping[str, Bars]) -> Grid:
    """The base grid from the first bar of any instrument through the last."""
    one = next(iter(data.values()))
    if len(data) == 1:
        return one.grid
    first = min(int(item.ts_ns[0]) for item in data.values())
    last = max(int(item.ts_ns[-1]) for item in data.values())
    return build_grid(one.calendar, one.timeframe, first, last)


def check_timeframes(strategy: Strategy, grid: Grid) -> None:
    """The base divides the strategy's timeframe (B3); proxy_close is daily logic on intraday bars (X3).

    Hours and a fixed quantity fit the sessions and the lots of the instruments too (D6, X4, S3).
    """
    if not grid.timeframe.divides(strategy.bar_timeframe):
        raise StrategyError(
            f"strategy {strategy.name!r} decides on {strategy.timeframe} bars, which cannot be built from "
            f"{grid.timeframe} bars. Give base bars of {strategy.timeframe} or of a part of it."
        )
    if strategy.execution == "proxy_close" and grid.timeframe.is_daily:
        raise StrategyError(
            f"strategy {strategy.name!r}: proxy_close cuts the day before its close and needs intraday base bars, "
            "for example 5m."
        )
    check_hours(strategy, grid)
    _check_lots(strategy)


def _check_lots(strategy: Strategy) -> None:
    """Refuse a fixed quantity below one lot: rounded down to whole lots it is nothing, at every entry (S3)."""
    if not isinstance(strategy.sizing, FixedQty):
        return
    for traded in map(instrument, strategy.instruments):
        qty = strategy.sizing.qty
        if math.floor(qty / traded.lot + LOT_ROUNDING) < 1:
            raise StrategyError(
                f"strategy {strategy.name!r}: sizing FixedQty({qty:.10g}) is less than one lot of {traded.name}, which "
                f"is {traded.lot:.10g}: quantities are whole lots, so nothing could ever enter. The least is "
                f"FixedQty({traded.lot:.10g}); an instrument whose lot is smaller is made known by "
                f"wb.register_instrument({traded.name!r}, lot=...)."
            )


def instruments_of(data: Mapping[str, Bars]) -> list[Instrument]:
    """The instruments in the order of the data; they share one currency, for cash is one number (S5)."""
    found = [instrument(name) for name in data]
    currencies = sorted({item.currency for item in found})
    if len(currencies) > 1:
        raise StrategyError(
            f"the instruments trade in {', '.join(c or 'no known currency' for c in currencies)}: their money cannot "
            "be added up. Run one strategy a currency."
        )
    return found
