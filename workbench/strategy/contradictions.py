"""What a strategy may not say at once (rules N3, X3, X5, F2, S2, D6, D7).

Each check looks at a record whose fields are sound by themselves and yields reasons; none of them raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.market.instruments import split_name
from workbench.strategy import checks
from workbench.strategy.sizing import RiskPerTrade

if TYPE_CHECKING:
    from workbench.strategy.record import Strategy

#: Calendars whose sessions lie inside one local day, so that wall times follow each other as they read.
_WITHIN_A_DAY = frozenset(("NSE", "BSE", "XNYS", "XNAS", "24x7"))


def contradictions(strategy: Strategy) -> Iterator[str]:
    """Yield every contradiction in a strategy, each a sentence with what to change."""
    for check in (
        _instruments, _product, _direction, _execution, _windows, _ranking, _stops, _sizing, _sectors, _holding,
    ):  # fmt: skip
        yield from check(strategy)


def _instruments(s: Strategy) -> Iterator[str]:
    for name in s.instruments:
        exchange, symbol = split_name(name)
        if exchange != s.calendar:
            # Another name of the same calendar (NYSE for XNYS) is no calendar to change to.
            other = "" if _same_calendar(exchange, s.calendar) else f" or calendar={exchange!r}"
            yield (
                f"instrument {name!r} is not on calendar {s.calendar!r}: a deployment has one exchange; "
                f"write '{s.calendar}:{symbol}'{other}"
            )


def _same_calendar(exchange: str, calendar: str) -> bool:
    try:
        return checks.calendar_name(exchange) == calendar
    except checks.RefusedError:
        return False


def _product(s: Strategy) -> Iterator[str]:
    if s.direction != "LONG" and s.product == "CNC":
        yield f"direction {s.direction} with product CNC: delivery cannot be sold short; use MIS or MARGIN"
    if s.margin_frac is not None and s.margin_frac < 1 and s.product == "CNC":
        yield f"margin_frac {s.margin_frac:g} with product CNC: delivery is paid in full; use MIS or MARGIN"


def _direction(s: Strategy) -> Iterator[str]:
    if s.direction == "BOTH":
        if s.short_entry is None:
            yield "direction BOTH without short_entry: say when to sell short, or use LONG or SHORT"
        return
    hint = "a SHORT strategy uses entry and exit" if s.direction == "SHORT" else "use direction BOTH, or leave it out"
    for name in ("short_entry", "short_exit"):
        if getattr(s, name) is not None:
            yield f"{name} is given with direction {s.direction}: {hint}"


def _execution(s: Strategy) -> Iterator[str]:
    daily = s.timeframe == "1d"
    if s.execution == "proxy_close":
        if s.product == "MIS":
            yield "product MIS with execution proxy_close: it buys when MIS must be flat; use CNC or MARGIN"
        if not daily:
            yield f"execution proxy_close with timeframe {s.timeframe}: it decides once a session; use timeframe '1d'"
    elif daily:
        if s.product == "MIS":
            yield (
                "product MIS with timeframe 1d: a daily bar closes after MIS must be flat, so nothing could enter; "
                "use CNC or MARGIN, or an intraday timeframe"
            )
        if s.exit_time is not None:
            yield (
                "exit_time with timeframe 1d: a daily bar closes after it, so nothing could enter; "
                "use an intraday timeframe, or leave it out"
            )


def _windows(s: Strategy) -> Iterator[str]:
    """Wall times that exclude each other; what the session's hours decide is told when bars are given."""
    if s.calendar not in _WITHIN_A_DAY or s.entry_window is None or s.exit_time is None or s.exit_time[0] == "-":
        return
    if s.exit_time <= s.entry_window[0]:
        yield (
            f"entry_window {s.entry_window[0]}-{s.entry_window[1]} begins at or after exit_time {s.exit_time}, from "
            "which nothing may enter: begin it earlier, or exit later"
        )


def _ranking(s: Strategy) -> Iterator[str]:
    if s.allocation == "RANKING" and s.rank is None:
        yield "allocation RANKING without rank: give the expression to rank by"
    if s.allocation != "RANKING" and s.rank is not None:
        yield f"rank is given with allocation {s.allocation}: use allocation='RANKING', or leave rank out"


def _stops(s: Strategy) -> Iterator[str]:
    if s.stop_loss_frac is not None and s.stop_loss_atr is not None:
        yield "stop_loss_frac and stop_loss_atr are both given: choose one"
    if s.trailing_activation_frac > 0 and s.trailing_stop_frac is None:
        yield "trailing_activation_frac without trailing_stop_frac: there is nothing to activate"
    for name in ("take_profit_frac", "trailing_activation_frac"):
        wanted = getattr(s, name)
        if s.direction != "LONG" and wanted is not None and wanted >= 1:
            yield (
                f"{name} {wanted:g} with direction {s.direction}: a short gains at most its entry price, when the "
                "price is 0; use less than 1"
            )


def _sizing(s: Strategy) -> Iterator[str]:
    stops = (s.stop_loss_frac, s.stop_loss_atr, s.trailing_stop_frac)
    if isinstance(s.sizing, RiskPerTrade) and all(stop is None for stop in stops):
        yield (
            "sizing RiskPerTrade without a stop: the risk is the distance to one; "
            "give stop_loss_frac, stop_loss_atr or trailing_stop_frac"
        )


def _sectors(s: Strategy) -> Iterator[str]:
    known = set(s.instruments)
    strangers = sorted(set(s.sectors) - known)
    if strangers:
        yield f"sectors names {', '.join(strangers)}, not among the instruments"
    missing = [name for name in s.instruments if name not in s.sectors]
    if s.sector_cap_frac is not None and missing:
        yield f"sector_cap_frac without a sector for {', '.join(missing)}: add to sectors"


def _holding(s: Strategy) -> Iterator[str]:
    if s.max_holding_bars is not None and s.min_holding_bars > s.max_holding_bars:
        yield (
            f"min_holding_bars {s.min_holding_bars} is above max_holding_bars {s.max_holding_bars}: "
            "the exit expression could never act"
        )
