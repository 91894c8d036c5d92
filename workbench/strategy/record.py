"""``Strategy``: everything that decides what is traded, as one frozen record (rule N3)."""

from __future__ import annotations

import html
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.errors import StrategyError
from workbench.market.timeframe import Timeframe
from workbench.strategy import content
from workbench.strategy.checks import RefusedError
from workbench.strategy.contradictions import contradictions
from workbench.strategy.fields import CHECKS, named_fields, refusal
from workbench.strategy.frozen import FrozenMapping, frozen_in_words
from workbench.strategy.sizing import SizingPolicy, default_sizing

if TYPE_CHECKING:
    from workbench.expressions.program import Program


def _compiled(strategy: Strategy) -> Program:
    # Imported when the first strategy is made: the compiler of kernels takes a while to load.
    from workbench.strategy.compiled import compile_strategy

    return compile_strategy(strategy)


@frozen_in_words("make a new one: strategy.replace({name}={value})")
@named_fields
@dataclass(frozen=True, kw_only=True, repr=False)
class Strategy:
    """A trading strategy as data: frozen, checked once when it is made, the same for backtest, paper and live.

    Everything is given by name. None means off. Fractions are fractions: 0.02 for 2 %.

    Parameters
    ----------
    name, version : str
        What it is called; the version is semantic, like ``"1.0.0"``.
    instruments : tuple of str
        ``EXCHANGE:SYMBOL`` each, the exchange being the calendar's name (rule N6).
    timeframe : str
        Of the bars on which decisions are made, ``"15m"``, ``"1h"``, ``"1d"``.
    calendar : str
        ``"NSE"``, ``"BSE"``, ``"XNYS"``, ``"FX"``, ``"24x7"`` or another calendar's name.
    product : {"CNC", "MIS", "MARGIN"}
        Delivery or cash account, intraday (flat before the close), margin account.
    direction : {"LONG", "SHORT", "BOTH"}
        What is permitted (X5); SHORT and BOTH need MIS or MARGIN.
    entry : str
        Expression that opens a position. A SHORT strategy uses ``entry`` and ``exit`` too.
    exit : str, optional
        Expression that closes it; without one, only stops, holding limits and flattening do.
    short_entry, short_exit : str, optional
        The short side of BOTH.
    params : mapping of str to number
        Values of ``$name`` in the expressions.
    rank : str, optional
        Expression that orders the candidates, highest first, with ``allocation="RANKING"`` (D7).
    allocation : {"EQUAL", "RANKING"}
        Order of candidates: by name, or by ``rank``.
    sizing : SizingPolicy, optional
        By default equal shares of equity over the positions that can be open at once,
        ``PercentOfEquity(1 / min(len(instruments), max_open_positions))``: all of it for one instrument. The record
        keeps the policy it resolves to.
    max_open_positions : int
        Slots (D8).
    execution : {"next_open", "proxy_close"}
        Fill at the next base bar's open, or daily logic decided shortly before the close (X1, X3).
    stop_loss_frac, stop_loss_atr : float, optional
        Distance of the stop as a fraction of the entry price, or as a multiple of ``ATR(stop_loss_atr_length)`` (F2).
    stop_loss_atr_length : int
        Bars of the strategy's timeframe.
    take_profit_frac : float, optional
        Distance of the target, below 1; for LONG below 2, for a price can more than double.
    trailing_stop_frac : float, optional
        Distance of the trailing stop from the best price (F6), once the price has gained ``trailing_activation_frac``.
    trailing_activation_frac : float
        0 or more, bounded like ``take_profit_frac``.
    stop_execution : {"intrabar", "close"}
        Stops rest in the market, or are compared with closes (F3, F7).
    ambiguous_bar : {"stop", "target"}
        Which one fills when a bar touches both (F5).
    target_touch : {"touch", "through"}
        Whether a target fills when touched, or only when passed (F5).
    max_holding_bars, min_holding_bars, cooldown_bars : int
        In strategy bars (D4, D10).
    max_trades_per_day : int, optional
        Entry orders a session (D6).
    entry_window : tuple of str, optional
        Two wall times of the session's zone, ``("10:00", "10:30")``; the second is outside (D6).
    exit_time : str, optional
        ``"15:15"`` of the session's zone, or ``"-20m"`` before the close (X4).
    max_drawdown_frac, max_trade_drawdown_frac, daily_loss_limit_frac : float, optional
        Limits on losses (D5).
    max_symbol_alloc_frac, max_symbol_exposure, sector_cap_frac : float, optional
        Caps on a position as a fraction of equity and in money, and on a sector (S3).
    sectors : mapping of str to str
        Sector of each instrument; all of them when ``sector_cap_frac`` is given.
    margin_frac : float, optional
        Margin as a fraction of a position's value with MIS or MARGIN; None is 1 (S4).
    reuse_exit_proceeds : bool
        Whether entries may use what exits decided at the same bar will release (S4).

    Raises
    ------
    StrategyError
        Unknown or missing names, values out of range and contradictions, all of them in one message.
    ExpressionError
        An expression that cannot be compiled, with line, column and caret.
    """

    name: str
    version: str
    instruments: tuple[str, ...]
    timeframe: str
    calendar: str
    product: str
    direction: str = "LONG"
    entry: str
    exit: str | None = None
    short_entry: str | None = None
    short_exit: str | None = None
    params: Mapping[str, float] = FrozenMapping()
    rank: str | None = None
    allocation: str = "EQUAL"
    # None only until the record is made: ``__post_init__`` puts the default in its place.
    sizing: SizingPolicy = None  # type: ignore[assignment]
    max_open_positions: int = 10
    execution: str = "next_open"
    stop_loss_frac: float | None = None
    stop_loss_atr: float | None = None
    stop_loss_atr_length: int = 14
    take_profit_frac: float | None = None
    trailing_stop_frac: float | None = None
    trailing_activation_frac: float = 0.0
    stop_execution: str = "intrabar"
    ambiguous_bar: str = "stop"
    target_touch: str = "touch"
    max_holding_bars: int | None = None
    min_holding_bars: int = 0
    cooldown_bars: int = 0
    max_trades_per_day: int | None = None
    entry_window: tuple[str, str] | None = None
    exit_time: str | None = None
    max_drawdown_frac: float | None = None
    max_trade_drawdown_frac: float | None = None
    daily_loss_limit_frac: float | None = None
    max_symbol_alloc_frac: float | None = None
    max_symbol_exposure: float | None = None
    sector_cap_frac: float | None = None
    sectors: Mapping[str, str] = FrozenMapping()
    margin_frac: float | None = None
    reuse_exit_proceeds: bool = True

    def __post_init__(self) -> None:
        self._check(CHECKS)

    def _check(self, names: Collection[str], compiles: bool = True) -> None:
        """Check some fields, each alone, and then all of them together."""
        problems = []
        for name in names:
            try:
                object.__setattr__(self, name, CHECKS[name](getattr(self, name)))
            except RefusedError as error:
                problems.append(f"{name} {error}")
        if problems:
            raise refusal(self.name, problems)
        chosen: Any = self.sizing
        if chosen is None:
            object.__setattr__(self, "sizing", default_sizing(len(self.instruments), self.max_open_positions))
        problems = list(contradictions(self))
        if problems:
            raise refusal(self.name, problems)
        self.__dict__.pop("program", None)  # that of the strategy this one was made from
        if not compiles:
            return
        try:
            assert self.program is not None, "a strategy compiles, or says why not"
        except StrategyError as error:
            raise refusal(self.name, [str(error)]) from None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the fields; the program is compiled anew where it is read."""
        return {name: getattr(self, name) for name in CHECKS}

    @property
    def bar_timeframe(self) -> Timeframe:
        """The timeframe, parsed."""
        return Timeframe.parse(self.timeframe)

    @cached_property
    def program(self) -> Program:
        """The compiled expressions."""
        return _compiled(self)

    @property
    def hash(self) -> str:
        """Content hash, 32 hexadecimal digits: equal for equal content, whatever the order of names (rule R4)."""
        return content.content_hash(self)

    def replace(self, **changes: Any) -> Strategy:
        """Make a new strategy with some fields changed, checked anew.

        Parameters
        ----------
        **changes
            Any of the fields.

        Returns
        -------
        Strategy
        """
        if not changes.keys() <= CHECKS.keys():
            # The whole record says which name is unknown, and which one is meant.
            return Strategy(**{**{name: getattr(self, name) for name in CHECKS}, **changes})
        return self.uncompiled(changes, compiles=True)

    def uncompiled(self, changes: Mapping[str, Any], compiles: bool = False) -> Strategy:
        """Make a new strategy as ``replace`` does, whose expressions somebody else compiles, or its ``program`` later.

        A parameter that no expression takes is found only then.
        """
        made = object.__new__(Strategy)
        made.__dict__.update(self.__dict__, **changes)
        made._check([name for name in CHECKS if name in changes], compiles)
        return made

    def to_dict(self) -> dict[str, Any]:
        """Every field that is not off, in the order of rule N3, as plain data (JSON and TOML can write it)."""
        return content.to_dict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Strategy:
        """Make a strategy from plain data, as ``to_dict`` gives it; StrategyError names what is wrong."""
        return cls(**content.named_arguments(fields))

    def to_toml(self) -> str:
        """Text of a strategy file; ``from_toml`` gives the same strategy back."""
        return content.to_toml(self)

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Strategy:
        """Read a strategy file.

        Parameters
        ----------
        source : str or path
            A path, a text that ends in ``.toml`` and has no line break (a path too), or the text of a strategy file.

        Returns
        -------
        Strategy

        Raises
        ------
        ConfigError
            With the file and the key.
        """
        return content.from_toml(cls, source)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in content.differing(self).items())
        return f"Strategy({shown})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            "<td style='text-align:left;white-space:normal;max-width:60em'>"
            f"<code>{html.escape(content.shown(value))}</code></td></tr>"
            for name, value in content.differing(self).items()
            if name not in ("name", "version")
        )
        head = f"{html.escape(self.name)} {html.escape(self.version)}"
        return f"<p><b>{head}</b> <small>{self.hash[:8]}</small></p><table>{rows}</table>"
