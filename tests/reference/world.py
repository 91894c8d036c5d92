"""What is given (the world) and what changes (the book): plain records, no rules except times of the session."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NAN = float("nan")
LONG, SHORT = 1, -1
MINUTE = 60 * 10**9

DEFAULTS: dict[str, Any] = {
    "direction": "LONG", "product": "CNC", "execution": "next_open", "sizing": ("PercentOfEquity", 0.1),
    "allocation": "EQUAL", "max_open_positions": 10, "stop_loss_frac": None, "stop_loss_atr": None,
    "take_profit_frac": None, "trailing_stop_frac": None, "trailing_activation_frac": 0.0,
    "stop_execution": "intrabar", "ambiguous_bar": "stop", "target_touch": "touch", "max_holding_bars": None,
    "min_holding_bars": 0, "cooldown_bars": 0, "max_trades_per_day": None, "entry_window": None, "exit_time": None,
    "max_drawdown_frac": None, "max_trade_drawdown_frac": None, "daily_loss_limit_frac": None,
    "max_symbol_alloc_frac": None, "max_symbol_exposure": None, "sector_cap_frac": None, "sectors": None,
    "margin_frac": None, "reuse_exit_proceeds": True,
}


@dataclass
class World:
    """Everything that is given and never changes. Interval indices point into ``grid``."""

    strategy: dict[str, Any]
    instruments: dict[str, dict[str, float]]
    sessions: list[dict[str, Any]]
    grid: list[dict[str, int]]
    bars: dict[str, dict[int, tuple[float, float, float, float, float]]]
    strategy_closes: set[int]
    signals: dict[str, dict[int, dict[str, Any]]]
    slippage: float
    charges: Callable[[int, int, float, float, bool], float]
    initial_cash: float
    flatten_ns: dict[int, float] = field(default_factory=dict)  # session -> instant of the MIS flatten
    exit_ns: dict[int, float] = field(default_factory=dict)  # session -> instant of exit_time, inf when ignored
    first_step: int = 0  # the first interval whose close may be decided on
    first_row: int = 0  # the first interval with an equity row
    names: list[str] = field(default_factory=list)  # by code points

    def session_of(self, i: int) -> dict[str, Any]:
        """The session of interval ``i``."""
        return self.sessions[self.grid[i]["session"]]

    def bar(self, name: str, i: int) -> tuple[float, float, float, float, float] | None:
        """The base bar of an instrument in interval ``i``, None in a gap."""
        return self.bars.get(name, {}).get(i)

    @property
    def margin(self) -> float:
        """S4: 1 unless given."""
        given = self.strategy["margin_frac"]
        return 1.0 if given is None else given


@dataclass
class Order:
    """One order row, and what an entry must remember from its decision."""

    order_id: int
    ts: int
    instrument: str
    side: int
    qty: float
    kind: str
    reason: str
    status: str = "WORKING"
    limit_price: float = NAN
    stop_price: float = NAN
    session: int = -1  # of the decision
    sizing_price: float = NAN  # close * (1 + slippage) of the decision
    atr: float | None = None  # of the decision bar
    reserve: float = 0.0  # cash it keeps until it fills
    named: list[Order] = field(default_factory=list)  # exits that must have filled before (D8)


@dataclass
class Position:
    """One open trade."""

    instrument: str
    direction: int
    qty: float
    entry_price: float
    entry_ts: int
    entry_charges: float
    session: int  # of the entry fill
    interval: int  # of the entry fill
    best: float
    stop: float | None = None  # the fixed stop
    trail: float | None = None  # the trailing level once active
    target: float | None = None
    first_level: float | None = None  # the first working stop, for R
    bars_held: int = -1
    peak_pnl: float = 0.0
    worst_frac: float = 0.0
    top_frac: float = 0.0
    exit_order: Order | None = None
    stop_order: Order | None = None
    target_order: Order | None = None


@dataclass
class Book:
    """Everything that changes."""

    cash: float
    equity: float
    peak_equity: float
    session_start_equity: float
    positions: dict[str, Position] = field(default_factory=dict)
    entries: list[Order] = field(default_factory=list)  # working entries in sending order
    marks: dict[str, float] = field(default_factory=dict)
    since_exit: dict[str, int] = field(default_factory=dict)  # own strategy bars since the exit fill, -1 at the fill
    session: int = -1
    sent: int = 0  # entry orders sent in this session
    killed: bool = False
    daily_loss: bool = False
    leaving: list[Order] = field(default_factory=list)  # exits decided at this instant
    orders: list[Order] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def new_order(self, **values: Any) -> Order:
        """An order with the next sequence number, kept for the ``orders`` rows."""
        order = Order(order_id=len(self.orders), **values)
        self.orders.append(order)
        return order


def local_minutes(session: dict[str, Any], ts_ns: int) -> float:
    """Minutes since local midnight of an instant."""
    if session.get("local_minutes") is not None:
        return session["local_minutes"](ts_ns)
    return (ts_ns + session.get("utc_offset_ns", 0)) // MINUTE % 1440


def wall_minutes(text: str) -> int:
    """``"15:55"`` as minutes since midnight."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def exit_time_ns(text: str | None, session: dict[str, Any]) -> float:
    """X4: the instant of exit_time in one session; infinity when there is none there."""
    if text is None:
        return math.inf
    if text.startswith("-"):  # X4: "-20m", before the close; a session shorter than that is all "at or after"
        return session["close_ns"] - int(text[1:-1]) * MINUTE
    after_open = wall_minutes(text) - local_minutes(session, session["open_ns"])
    length = (session["close_ns"] - session["open_ns"]) // MINUTE
    if after_open < 0 or (after_open == 0 and length == 1440):  # past midnight; of 24 hours the close is meant
        after_open += 1440
    instant = session["open_ns"] + after_open * MINUTE
    return instant if instant <= session["close_ns"] else math.inf  # X4: outside the session it is ignored


def flatten_instant_ns(session: dict[str, Any], closes: list[int], base_ns: int) -> float:
    """X2: the proxy close on the grid, or the last base instant before it in a session off the grid.

    ``closes`` may end early because the data ends; then an earlier instant serves only if no later one could.
    """
    proxy = session["proxy_close_ns"]
    before = [t for t in closes if t <= proxy]
    if not before:
        return proxy  # every instant of the session is after it
    last = before[-1]
    cut_short = last == closes[-1] and last < session["close_ns"]
    if cut_short and min(last + base_ns, session["close_ns"]) <= proxy:
        return proxy  # a later base instant <= proxy close is still to come
    return last
