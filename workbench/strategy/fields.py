"""The fields of a strategy: the check of each, and how a record made of names refuses what it does not know."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, TypeVar

from workbench.errors import StrategyError
from workbench.strategy import checks
from workbench.strategy.checks import Check, fraction, gain, one_of, optional, suggestion, whole
from workbench.strategy.sizing import sizing_policy

Record = TypeVar("Record")

#: The check of each field.
CHECKS: dict[str, Check] = {
    "name": checks.title,
    "version": checks.semantic_version,
    "instruments": checks.instruments,
    "timeframe": checks.timeframe,
    "calendar": checks.calendar_name,
    "product": one_of("CNC", "MIS", "MARGIN"),
    "entry": checks.expression,
    "direction": one_of("LONG", "SHORT", "BOTH"),
    "exit": optional(checks.expression),
    "short_entry": optional(checks.expression),
    "short_exit": optional(checks.expression),
    "params": checks.params,
    "rank": optional(checks.expression),
    "allocation": one_of("EQUAL", "RANKING"),
    "sizing": optional(sizing_policy),
    "max_open_positions": whole(1),
    "execution": one_of("next_open", "proxy_close"),
    "stop_loss_frac": optional(fraction()),
    "stop_loss_atr": optional(checks.positive),
    "stop_loss_atr_length": whole(1),
    "take_profit_frac": optional(gain()),
    "trailing_stop_frac": optional(fraction()),
    "trailing_activation_frac": gain(zero=True),
    "stop_execution": one_of("intrabar", "close"),
    "ambiguous_bar": one_of("stop", "target"),
    "target_touch": one_of("touch", "through"),
    "max_holding_bars": optional(whole(1)),
    "min_holding_bars": whole(0),
    "cooldown_bars": whole(0),
    "max_trades_per_day": optional(whole(1)),
    "entry_window": optional(checks.entry_window),
    "exit_time": optional(checks.exit_time),
    "max_drawdown_frac": optional(fraction()),
    "max_trade_drawdown_frac": optional(fraction()),
    "daily_loss_limit_frac": optional(fraction()),
    "max_symbol_alloc_frac": optional(fraction(one=True)),
    "max_symbol_exposure": optional(checks.positive),
    "sector_cap_frac": optional(fraction(one=True)),
    "sectors": checks.sectors,
    "margin_frac": optional(fraction(one=True)),
    "reuse_exit_proceeds": checks.truth,
}


def named_fields(cls: type[Record]) -> type[Record]:
    """Let a dataclass refuse positions, unknown and missing names with words of its own."""
    generated = cls.__init__
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    known = [field.name for field in fields]
    asked = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]

    @functools.wraps(generated)
    def initialise(self: Any, *positions: Any, **given: Any) -> None:
        if positions:
            raise StrategyError(f"{cls.__name__} takes names only: write name={positions[0]!r} and so on")
        problems = [f"unknown name {name!r}{suggestion(name, known)}" for name in given if name not in known]
        problems += [f"{name} is missing" for name in asked if name not in given]
        if problems:
            raise refusal(given.get("name"), problems)
        generated(self, **given)

    cls.__init__ = initialise  # type: ignore[method-assign]
    return cls


def refusal(name: Any, problems: Sequence[str]) -> StrategyError:
    """The error that tells every problem of one strategy."""
    who = f"strategy {name!r}" if isinstance(name, str) and name else "strategy"
    if len(problems) == 1:
        return StrategyError(f"{who}: {problems[0]}")
    return StrategyError(f"{who} has {len(problems)} problems:\n" + "\n".join(f"  - {problem}" for problem in problems))
