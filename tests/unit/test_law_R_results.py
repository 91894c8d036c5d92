"""Rules R1 to R4, and the tables of N4 and N5. Worked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

import workbench as wb
from tests.worked import bars, equity, fills, run, strategy, trades, when

ROUND_TRIP = "Mon \n 09:15 100 entry \n 09:20 100 104 98 101 \n 09:25 101 107 99 105 exit \n 09:30 103 120 80 100"

# --- R1: trades ---------------------------------------------------------------------------------------------------


def test_R1_a_row_for_a_trade() -> None:
    """Ten at 100, sold at 103, 1 % of charges: 10 + 10.30. Stop 95: one R is 50. Net 9.70."""
    result = run(ROUND_TRIP, costs=wb.costs.bps(100, 0), stop_loss_frac=0.05)
    row = result.trades.iloc[0]
    assert list(result.trades.columns) == [
        "instrument",
        "direction",
        "qty",
        "entry_ts",
        "entry_price",
        "entry_reason",
        "exit_ts",
        "exit_price",
        "exit_reason",
        "gross_pnl",
        "charges",
        "net_pnl",
        "return_frac",
        "r_multiple",
        "mae_frac",
        "mfe_frac",
        "bars_held",
        "is_open",
    ]
    assert (row.instrument, row.direction, row.qty) == ("NSE:A", "LONG", 10.0)
    assert (row.entry_price, row.entry_reason, row.exit_price, row.exit_reason) == (
        100.0,
        "ENTRY_SIGNAL",
        103.0,
        "EXIT_SIGNAL",
    )
    assert when(result, [row.entry_ts, row.exit_ts]) == ["Mon 09:20", "Mon 09:30"]
    assert row.gross_pnl == pytest.approx(30.0, abs=1e-9)
    assert row.charges == pytest.approx(20.3, abs=1e-9)
    assert row.net_pnl == pytest.approx(9.7, abs=1e-9)
    assert row.return_frac == pytest.approx(0.0097, abs=1e-12)
    assert row.r_multiple == pytest.approx(0.194, abs=1e-12)
    assert not row.is_open


def test_R1_MAE_and_MFE_are_of_bars_wholly_held_and_of_the_exit() -> None:
    """Held 09:20 (98 to 104) and 09:25 (99 to 107); the exit bar's 80 and 120 came after the sale at its open."""
    row = run(ROUND_TRIP).trades.iloc[0]
    assert (row.mae_frac, row.mfe_frac) == pytest.approx((-0.02, 0.07), abs=1e-12)


def test_R1_the_exit_price_counts_in_MAE_and_MFE() -> None:
    """Stopped at 95 inside 09:25, whose high 107 may have come later: best is 104 of the entry bar."""
    table = "Mon \n 09:15 100 entry \n 09:20 100 104 98 101 \n 09:25 101 107 90 105"
    row = run(table, stop_loss_frac=0.05).trades.iloc[0]
    assert (row.mae_frac, row.mfe_frac) == pytest.approx((-0.05, 0.04), abs=1e-12)
    target = run("Mon \n 09:15 100 entry \n 09:20 100 104 98 101 \n 09:25 101 113 90 105", take_profit_frac=0.1)
    assert tuple(target.trades.iloc[0][["mae_frac", "mfe_frac"]]) == pytest.approx((-0.02, 0.1), abs=1e-12)


def test_R1_MAE_and_MFE_of_a_short() -> None:
    row = run(ROUND_TRIP.replace("entry", "short").replace("exit", "cover"), direction="SHORT").trades.iloc[0]
    assert (row.mae_frac, row.mfe_frac) == pytest.approx((-0.07, 0.02), abs=1e-12)
    assert row.return_frac == pytest.approx(-0.03, abs=1e-12)


def test_R1_MAE_is_never_above_zero_nor_MFE_below() -> None:
    """Only gains: MAE 0. Only losses: MFE 0."""
    up = run("Mon \n 09:15 100 entry \n 09:20 100 104 100 101 \n 09:25 101 107 101 105 exit \n 09:30 103").trades.iloc[
        0
    ]
    down = run("Mon \n 09:15 100 entry \n 09:20 100 100 98 99 exit \n 09:25 97").trades.iloc[0]
    assert (up.mae_frac, down.mfe_frac) == (0.0, 0.0)
    assert down.mae_frac == pytest.approx(-0.03, abs=1e-12)


@pytest.mark.parametrize(
    ("fields", "r"),
    [
        ({"stop_loss_frac": 0.05}, 0.6),  # 30 / 50
        ({"trailing_stop_frac": 0.1}, 0.3),  # 30 / 100
        ({"stop_loss_frac": 0.05, "trailing_stop_frac": 0.03}, 1.0),  # the trailing level works first: 30 / 30
        ({"stop_loss_frac": 0.05, "stop_execution": "close"}, 0.6),
    ],
)
def test_R1_one_R_is_the_distance_to_the_first_working_level(fields: dict[str, object], r: float) -> None:
    table = "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 101 exit \n 09:30 103"
    assert run(table, **fields).trades.r_multiple.iloc[0] == pytest.approx(r, abs=1e-12)


def test_R1_without_a_stop_there_is_no_R() -> None:
    table = "Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 101 exit \n 09:30 103"
    assert run(table, take_profit_frac=0.1).trades.r_multiple.isna().all()


def test_R1_bars_held_is_as_at_the_last_strategy_close_before_the_exit() -> None:
    """Sold at the open of 09:30, after the closes of 09:20 (0) and 09:25 (1)."""
    assert run(ROUND_TRIP).trades.bars_held.iloc[0] == 1
    stopped = run("Mon \n 09:15 100 entry \n 09:20 100 100 94 96", stop_loss_frac=0.05)
    assert stopped.trades.bars_held.iloc[0] == 0


def test_R1_an_open_trade_is_marked_and_flagged() -> None:
    result = run("Mon \n 09:15 100 entry \n 09:20 100 130 98 101 \n 09:25 101 107 97 105")
    row = result.trades.iloc[0]
    assert bool(row.is_open) and row.net_pnl == 50.0 and row.bars_held == 1
    assert (row.mae_frac, row.mfe_frac) == pytest.approx((-0.03, 0.3), abs=1e-12)
    assert (result.stats["n_trades"], result.stats["n_open_trades"]) == (0, 1)


# --- R2: equity ---------------------------------------------------------------------------------------------------


def test_R2_a_row_where_any_instrument_has_a_bar_and_nowhere_else() -> None:
    """A at 09:15 and 09:30, B at 09:15 and 09:40: three rows, stamped with their closes; the gaps have none."""
    result = run({"A": "Mon \n 09:15 100 \n 09:30 100", "B": "Mon \n 09:15 50 \n 09:40 50"})
    assert list(equity(result)) == ["Mon 09:20", "Mon 09:35", "Mon 09:45"]
    assert result.equity.index.name == "ts_close"
    assert list(result.equity.columns) == ["cash", "position_value", "equity", "drawdown_frac"]


def test_R2_the_stamp_of_a_short_last_bar_is_the_session_s_close() -> None:
    """1h bars of NSE: 15:15 to 15:30."""
    assert list(equity(run("Mon \n 14:15 100 \n 15:15 100", base="1h"))) == ["Mon 15:15", "Mon 15:30"]


def test_R2_drawdown_is_from_a_peak_that_begins_with_the_initial_cash() -> None:
    """1,000: 990, 1,020, 1,010, then sold: -1 %, 0, 1,010 / 1,020 - 1."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100 100 99 99
        09:25 102
        09:30 101              exit
        09:35 101
        """,
        cash=1_000,
    )
    assert list(result.equity.drawdown_frac) == pytest.approx(
        [0, -0.01, 0, 1_010 / 1_020 - 1, 1_010 / 1_020 - 1], abs=1e-12
    )


def test_R2_begins_with_the_start() -> None:
    result = run("Mon \n 09:15-15:25 100 \n Tue \n 09:15 100", start="2024-01-09")
    assert list(equity(result)) == ["Tue 09:20"]


# --- R3: statistics ------------------------------------------------------------------------------------------------


def test_R3_returns_are_of_sessions_and_begin_with_the_initial_cash() -> None:
    """Equity at the three closes: 1,000, 1,100, 1,045: returns 0, 10 %, -5 %.

    Mean 1/60, squared deviations (1 + 25 + 16) / 3,600 = 42 / 3,600, over two 21 / 3,600.
    """
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100
        Tue
        09:15 100 120 100 120
        09:20 110
        Wed
        09:15 104.5            exit
        09:20 104.5
        """,
        cash=1_000,
    )
    stats = result.stats
    deviation = (21 / 3_600) ** 0.5
    assert stats["n_sessions"] == 3
    assert stats["total_return_frac"] == pytest.approx(0.045, abs=1e-12)
    assert stats["volatility_ann"] == pytest.approx(deviation * 248**0.5, rel=1e-9)
    assert stats["sharpe_ann"] == pytest.approx((1 / 60) / deviation * 248**0.5, rel=1e-9)
    assert stats["sortino_ann"] == pytest.approx((1 / 60) / (0.05**2 / 3) ** 0.5 * 248**0.5, rel=1e-9)
    assert stats["cagr_frac"] == pytest.approx(1.045 ** (248 / 3) - 1, rel=1e-9)
    assert stats["max_drawdown_frac"] == pytest.approx(1_045 / 1_200 - 1, abs=1e-12)


def test_R3_trades_exposure_and_turnover() -> None:
    """Two trades, +30 and -10; in the market at two of five closes; traded 1,000 + 1,030 + 1,000 + 990."""
    result = run(
        """
        Mon
        09:15 100              entry
        09:20 100              exit
        09:25 103              entry
        09:30 100              exit
        09:35 99
        """,
        cash=10_000,
    )
    stats = result.stats
    assert [row[-1] for row in trades(result)] == [30.0, -10.0]
    assert (stats["n_trades"], stats["win_rate_frac"], stats["profit_factor"]) == (2, 0.5, 3.0)
    assert stats["exposure_frac"] == pytest.approx(0.4, abs=1e-12)
    mean = (10_000 + 10_000 + 10_030 + 10_030 + 10_020) / 5
    assert stats["turnover"] == pytest.approx(4_020 / mean, rel=1e-12)


def test_R3_undefined_is_None() -> None:
    """No trade, one session."""
    stats = run("Mon \n 09:15 100").stats
    assert [
        stats[name] for name in ("sharpe_ann", "sortino_ann", "win_rate_frac", "profit_factor", "expectancy_r")
    ] == [None] * 5
    assert stats["total_return_frac"] == 0.0


# --- R4: hashes ----------------------------------------------------------------------------------------------------

TABLE = "Mon \n 09:15 100 entry \n 09:20 100 exit \n 09:25 103"


def test_R4_equal_hashes_mean_equal_results() -> None:
    one, two = (run(TABLE, costs=wb.costs.bps(10, 5), stop_loss_frac=0.05) for _ in range(2))
    assert one.hash == two.hash
    for name in ("trades", "fills", "orders", "decisions", "equity", "notes"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert one.stats == two.stats


@pytest.mark.parametrize(
    "changed",
    [
        {"tables": TABLE.replace("103", "104")},
        {"stop_loss_frac": 0.05},
        {"version": "1.0.1"},
        {"costs": wb.costs.bps(1, 0)},
        {"costs": wb.costs.bps(0, 1)},
        {"cash": 100_001.0},
        {"start": "2024-01-08"},
    ],
)
def test_R4_whatever_can_change_a_result_changes_its_hash(changed: dict[str, object]) -> None:
    assert run(**({"tables": TABLE} | changed)).hash != run(TABLE).hash


def test_R4_the_tick_and_the_basis_are_in_the_hash() -> None:
    from workbench.market.instruments import forget_instruments

    plain, given = run(TABLE).hash, bars(TABLE)
    adjusted = wb.Bars(given.frame, "5m", "NSE", basis="split-adjusted")
    assert run(adjusted).hash != plain
    try:
        wb.register_instrument("NSE:A", tick=0.01)
        assert run(TABLE).hash != plain
    finally:
        forget_instruments()
    assert run(TABLE).hash == plain


def test_R4_the_order_in_which_bars_are_given_changes_nothing() -> None:
    tables = {"A": TABLE, "B": TABLE, "C": TABLE}
    one = run(tables)
    data = {f"NSE:{symbol}": bars(tables[symbol]) for symbol in "CAB"}
    other = wb.backtest(one.strategy, data, initial_cash=100_000)
    assert other.hash == one.hash
    pd.testing.assert_frame_equal(other.fills, one.fills)


# --- N4, N5 -----------------------------------------------------------------------------------------------------------


def test_N4_one_Bars_or_a_mapping() -> None:
    given = bars(TABLE)
    plan = strategy({"NSE:A": given})
    one, other = wb.backtest(plan, given), wb.backtest(plan, {"NSE:A": given, "NSE:B": given})
    assert one.hash == other.hash
    assert one.initial_cash == 1_000_000


def test_N4_names_what_does_not_fit() -> None:
    given = bars(TABLE)
    plan = strategy({"NSE:A": given, "NSE:B": given})
    with pytest.raises(wb.ConfigError, match="2 instruments"):
        wb.backtest(plan, given)
    with pytest.raises(wb.ConfigError, match="NSE:B"):
        wb.backtest(plan, {"NSE:A": given})
    with pytest.raises(wb.ConfigError, match="initial_cash"):
        run(TABLE, cash=0)
    with pytest.raises(wb.ConfigError, match="15m"):
        run("Mon \n 09:15 100 entry", base="15m", timeframe="5m")
    with pytest.raises(wb.ConfigError, match="after the last bar"):
        run(TABLE, start="2024-01-10")


def test_N5_fills_and_orders_share_ids_and_all_times_are_UTC() -> None:
    """A fill is stamped with the opening of its bar: 09:20 in India is 03:50 UTC. A stop keeps one id."""
    result = run("Mon \n 09:15 100 entry \n 09:20 100 \n 09:25 90", stop_loss_frac=0.05)
    assert list(result.fills.columns) == [
        "ts",
        "instrument",
        "side",
        "qty",
        "price",
        "charges",
        "reason",
        "kind",
        "order_id",
    ]
    assert list(result.orders.columns) == [
        "ts",
        "instrument",
        "side",
        "qty",
        "kind",
        "limit_price",
        "stop_price",
        "reason",
        "status",
        "order_id",
    ]
    assert str(result.fills.ts.iloc[0]) == "2024-01-08 03:50:00+00:00"
    assert fills(result)[1] == ("Mon 09:25", "SELL", 10, 90.0, "STOP_LOSS", "stop")  # gapped, and still a stop
    assert list(result.fills.order_id) == list(result.orders.order_id)
    assert result.orders.order_id.is_unique and result.orders.order_id.str.fullmatch("[A-Z2-7]{20}").all()
    for table, column in (
        (result.trades, "entry_ts"),
        (result.orders, "ts"),
        (result.decisions, "ts"),
        (result.notes, "ts"),
    ):
        assert str(table[column].dt.tz) == "UTC"
    assert str(result.equity.index.tz) == "UTC"


def test_N5_a_result_without_a_trade_has_all_its_columns() -> None:
    empty, full = run("Mon \n 09:15 100"), run(TABLE)
    for name in ("trades", "fills", "orders", "decisions", "equity", "notes"):
        assert list(getattr(empty, name).columns) == list(getattr(full, name).columns)
    assert [len(empty.trades), len(empty.fills), len(empty.orders)] == [0, 0, 0]
