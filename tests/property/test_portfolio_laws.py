"""The laws of a portfolio on 29 NSE symbols of 15-minute bars, and on random synthetic markets.

Every law is computed from the tables of the result (``portfolio_laws``); the tests at the end change a table and see
the laws fail.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.property import portfolio_laws as laws
from tests.property.portfolio_laws import Books
from workbench.engine.costs import charges_of
from workbench.market.instruments import instrument

SECTORS = ("bank", "it", "energy", "other")
BASE: dict[str, Any] = {
    "name": "portfolio",
    "version": "1.0.0",
    "timeframe": "15m",
    "calendar": "NSE",
    "product": "CNC",
    "direction": "LONG",
    "entry": "close > EMA(close, 12) AND RSI(8) > 52",
    "exit": "close < EMA(close, 12)",
    "rank": "ROC(close, 10)",
    "allocation": "RANKING",
    "sizing": wb.CashPerSlot(),
    "max_open_positions": 5,
}
KINDS: dict[str, dict[str, Any]] = {
    "cash per slot by rank": {},
    "cooldown, stops, caps": {
        "cooldown_bars": 6,
        "stop_loss_frac": 0.01,
        "trailing_stop_frac": 0.015,
        "take_profit_frac": 0.02,
        "max_symbol_alloc_frac": 0.15,
        "max_symbol_exposure": 140_000.0,
        "max_open_positions": 8,
    },
    "sectors": {"sector_cap_frac": 0.35, "max_symbol_alloc_frac": 0.3, "sizing": wb.PercentOfEquity(0.25)},
    "equal allocation by name": {"allocation": "EQUAL", "rank": None, "sizing": wb.FixedCash(150_000.0)},
    "no reuse of proceeds": {"reuse_exit_proceeds": False, "max_open_positions": 3},
    "shorts on margin": {
        "product": "MARGIN",
        "direction": "SHORT",
        "margin_frac": 0.4,
        "sizing": wb.PercentOfEquity(0.2),
        "entry": "close < EMA(close, 12) AND RSI(8) < 48",
        "exit": "close > EMA(close, 12)",
        "cooldown_bars": 2,
    },
    "both sides with reversals": {
        "product": "MARGIN",
        "direction": "BOTH",
        "entry": "close CROSSES_ABOVE EMA(close, 12)",
        "exit": "close CROSSES_BELOW EMA(close, 12)",
        "short_entry": "close CROSSES_BELOW EMA(close, 12)",
        "short_exit": "close CROSSES_ABOVE EMA(close, 12)",
        "sizing": wb.RiskPerTrade(0.005, 1.0),
        "stop_loss_frac": 0.012,
    },
    "hourly decisions": {
        "timeframe": "1h",
        "entry": "close > SMA(close, 8) AND close('1d') > SMA(close, 5, '1d')",
        "exit": "close < SMA(close, 8)",
        "cooldown_bars": 1,
        "entry_window": ("10:00", "15:00"),
    },
}


@pytest.fixture(scope="module")
def symbols(data_dir: Any, real_bars: Any) -> dict[str, wb.Bars]:
    """Bars of all NSE files of fifteen minutes."""
    files = sorted((data_dir / "nse").glob("*_15m.parquet"))
    if len(files) < 29:
        pytest.skip(f"{len(files)} files of 15-minute bars in {data_dir / 'nse'}, 29 are needed")
    return {f"NSE:{path.stem.rpartition('_')[0]}": real_bars(f"nse/{path.stem}", repair="drop") for path in files}


def run(symbols: dict[str, wb.Bars], **changes: Any) -> Books:
    """A result of the base strategy with changes."""
    fields = {**BASE, "instruments": tuple(symbols), **changes}
    if "sector_cap_frac" in changes:
        fields["sectors"] = {name: SECTORS[k % len(SECTORS)] for k, name in enumerate(sorted(symbols))}
    delivery = fields["product"] == "CNC"
    costs = wb.costs.zerodha_equity(slippage_bps=2.0) if delivery else wb.costs.bps(3.0, 2.0)
    return Books(wb.backtest(wb.Strategy(**fields), symbols, initial_cash=1_000_000.0, costs=costs))


def charges_from(books: Books) -> Any:
    """The estimate of an order's charges: the cost model's own schedule on the day of its decision."""
    strategy, costs = books.result.strategy, books.result.costs
    described = {name: instrument(name) for name in books.result.bars}
    rates = {
        name: costs.rates(strategy.product, item.exchange, item.currency, item.symbol)
        for name, item in described.items()
    }
    filled = {name: pd.DatetimeIndex(fills["ts"]) for name, fills in books.signed.groupby("instrument")}

    def charges(order: Any, price: float) -> float:
        side = 1 if order.side == "BUY" else -1
        same = order.reason == "ENTRY_SIGNAL"
        if not same:
            bought = filled[order.instrument][filled[order.instrument].searchsorted(order.ts) - 1]
            same = bought.date() == order.ts.date()
        return float(charges_of(rates[order.instrument], order.ts.value, side, order.qty, price, same))

    return charges


def ranks(books: Books) -> pd.DataFrame:
    """Values of the rank expression by the opening of the strategy bar."""
    strategy = books.result.strategy
    return pd.DataFrame(
        {
            name: wb.evaluate(strategy.rank, bars, timeframe=strategy.timeframe)
            for name, bars in books.result.bars.items()
        }
    )


@pytest.fixture(scope="module")
def of_kind(symbols: dict[str, wb.Bars]) -> Any:
    """The books of one of ``KINDS``, made once."""
    return functools.cache(lambda kind: run(symbols, **KINDS[kind]))


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_S5_D8_S3_D10_the_laws_of_a_portfolio_hold_on_29_symbols(kind: str, of_kind: Any) -> None:
    books = of_kind(kind)
    laws.check_all(books)
    decided = books.result.decisions["decision"].value_counts()
    print(f"\n{kind}: {len(books.result.trades)} trades, {len(books.entries)} entries, {dict(decided[decided > 0])}")
    assert len(books.result.trades) > 300
    assert int((books.held != 0).sum(axis=1).max()) == books.result.strategy.max_open_positions


@pytest.mark.parametrize("kind", ["cash per slot by rank", "no reuse of proceeds"])
def test_S4_entries_fit_into_what_is_free_on_29_symbols(kind: str, of_kind: Any) -> None:
    books = of_kind(kind)
    laws.check_cash_at_decisions(books, charges_from(books))
    assert len(books.entries) > 300


@pytest.mark.parametrize("kind", ["cash per slot by rank", "cooldown, stops, caps", "hourly decisions"])
def test_D7_entries_are_sent_by_rank_on_29_symbols(kind: str, of_kind: Any) -> None:
    books = of_kind(kind)
    rank = ranks(books)
    laws.check_ranking(books, rank)
    laws.check_blocked_are_lower(books, rank)
    assert (books.result.decisions["decision"] == "BLOCKED_SLOTS").sum() > 100


# --- random markets -----------------------------------------------------------------------------------------------

NAMES = ("24x7:AA", "24x7:A", "24x7:b", "24x7:M-1", "24x7:Z")


def market(seed: int, names: tuple[str, ...], rows: int = 400) -> dict[str, wb.Bars]:
    """Random walks on a coarse grid of prices with gaps; ties and missing bars are common."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in names:
        step = rng.choice([-2, -1, 0, 0, 1, 2], rows) * 0.5
        close = np.maximum(50.0 + np.cumsum(step), 5.0)
        opened = np.maximum(np.append(50.0, close[:-1]) + rng.choice([-0.5, 0.0, 0.0, 0.5], rows), 1.0)
        top, bottom = np.maximum(opened, close), np.minimum(opened, close)
        frame = pd.DataFrame(
            {
                "open": opened,
                "high": top + rng.choice([0.0, 0.5], rows),
                "low": bottom - rng.choice([0.0, 0.5], rows),
                "close": close,
                "volume": 1.0,
            },
            index=pd.date_range("2024-01-01", periods=rows, freq="15min", tz="UTC", name="ts"),
        )
        kept = rng.random(rows) > rng.choice([0.0, 0.1, 0.4])
        kept[0] = True
        found[name] = wb.Bars(frame[kept], "15m", "24x7")
    return found


FRACTIONS = st.sampled_from([0.05, 0.2, 0.5, 1.0])
MAYBE_LIMITS = {
    "stop_loss_frac": st.sampled_from([None, 0.01, 0.03]),
    "take_profit_frac": st.sampled_from([None, 0.02]),
    "trailing_stop_frac": st.sampled_from([None, 0.02]),
    "max_symbol_alloc_frac": st.sampled_from([None, 0.1, 0.3]),
    "max_symbol_exposure": st.sampled_from([None, 5_000.0]),
    "sector_cap_frac": st.sampled_from([None, 0.3, 0.6]),
    "max_holding_bars": st.sampled_from([None, 1, 5]),
    "max_trades_per_day": st.sampled_from([None, 3]),
    "max_open_positions": st.integers(1, 5),
    "cooldown_bars": st.integers(0, 4),
    "reuse_exit_proceeds": st.booleans(),
    "timeframe": st.sampled_from(["15m", "30m"]),
    "allocation": st.sampled_from(["EQUAL", "RANKING"]),
    "sizing": st.one_of(
        st.just(wb.CashPerSlot()),
        st.builds(wb.PercentOfEquity, FRACTIONS),
        st.sampled_from([wb.FixedCash(3_000.0), wb.FixedQty(40.0), wb.RiskPerTrade(0.02, 2.0)]),
    ),
}
SIDES = st.sampled_from(
    [
        {"product": "CNC", "direction": "LONG", "entry": "close > open", "exit": "close < LAG(close, 2)"},
        {"product": "MARGIN", "direction": "SHORT", "entry": "close < open", "exit": "close > LAG(close, 2)"},
        {
            "product": "MARGIN",
            "direction": "BOTH",
            "entry": "close > open",
            "exit": "close < open",
            "short_entry": "close < open",
            "short_exit": "close > open",
        },
    ]
)


@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 5),
    side=SIDES,
    limits=st.fixed_dictionaries(MAYBE_LIMITS),
    commission=st.sampled_from([0.0, 5.0]),
    slippage=st.sampled_from([0.0, 10.0]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_S5_D8_S3_D10_the_laws_of_a_portfolio_hold_on_random_markets(
    seed: int, count: int, side: dict[str, Any], limits: dict[str, Any], commission: float, slippage: float
) -> None:
    names = NAMES[:count]
    given_limits = {**limits, "stop_loss_frac": limits["stop_loss_frac"] or 0.02}
    if not isinstance(limits["sizing"], wb.RiskPerTrade):
        given_limits["stop_loss_frac"] = limits["stop_loss_frac"]
    strategy = wb.Strategy(
        name="random",
        version="1.0.0",
        instruments=names,
        calendar="24x7",
        **side,
        **given_limits,
        rank="ROC(close, 3)" if limits["allocation"] == "RANKING" else None,
        sectors={name: SECTORS[k % 2] for k, name in enumerate(names)} if limits["sector_cap_frac"] else {},
    )
    costs = wb.costs.bps(commission, slippage)
    laws.check_all(Books(wb.backtest(strategy, market(seed, names), initial_cash=20_000.0, costs=costs)))


# --- the laws can fail --------------------------------------------------------------------------------------------


def broken(books: Books, table: str, change: Any) -> Books:
    """The same result with one table changed."""
    new = object.__new__(type(books.result))
    new.__dict__.update(
        {
            name: getattr(books.result, name)
            for name in (
                "strategy",
                "bars",
                "costs",
                "initial_cash",
                "trades",
                "fills",
                "orders",
                "decisions",
                "equity",
            )
        }
    )
    altered = getattr(books.result, table).copy()
    change(altered)
    new.__dict__[table] = altered
    return Books(new)


def _set(column: str, row: int, value: Any) -> Any:
    def change(table: pd.DataFrame) -> None:
        place = table.index[row]
        table.loc[place, column] = value(table.loc[place, column]) if callable(value) else value

    return change


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("fills", _set("price", 10, lambda price: price + 0.01), "cash is not conserved"),
        ("fills", _set("charges", 10, lambda charges: charges + 0.01), "cash is not conserved"),
        ("equity", _set("position_value", 500, lambda value: value + 0.01), "position value"),
        ("trades", _set("net_pnl", 3, lambda value: value + 1.0), "trades do not add up"),
        ("orders", _set("qty", 0, lambda qty: qty + 1e4), "passes the cap|of a fill"),
        ("orders", _set("status", 0, "CANCELLED"), None),
        ("decisions", _set("decision", -1, "ENTRY_TRUE"), None),
    ],
)
def test_the_laws_see_a_changed_table(table: str, change: Any, said: str | None, symbols: dict[str, wb.Bars]) -> None:
    few = {name: symbols[name] for name in list(symbols)[:6]}
    books = run(few, **KINDS["cooldown, stops, caps"])
    laws.check_all(books)
    with pytest.raises(AssertionError, match=said):
        laws.check_all(broken(books, table, change))
