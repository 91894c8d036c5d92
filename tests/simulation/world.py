"""Tiny worlds: one or two strategies on a few five-minute bars at the edge of two NSE sessions, deployed once.

Every world begins shortly before the close of one session and ends shortly after the open of the next, so that a
schedule of a dozen bars sees entries, exits, stops, targets, the forced flatten and a night.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from tests.simulation.feed import Slot, walked
from workbench import Bars, FixedQty, PercentOfEquity, Strategy
from workbench.costs import simple
from workbench.journal.store import Store
from workbench.live import given
from workbench.live.deploy import Wish, deploy
from workbench.live.feed import ClosedBar

BAR_NS = 5 * 60 * 10**9
CASH = 100_000.0
TICK = 0.05
#: Bars before decisions begin.
HISTORY = 3

_EVENING = (dt.datetime(2026, 3, 10, 14, 45), 6 + 3)  # noqa: DTZ001 - of the exchange
_MORNING = (dt.datetime(2026, 3, 11, 9, 15), 3)  # noqa: DTZ001


@dataclass(frozen=True)
class Rules:
    """What the oracle must know of one deployment, said here once more and by hand.

    Attributes
    ----------
    stop_frac : float
        Distance of the fixed stop; 0 for none.
    resting : bool
        Whether stops rest at the broker.
    trails : bool
        Whether there is a trailing stop, active from the entry.
    flattens : bool
        Whether it must be flat at the session's end.
    bar_bars : int
        Base bars in a strategy bar.
    side : int
        +1 for long alone, -1 for short alone, 0 for both.
    most_positions : int
        Slots.
    comes_later : bool
        Whether somebody deploys it in the middle of a schedule.
    """

    stop_frac: float = 0.0
    resting: bool = True
    trails: bool = False
    flattens: bool = True
    bar_bars: int = 1
    side: int = 1
    most_positions: int = 1
    comes_later: bool = False


Written = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class World:
    """Strategies that are deployed, and the intervals to come.

    Attributes
    ----------
    image : bytes
        The database after deploying.
    idents : tuple of str
        Deployments.
    rules : dict
        Of each deployment.
    traded : dict
        Instruments of each deployment.
    later : dict
        What somebody writes who deploys in the middle of a schedule: rows of tables by the names of their columns.
    calm_between : tuple of int
        First and last interval with whose close faults may be over.
    history : dict
        Bars of each instrument before the first interval.
    """

    name: str
    instruments: tuple[str, ...]
    slots: tuple[Slot, ...]
    image: bytes
    idents: tuple[str, ...]
    rules: dict[str, Rules]
    traded: dict[str, tuple[str, ...]]
    later: dict[str, Written]
    calm_between: tuple[int, int]
    history: dict[str, list[ClosedBar]]

    def bars(self, source: random.Random) -> dict[str, list[ClosedBar]]:
        """A market of its own."""
        return {name: walked(self.slots, name, "5m", source) for name in self.instruments}

    def shown(self, name: str, bars: Sequence[ClosedBar]) -> Bars:
        """An instrument's bars behind its history, as a backtest takes them."""
        return _bars([*self.history[name], *bars])

    @property
    def began(self) -> pd.Timestamp:
        """When decisions begin."""
        return pd.Timestamp(self.slots[0].open_ns, tz="UTC")


def _strategy(name: str, **changes: Any) -> Strategy:
    base: dict[str, Any] = {
        "name": name, "version": "1.0.0", "instruments": ("NSE:A",), "timeframe": "5m", "calendar": "NSE",
        "product": "MIS", "direction": "LONG", "entry": "close > open", "exit": "close < LAG(close, 1)",
        "sizing": FixedQty(10),
    }  # fmt: skip
    return Strategy(**(base | changes))


def _stops() -> list[tuple[Strategy, Rules]]:
    strategy = _strategy(
        "stops", entry="close > 0", exit="close < 0", stop_loss_frac=0.004, take_profit_frac=0.005, max_trades_per_day=6
    )
    return [(strategy, Rules(stop_frac=0.004))]


def _trailing() -> list[tuple[Strategy, Rules]]:
    strategy = _strategy("trailing", trailing_stop_frac=0.004, stop_loss_frac=0.006, max_holding_bars=4)
    return [(strategy, Rules(stop_frac=0.006, trails=True))]


def _reversal() -> list[tuple[Strategy, Rules]]:
    strategy = _strategy(
        "reversal", direction="BOTH", entry="close > open", exit="close < open", short_entry="close < open",
        short_exit="close > open", stop_loss_frac=0.008,
    )  # fmt: skip
    return [(strategy, Rules(stop_frac=0.008, side=0))]


def _slots() -> list[tuple[Strategy, Rules]]:
    strategy = _strategy(
        "slots", instruments=("NSE:A", "NSE:B"), exit="close < open", sizing=PercentOfEquity(0.9), max_open_positions=1,
        stop_loss_frac=0.01,
    )  # fmt: skip
    return [(strategy, Rules(stop_frac=0.01))]


def _closes() -> list[tuple[Strategy, Rules]]:
    strategy = _strategy(
        "closes", product="CNC", entry="close > 0", exit="close < 0", stop_loss_frac=0.003, take_profit_frac=0.006,
        stop_execution="close", min_holding_bars=4,
    )  # fmt: skip
    return [(strategy, Rules(stop_frac=0.003, resting=False, flattens=False))]


def _pair() -> list[tuple[Strategy, Rules]]:
    long = _strategy("up", stop_loss_frac=0.005, take_profit_frac=0.005)
    short = _strategy("down", direction="SHORT", entry="close < open", exit="close > open", stop_loss_frac=0.005)
    return [(long, Rules(stop_frac=0.005)), (short, Rules(stop_frac=0.005, side=-1))]


def _against() -> list[tuple[Strategy, Rules]]:
    """One that is short as often as it may, and a long one that somebody deploys beside it."""
    short = _strategy(
        "short", direction="SHORT", entry="close > 0", exit="close < 0", stop_loss_frac=0.006, max_trades_per_day=6
    )
    long = _strategy("long", entry="close > 0", exit="close < 0", stop_loss_frac=0.004, take_profit_frac=0.006)
    return [(short, Rules(stop_frac=0.006, side=-1)), (long, Rules(stop_frac=0.004, comes_later=True))]


def _heirs() -> list[tuple[Strategy, Rules]]:
    """Two that are long, and a short one that takes over from both or from neither."""
    one = _strategy("one", entry="close > 0", exit="close < 0", stop_loss_frac=0.006)
    two = _strategy("two", product="CNC", entry="close > open", exit="close < 0", sizing=FixedQty(7))
    short = _strategy("short", direction="SHORT", entry="close < open", exit="close > open", trailing_stop_frac=0.005,
                      stop_loss_frac=0.007)  # fmt: skip
    return [
        (one, Rules(stop_frac=0.006)),
        (two, Rules(flattens=False)),
        (short, Rules(stop_frac=0.007, trails=True, side=-1, comes_later=True)),
    ]


def _one_intent() -> list[tuple[Strategy, Rules]]:
    strategy = _strategy("one", product="CNC", entry="close > 0", exit="close < 0", max_trades_per_day=1)
    return [(strategy, Rules(flattens=False))]


def _coarse() -> list[tuple[Strategy, Rules]]:
    strategy = _strategy(
        "coarse", timeframe="15m", product="CNC", entry="close > 0", exit="close < open", stop_loss_frac=0.005,
        max_drawdown_frac=0.0008,
    )  # fmt: skip
    return [(strategy, Rules(stop_frac=0.005, flattens=False, bar_bars=3))]


MAKERS = {
    "stops": _stops,
    "trailing": _trailing,
    "reversal": _reversal,
    "slots": _slots,
    "closes": _closes,
    "pair": _pair,
    "coarse": _coarse,
    "against": _against,
    "heirs": _heirs,
}
NAMES = tuple(MAKERS)
#: The smallest world: one intent, decided at the first close, filled in the second bar, and a bar to settle.
SMALL = "one"


@cache
def world(name: str) -> World:
    """A world by name; made once a process."""
    made = _one_intent() if name == SMALL else MAKERS[name]()
    names = tuple(sorted({one for strategy, _ in made for one in strategy.instruments}))
    times = _times(*_EVENING) + _times(*_MORNING)
    slots = tuple(Slot(int(at.date().toordinal()) - 719163, ns, ns, ns + BAR_NS) for at, ns in times)
    before, after = slots[:HISTORY], slots[HISTORY : HISTORY + 3] if name == SMALL else slots[HISTORY:]
    source = random.Random(1)
    history = {one: walked(before, one, "5m", source) for one in names}
    with Store.open(":memory:") as store:
        idents, traded = {}, {}
        for strategy, rules in made:
            held = {one: _bars(history[one]) for one in strategy.instruments}
            wish = Wish(strategy, held, simple.none(), CASH, after[0].open_ns)
            ident = deploy(store, wish, before[0].open_ns)
            idents[ident], traded[ident] = rules, strategy.instruments
        with store.read() as connection:
            driver: Any = connection.connection.dbapi_connection
        later = {ident: _taken_out(driver, ident) for ident, rules in idents.items() if rules.comes_later}
        image = driver.serialize()
    assert isinstance(image, bytes)
    calm = (1, 1) if name == SMALL else (len(after) - 5, len(after) - 3)
    return World(name, names, after, image, tuple(idents), idents, traded, later, calm, history)


def _taken_out(driver: sqlite3.Connection, ident: str) -> Written:
    """Rows of a deployment, out of the database: they come back when somebody deploys it."""
    written: Written = {}
    for table, key in (("deployment_states", "deployment_id"), ("deployments", "id")):
        found = driver.execute(f"SELECT * FROM {table} WHERE {key} = ?", (ident,))
        written[table] = dict(zip((one[0] for one in found.description), found.fetchone(), strict=True))
        driver.execute(f"DELETE FROM {table} WHERE {key} = ?", (ident,))
    driver.commit()
    return dict(reversed(written.items()))


def _times(start: dt.datetime, count: int) -> list[tuple[pd.Timestamp, int]]:
    local = pd.date_range(start, periods=count, freq="5min", tz="Asia/Kolkata")
    return [(at, int(at.value)) for at in local]


def _bars(bars: Sequence[ClosedBar]) -> Bars:
    frame = pd.DataFrame([one[3:] for one in bars], columns=["open", "high", "low", "close", "volume"])
    frame.index = pd.DatetimeIndex([pd.Timestamp(one.ts_ns, tz="UTC") for one in bars], name="ts")
    return Bars(frame, "5m", "NSE")


@contextlib.contextmanager
def parsed_once() -> Iterator[None]:
    """Inside, a strategy that was read before is not read again: a runner that starts reads it every time."""
    before = given.Strategy  # type: ignore[attr-defined]
    given.Strategy = _Read  # type: ignore[attr-defined,assignment]
    try:
        yield
    finally:
        given.Strategy = before  # type: ignore[attr-defined]


class _Read:
    from_toml = staticmethod(cache(Strategy.from_toml))


def new_database() -> sqlite3.Connection:
    """A connection in autocommit, whose content ``deserialize`` replaces."""
    driver = sqlite3.connect(":memory:", isolation_level=None)
    driver.execute("PRAGMA synchronous = OFF")
    driver.execute("PRAGMA foreign_keys = ON")
    return driver
