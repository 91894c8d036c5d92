"""The laws of a portfolio, checked from a result's tables alone: nothing of the engine is asked.

``Books`` replays fills over raw closes with plain pandas and keeps its own cash, positions and marks at every
instant. What could not be seen in the tables (an order that waits, and so reserves money) is rebuilt from the orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb

MONEY = 1e-6
FLOAT = 1e-9


@dataclass
class Books:
    """One result, and what its fills make of the account.

    Attributes
    ----------
    result : Result
    closes : DataFrame
        Marks: one row an equity row, one column an instrument, last close so far, NaN before the first.
    """

    result: wb.Result

    def __post_init__(self) -> None:
        equity = self.result.equity
        columns = {}
        for name, bars in self.result.bars.items():
            known = pd.Series(bars.close, index=bars.index)
            opens = equity.index - self._base
            columns[name] = known.reindex(opens, method="ffill").to_numpy()
        self.closes = pd.DataFrame(columns, index=equity.index)

    @property
    def _base(self) -> pd.Timedelta:
        return pd.Timedelta(minutes=next(iter(self.result.bars.values())).timeframe.minutes)

    @cached_property
    def signed(self) -> pd.DataFrame:
        """Fills with a signed quantity and the close of the bar in which they happened."""
        fills = self.result.fills.copy()
        fills["signed"] = np.where(fills["side"] == "BUY", 1.0, -1.0) * fills["qty"]
        fills["known"] = fills["ts"] + self._base
        return fills

    @cached_property
    def held(self) -> pd.DataFrame:
        """Signed quantity of each instrument after each equity row."""
        moves = self.signed.pivot_table(index="known", columns="instrument", values="signed", aggfunc="sum")
        moves = moves.reindex(index=self.closes.index, columns=self.closes.columns)
        return moves.fillna(0.0).cumsum()

    @cached_property
    def cash(self) -> pd.Series:
        """Cash after each equity row: what was there, less what was bought, plus what was sold, less charges."""
        fills = self.signed
        paid = (fills["signed"] * fills["price"] + fills["charges"]).groupby(fills["known"]).sum()
        return self.result.initial_cash - paid.reindex(self.closes.index).fillna(0.0).cumsum()

    @cached_property
    def value(self) -> pd.Series:
        """Value of the positions after each equity row."""
        return (self.held * self.closes).where(self.held != 0.0, 0.0).sum(axis=1)

    @cached_property
    def entries(self) -> pd.DataFrame:
        """Entry orders, in the order of sending."""
        orders = self.result.orders
        return orders[orders["reason"] == "ENTRY_SIGNAL"]


def check_money(books: Books) -> None:
    """S5: cash and equity at every row; R1: trades add up to the change of equity."""
    result, equity = books.result, books.result.equity
    np.testing.assert_allclose(equity["cash"], books.cash, rtol=0, atol=MONEY, err_msg="cash is not conserved")
    np.testing.assert_allclose(equity["position_value"], books.value, rtol=0, atol=MONEY, err_msg="position value")
    np.testing.assert_allclose(equity["equity"], equity["cash"] + equity["position_value"], rtol=0, atol=MONEY)
    peak = np.maximum.accumulate(np.append(result.initial_cash, equity["equity"]))[1:]
    np.testing.assert_allclose(equity["drawdown_frac"], equity["equity"] / peak - 1.0, rtol=0, atol=1e-12)
    change = equity["equity"].iloc[-1] - result.initial_cash
    assert abs(result.trades["net_pnl"].sum() - change) < MONEY * max(1, len(result.trades)), "trades do not add up"
    assert abs(result.trades["charges"].sum() - result.fills["charges"].sum()) < MONEY * max(1, len(result.fills))


def check_positions(books: Books) -> None:
    """D8: never more than the slots; one position an instrument; whole lots; only permitted sides (X5)."""
    strategy = books.result.strategy
    count = (books.held != 0.0).sum(axis=1)
    assert int(count.max()) <= strategy.max_open_positions, "more positions than slots"
    least, most = float(books.held.min().min()), float(books.held.max().max())
    assert strategy.direction != "LONG" or least >= 0.0
    assert strategy.direction != "SHORT" or most <= 0.0
    for name, fills in books.signed.groupby("instrument"):
        lot = wb.instrument(str(name)).lot
        assert (np.abs(fills["qty"] / lot - np.round(fills["qty"] / lot)) < FLOAT).all() and (fills["qty"] > 0).all()
        # Fills of one instrument open, close, open, close: never twice into the same position.
        position = fills["signed"].cumsum().to_numpy()
        assert (np.abs(position[1::2]) < FLOAT).all() and (np.abs(position[0::2]) > 0).all(), (
            f"{name} was entered twice"
        )


@dataclass
class Moment:
    """What the account held when some entries were decided together, as arrays over the instruments."""

    ts: pd.Timestamp
    marks: Any
    held: Any
    equity: float
    entries: list[Any]


def moments(books: Books) -> Iterator[Moment]:
    """Every decision that sent entries, in time; each entry a named tuple with ``k``, the number of its instrument."""
    entries = books.entries.assign(k=books.closes.columns.get_indexer(books.entries["instrument"]))
    # The last equity row by then: the instant may close intervals in which nothing traded.
    at = books.closes.index.searchsorted(pd.DatetimeIndex(entries["ts"]), side="right") - 1
    marks, held = books.closes.to_numpy(), books.held.to_numpy()
    equity, rows = books.result.equity["equity"].to_numpy(), list(entries.itertuples())
    for ts, together in groupby(zip(rows, at, strict=True), key=lambda pair: pair[0].ts):
        batch = list(together)
        i = int(batch[0][1])
        yield Moment(ts, marks[i], held[i], float(equity[i]), [row for row, _ in batch])


def check_caps(books: Books) -> None:
    """S3: every entry keeps every cap at its decision, at close·(1 + slippage), its sector at the marks."""
    strategy, slip = books.result.strategy, 1.0 + books.result.costs.slippage_frac
    sector = np.array([strategy.sectors.get(name, name) for name in books.closes.columns])
    for now in moments(books):
        worth = np.nan_to_num(np.abs(now.held) * now.marks)
        for order in now.entries:
            size = order.qty * now.marks[order.k] * slip
            if strategy.max_symbol_alloc_frac is not None:
                assert size <= strategy.max_symbol_alloc_frac * now.equity * (1 + FLOAT), (
                    f"{order} passes the cap of a symbol"
                )
            if strategy.max_symbol_exposure is not None:
                assert size <= strategy.max_symbol_exposure * (1 + FLOAT), f"{order} passes the cap of money"
            if strategy.sector_cap_frac is not None:
                mine = sector == sector[order.k]
                mine[order.k] = False
                total = size + float(worth[mine].sum())
                assert total <= strategy.sector_cap_frac * now.equity * (1 + FLOAT), (
                    f"{order} passes the cap of its sector"
                )
            worth[order.k] += size


def check_cash_at_decisions(books: Books, charges: Any) -> None:
    """S4: entries of one decision fit, with charges, into what is free and what exits beside them release.

    ``charges(order, price)`` estimates an order's charges. For strategies without margin, whose entries
    never wait beyond the next bar.
    """
    slip, reuse = books.result.costs.slippage_frac, books.result.strategy.reuse_exit_proceeds
    orders = books.result.orders
    leaving = orders[(orders["kind"] == "open") & (orders["reason"] != "ENTRY_SIGNAL")]
    leaving = leaving.assign(k=books.closes.columns.get_indexer(leaving["instrument"]))
    released: dict[pd.Timestamp, list[Any]] = {}
    for order in leaving.itertuples():
        released.setdefault(order.ts, []).append(order)
    for now in moments(books):
        free = now.equity - float(np.nan_to_num(np.abs(now.held) * now.marks).sum())
        for order in released.get(now.ts, []) if reuse else []:
            price = now.marks[order.k] * (1.0 - slip)
            free += order.qty * price - charges(order, price)
        for order in now.entries:
            price = now.marks[order.k] * (1.0 + slip)
            free -= order.qty * price + charges(order, price)
        assert free >= -MONEY, f"entries at {now.ts} cost {-free} more than there is"


def check_orders(books: Books) -> None:
    """Orders and fills tell one story: a filled order has one fill, of its side and quantity; no other has any."""
    orders, fills = books.result.orders.set_index("order_id"), books.result.fills.set_index("order_id")
    assert orders.index.is_unique and fills.index.is_unique
    filled = orders[orders["status"] == "FILLED"]
    assert sorted(filled.index) == sorted(fills.index)
    both = fills.join(filled.add_suffix("_order"))
    for name in ("instrument", "side", "qty", "kind"):
        assert (both[name] == both[f"{name}_order"]).all(), f"{name} of a fill is not that of its order"
    assert (both["ts"] >= both["ts_order"]).all(), "an order filled before it was sent"
    assert set(orders["status"]) <= {"FILLED", "CANCELLED", "CANCELLED_NO_SLOT", "WORKING"}
    working = orders[orders["status"] == "WORKING"]
    held = books.held.iloc[-1]
    for order in working[working["kind"] != "open"].itertuples():
        assert held[order.instrument] != 0.0, "a protective order works for no position"


def check_decisions(books: Books) -> None:
    """D9: one decision an instrument and strategy bar, but for the extra rows; each entry order has its ENTRY_TRUE."""
    decisions = books.result.decisions
    true = decisions[(decisions["decision"] == "ENTRY_TRUE") | (decisions["entry"] == "ENTRY_TRUE")]
    pairs = set(zip(true["ts"], true["instrument"].astype(str), strict=True))
    assert pairs == set(zip(books.entries["ts"], books.entries["instrument"], strict=True))
    assert len(pairs) == len(true), "an instrument was decided twice"


def strategy_ordinals(books: Books, name: str) -> pd.DatetimeIndex:
    """Opening stamps of an instrument's own strategy bars."""
    bars = books.result.bars[name]
    timeframe = books.result.strategy.timeframe
    opens = wb.evaluate("close", bars, timeframe=timeframe).index
    # On the common grid, which others may carry on, the last bar can be final that its own bars leave unfinished.
    length = pd.Timedelta(days=1) if timeframe == "1d" else pd.Timedelta(timeframe.replace("m", "min"))
    return opens.append(bars.frame.index[bars.frame.index >= opens[-1] + length][:1])


def check_cooldown(books: Books) -> None:
    """D10: cooldown_bars own strategy bars pass from the bar of an exit's fill to the next entry's decision.

    A reversal, which is decided together with an exit, waits for nothing (D6).
    """
    strategy, decisions = books.result.strategy, books.result.decisions
    if strategy.cooldown_bars == 0:
        return
    reversals = decisions[decisions["entry"] == "ENTRY_TRUE"]
    exempt = pd.MultiIndex.from_arrays([reversals["ts"], reversals["instrument"].astype(str)])
    waiting = books.entries[~pd.MultiIndex.from_frame(books.entries[["ts", "instrument"]]).isin(exempt)]
    for name, trades in books.result.trades.groupby("instrument"):
        opens = strategy_ordinals(books, str(name))
        sent = pd.DatetimeIndex(waiting[waiting["instrument"] == name]["ts"])
        # A decision falls on the close of a bar: the last one that opened before it.
        decided = opens.searchsorted(sent, side="left") - 1
        left = pd.DatetimeIndex(trades["exit_ts"].dropna())
        holds = opens.searchsorted(left, side="right") - 1
        after = np.searchsorted(sent.asi8, left.asi8, side="right")
        again = after < len(sent)
        waited = decided[after[again]] - holds[again]
        assert (waited >= strategy.cooldown_bars).all(), f"{name} entered {waited.min()} bars after it left"


def check_ranking(books: Books, rank: pd.DataFrame) -> None:
    """D7: entries of one decision are sent by rank, highest first, missing last, ties by name.

    ``rank`` has one row a strategy bar, by its opening, and one column an instrument.
    """
    values = rank[books.closes.columns].to_numpy()
    for now in moments(books):
        row = values[rank.index.searchsorted(now.ts, side="left") - 1]
        for before, after in pairwise(now.entries):
            a, b = row[before.k], row[after.k]
            equal = abs(a - b) <= FLOAT * max(abs(a), abs(b)) or (np.isnan(a) and np.isnan(b))
            right = before.instrument < after.instrument if equal else (np.isnan(b) or a > b)
            assert right, f"{before.instrument} was sent before {after.instrument} at {now.ts}"


def check_blocked_are_lower(books: Books, rank: pd.DataFrame) -> None:
    """D7 with D8: an instrument blocked for want of a slot ranks no higher than any that was sent at the same bar."""
    decisions, values = books.result.decisions, rank[books.closes.columns].to_numpy()
    blocked: dict[pd.Timestamp, list[int]] = {}
    rows = decisions[decisions["decision"] == "BLOCKED_SLOTS"]
    for ts, k in zip(rows["ts"], books.closes.columns.get_indexer(rows["instrument"].astype(str)), strict=True):
        blocked.setdefault(ts, []).append(int(k))
    for now in moments(books):
        if now.ts in blocked:
            row = values[rank.index.searchsorted(now.ts, side="left") - 1]
            lowest, highest = min(row[order.k] for order in now.entries), max(row[k] for k in blocked[now.ts])
            assert not highest > lowest + FLOAT * abs(lowest), f"a higher rank was left out at {now.ts}"


def check_all(books: Books) -> None:
    """Every law that needs the tables alone."""
    check_money(books)
    check_positions(books)
    check_caps(books)
    check_orders(books)
    check_decisions(books)
    check_cooldown(books)
