"""From a strategy to a row that the runner will find: checked, pinned, and with its history stored (rules B8, B9, X5).

Deploying trades nothing. It may be done while no runner is there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from workbench.costs import CostModel
from workbench.engine.desk import instrument_records
from workbench.engine.fitting import (
    AnyBars,
    bars_by_instrument,
    check_arguments,
    check_timeframes,
    common_grid,
    instruments_of,
)
from workbench.errors import ConfigError, Refused
from workbench.ids import short_id
from workbench.journal import tables
from workbench.journal.chain import FIRST, canonical
from workbench.journal.store import Store
from workbench.live.limits import check_deployable
from workbench.live.standing import NO_COUNTS
from workbench.live.starting import is_now, last_bar_of, start_ns_of
from workbench.market.bars import Bars
from workbench.market.grid import Grid
from workbench.market.instruments import Instrument
from workbench.strategy import Strategy

#: Rows of history written by one statement.
BATCH = 5_000


@dataclass(frozen=True)
class Wish:
    """What a person asks for.

    Attributes
    ----------
    strategy : Strategy
        What to trade.
    history : mapping of str to Bars
        Stored base bars of each instrument; expressions see them from the first (B8).
    costs : CostModel
        Charges and slippage.
    initial_cash : float
        Sizing reference (S1), money.
    start_ns : int
        Decisions begin with the first strategy bar that opens at or after it; 0 means with the first bar.
    owner, name : str
        Whose, and what to call it; the strategy's name by default.
    mode : str
        paper.
    settings : mapping
        Of the deployment: what was acknowledged (``consent``).
    known_ns : int
        Bars that closed up to here are stored; 0 means up to ``start_ns``, as the feed brings what follows.
    """

    strategy: Strategy
    history: Mapping[str, Bars]
    costs: CostModel
    initial_cash: float
    start_ns: int
    owner: str = "local"
    name: str = ""
    mode: str = "paper"
    settings: Mapping[str, Any] = field(default_factory=dict)
    known_ns: int = 0

    @property
    def called(self) -> str:
        """What the deployment is called: its own name, or the strategy's."""
        return self.name or self.strategy.name


class Fitted(NamedTuple):
    """What is asked for, once everything in it fits.

    Attributes
    ----------
    data : dict of str to Bars
        The history by instrument, sorted by name.
    grid : Grid
        Base intervals from its first bar through its last.
    instruments : tuple of Instrument
        In the order of the data.
    first_ns : int
        Stamp of the first bar of any instrument.
    """

    data: dict[str, Bars]
    grid: Grid
    instruments: tuple[Instrument, ...]
    first_ns: int


def wished(
    strategy: Strategy, history: AnyBars, costs: CostModel, cash: float, start: Any, owner: str, name: str = ""
) -> Wish:
    """What a person asks for, as ``Client.deploy`` takes it, with the instant from which it decides.

    Raises
    ------
    ConfigError
        Strategy and bars do not fit each other, or the start is none.
    """
    check_arguments(strategy, cash, costs)
    data = bars_by_instrument(strategy, history)
    grid, known_ns = common_grid(data), 0
    if is_now(start):
        since_ns, known_ns = last_bar_of(strategy, grid), int(grid.close_ns[-1])
    else:
        since_ns = start_ns_of(start, grid)
    return Wish(strategy, data, costs, cash, since_ns, owner, name, known_ns=known_ns)


def fitted(wish: Wish) -> Fitted:
    """Check that strategy, bars, costs and money fit each other.

    Raises
    ------
    ConfigError
        They do not; says what and how to fix it.
    """
    check_arguments(wish.strategy, wish.initial_cash, wish.costs)
    if wish.mode != "paper":
        raise ConfigError(f"mode {wish.mode!r} does not exist; it is paper.")
    data = bars_by_instrument(wish.strategy, wish.history)
    grid = common_grid(data)
    check_timeframes(wish.strategy, grid)
    instruments = instruments_of(data)
    instrument_records(wish.strategy, instruments, wish.costs)  # refuses what the cost model has no rates for
    first_ns = min(int(item.ts_ns[0]) for item in data.values())
    return Fitted(data, grid, tuple(instruments), first_ns)


def deploy(store: Store, wish: Wish, now_ns: int) -> str:
    """Write a deployment down.

    Returns
    -------
    str
        Its id.

    Raises
    ------
    ConfigError
        Strategy, bars and costs do not fit each other, or the owner has a deployment of that name.
    """
    fit = fitted(wish)
    name, data = wish.called, fit.data
    with store.write() as connection:
        refuse_taken(connection, wish.owner, name)
        check_deployable(connection, wish.owner, len(fit.instruments))
        _pin_strategy(connection, wish.strategy, now_ns)
        ident = short_id(wish.owner, name, wish.strategy.hash)
        row = {
            "id": ident,
            "owner": wish.owner,
            "name": name,
            "strategy_hash": wish.strategy.hash,
            "mode": wish.mode,
            "calendar": fit.grid.calendar.name,
            "timeframe": str(fit.grid.timeframe),
            "costs": canonical(wish.costs.to_dict()),
            "instruments": canonical([dataclasses.asdict(item) for item in fit.instruments]),
            "initial_cash": float(wish.initial_cash),
            "history_from_ns": fit.first_ns,
            "start_ns": wish.start_ns,
            "settings": canonical(dict(wish.settings)),
            "created_ns": now_ns,
        }
        connection.execute(tables.deployments.insert(), [row])
        connection.execute(tables.deployment_states.insert(), [_fresh(ident)])
        if wish.start_ns:
            for instrument, bars in data.items():
                _store_history(connection, instrument, bars, wish.known_ns or wish.start_ns, now_ns)
    return ident


def _fresh(ident: str) -> dict[str, Any]:
    return {
        "deployment_id": ident, "status": "RUNNING", "runtime_state": "WARMING_UP", "instant_ns": 0, "phase": 0,
        "heartbeat_ns": 0, "evaluated_ns": 0, "decision": "", "reason": "", "warm_bars": 0, "records": b"",
        "layout": "", "counts": json.dumps(NO_COUNTS), "head_seq": 0, "head_hash": FIRST, "note": "",
    }  # fmt: skip


def refuse_taken(connection: sa.Connection, owner: str, name: str) -> None:
    """Refuse a name that a deployment of the owner has.

    Raises
    ------
    Refused
        It is taken.
    """
    table = tables.deployments
    taken = connection.execute(sa.select(table.c.id).where(table.c.owner == owner, table.c.name == name)).first()
    if taken is not None:
        raise Refused(f"there is a deployment called {name!r} already; give this one another name.")


def _pin_strategy(connection: sa.Connection, strategy: Strategy, now_ns: int) -> None:
    table = tables.strategy_versions
    if connection.execute(sa.select(table.c.hash).where(table.c.hash == strategy.hash)).first() is None:
        row = {
            "hash": strategy.hash,
            "name": strategy.name,
            "version": strategy.version,
            "content": strategy.to_toml(),
            "created_ns": now_ns,
        }
        connection.execute(table.insert(), [row])


def _store_history(connection: sa.Connection, instrument: str, bars: Bars, until_ns: int, now_ns: int) -> None:
    """Store the bars before an instant that are not there yet; one that is there stays as it was seen.

    Where another deployment has passed an interval without its bar, the bar is late: what was decided stays explained.
    """
    table, timeframe = tables.bars, str(bars.timeframe)
    there = sa.select(table.c.ts_ns).where(table.c.instrument == instrument, table.c.timeframe == timeframe)
    known, passed = set(connection.execute(there).scalars()), _passed(connection, instrument, timeframe)
    closes = bars.grid.close_ns[bars.at]  # a daily bar is stamped before it opens
    columns = (bars.ts_ns, bars.open, bars.high, bars.low, bars.close, bars.volume, closes)
    rows = [
        {
            "instrument": instrument, "timeframe": timeframe, "ts_ns": ts, "revision": 0, "open": o, "high": h,
            "low": low, "close": c, "volume": v, "received_ns": now_ns,
            "late": any(begin <= ts and closed <= end for begin, end in passed),
        }
        for ts, o, h, low, c, v, closed in zip(*(column.tolist() for column in columns), strict=True)
        if closed <= until_ns and ts not in known
    ]  # fmt: skip
    for at in range(0, len(rows), BATCH):
        connection.execute(table.insert(), rows[at : at + BATCH])


def _passed(connection: sa.Connection, instrument: str, timeframe: str) -> list[tuple[int, int]]:
    """From where to where the deployments that follow an instrument have come."""
    table, states = tables.deployments, tables.deployment_states
    follows = table.c.instruments.contains(f'"name":{canonical(instrument)},', autoescape=True)
    wanted = (
        sa.select(table.c.history_from_ns, states.c.instant_ns)
        .join(states, states.c.deployment_id == table.c.id)
        .where(table.c.timeframe == timeframe, follows, states.c.instant_ns > 0)
        .distinct()
    )
    return [(begin, end) for begin, end in connection.execute(wanted)]
