"""The slow reference of the law against cases worked by hand, and against laws any run must keep."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.reference import cut, run, scenario
from tests.reference.numbers import down_to_tick, nine_places, up_to_tick

MINUTE = 60 * 10**9
DAY = 1440 * MINUTE


def none(ts_ns, side, qty, price, same_session):
    return 0.0


def small(bars, signals, *, per_session=4, closes=None, instruments=None, slippage=0.0, charges=none, cash=10_000.0,
          **strategy):
    """A world of one-minute intervals, ``per_session`` a session from 00:00; bars are (open, high, low, close).

    ``bars`` and ``signals`` are by instrument and interval; a signal is a set of names that are true, or a dict.
    """
    n = max(i for of in bars.values() for i in of) + 1
    count = -(-n // per_session)
    sessions = [{"date": s, "open_ns": s * DAY, "close_ns": s * DAY + per_session * MINUTE,
                 "proxy_close_ns": s * DAY + (per_session - 1) * MINUTE, "sell_end_ns": s * DAY + MINUTE,
                 "known": True, "utc_offset_ns": 0} for s in range(count)]
    grid = [{"open_ns": i // per_session * DAY + i % per_session * MINUTE,
             "close_ns": i // per_session * DAY + (i % per_session + 1) * MINUTE, "session": i // per_session}
            for i in range(n)]
    closes = set(range(n)) if closes is None else closes
    full = {}
    for name, of in bars.items():
        full[name] = {}
        last = {}
        for i in range(n):
            if i in of:
                last = {"close": of[i][3]}
            if i in closes and last:
                given = signals.get(name, {}).get(i, {})
                given = given if isinstance(given, dict) else dict.fromkeys(given, True)
                if i in of:
                    full[name][i] = {"entry": False, "exit": False, "short_entry": False, "short_exit": False,
                                     "warm": True, "rank": None, "atr": None, **last, **given}
    return run(
        strategy={"product": "MARGIN", "sizing": ("FixedQty", 10.0), **strategy},
        instruments=instruments or {name: {"tick": 0.05, "lot": 1.0} for name in bars}, sessions=sessions, grid=grid,
        bars={name: {i: (*bar, 0.0) for i, bar in of.items()} for name, of in bars.items()}, strategy_closes=closes,
        signals=full, costs={"slippage_frac": slippage, "charges": charges}, initial_cash=cash)


def flat(price, n=8):
    """Bars that do not move."""
    return dict.fromkeys(range(n), (price, price, price, price))


def fills(result):
    return [(f["ts"] // MINUTE, f["instrument"], f["side"], f["qty"], round(f["price"], 9), f["reason"], f["kind"])
            for f in result["fills"]]


def decisions(result, name="A"):
    return [d["decision"] for d in result["decisions"] if d["instrument"] == name]


def statuses(result):
    return [(o["instrument"], o["kind"], o["reason"], o["status"]) for o in result["orders"]]


def test_E5_equal_within_a_billionth_touches_the_stop():
    bars = {"A": flat(100.0, 2) | {2: (100.0, 100.0, 99.0 + 5e-8, 99.5)}}
    result = small(bars, {"A": {0: {"entry"}}}, stop_loss_frac=0.01)
    assert fills(result)[1] == (2, "A", "SELL", 10.0, 99.0, "STOP_LOSS", "stop")


def test_F1_exits_fill_before_entries_and_a_reversal_turns_at_one_open():
    bars = {"A": {0: (100, 100, 100, 100), 1: (101, 101, 101, 101), 2: (103, 103, 103, 103), 3: (104, 104, 104, 104)}}
    result = small(bars, {"A": {0: {"entry"}, 1: {"exit", "short_entry"}}}, direction="BOTH", max_open_positions=1)
    assert fills(result) == [(1, "A", "BUY", 10.0, 101, "ENTRY_SIGNAL", "open"),
                             (2, "A", "SELL", 10.0, 103, "EXIT_SIGNAL", "open"),
                             (2, "A", "SELL", 10.0, 103, "ENTRY_SIGNAL", "open")]
    assert [d["entry"] for d in result["decisions"]] == [None, "ENTRY_TRUE", None, None]
    assert result["trades"][0]["net_pnl"] == 20.0
    assert result["trades"][1]["gross_pnl"] == -10.0  # short from 103, marked at 104
    assert result["equity"][-1]["equity"] == 10_010.0


def test_F2_levels_are_rounded_to_the_tick_away_from_the_trade():
    assert down_to_tick(99.99, 0.05) == 99.95
    assert up_to_tick(99.91, 0.05) == 99.95
    assert down_to_tick(100.05, 0.05) == 100.05  # 2001 ticks in floats is 2000.9999999999998
    assert nine_places(1 / 3) == 0.333333333


def test_F4_gap_through_stop_fills_at_open_with_slippage():
    bars = {"A": flat(100.0, 2) | {2: (95.0, 96.0, 94.0, 95.0)}}
    result = small(bars, {"A": {0: {"entry"}}}, stop_loss_frac=0.02, slippage=0.001)
    # entry 100.1, stop 98.098 -> 98.05; open 95 -> 95 * 0.999
    assert fills(result)[1] == (2, "A", "SELL", 10.0, 94.905, "STOP_LOSS", "stop")
    assert result["orders"][1]["stop_price"] == 98.05
    assert result["trades"][0]["r_multiple"] == pytest.approx((94.905 - 100.1) / (100.1 - 98.05), rel=1e-12)


def test_F4_gap_over_target_fills_at_open_without_slippage_and_not_on_the_entry_bar():
    bars = {"A": flat(100.0, 2) | {2: (103.0, 103.0, 103.0, 103.0)}}
    result = small(bars, {"A": {0: {"entry"}}}, take_profit_frac=0.02, slippage=0.001)
    assert fills(result)[1] == (2, "A", "SELL", 10.0, 103.0, "TAKE_PROFIT", "target")


@pytest.mark.parametrize(("choice", "expected"), [("stop", (99.0, "STOP_LOSS")), ("target", (101.0, "TAKE_PROFIT"))])
def test_F5_ambiguous_bar(choice, expected):
    bars = {"A": flat(100.0, 1) | {1: (100.0, 101.0, 99.0, 100.0)}}  # both on the entry bar (F3)
    result = small(bars, {"A": {0: {"entry"}}}, stop_loss_frac=0.01, take_profit_frac=0.01, ambiguous_bar=choice)
    assert fills(result)[1][4:6] == expected


def test_F5_through_asks_for_a_price_beyond():
    bars = {"A": flat(100.0, 2) | {2: (100, 101, 100, 100), 3: (100, 101.05, 100, 100)}}
    result = small(bars, {"A": {0: {"entry"}}}, take_profit_frac=0.01, target_touch="through")
    assert fills(result)[1] == (3, "A", "SELL", 10.0, 101.0, "TAKE_PROFIT", "target")


def test_F6_trailing_moves_between_bars_only():
    bars = {"A": flat(100.0, 2) | {2: (100, 110, 105, 109), 3: (109, 109, 107.8, 108)}}
    result = small(bars, {"A": {0: {"entry"}}}, trailing_stop_frac=0.02, stop_loss_frac=0.05,
                   trailing_activation_frac=0.03)
    # bar 2's own high does not move the stop that bar 2 is tested against; afterwards 110 * 0.98 = 107.8
    assert fills(result)[1] == (3, "A", "SELL", 10.0, 107.8, "TRAILING_STOP", "stop")
    assert result["trades"][0]["r_multiple"] == pytest.approx(7.8 / 5.0)  # against the first level, 95
    assert result["trades"][0]["mfe_frac"] == pytest.approx(0.10)


def test_F8_market_exit_fills_first_and_cancels_the_stop():
    bars = {"A": flat(100.0, 3) | {3: (98.0, 98.0, 90.0, 95.0)}}
    result = small(bars, {"A": {0: {"entry"}, 2: {"exit"}}}, stop_loss_frac=0.05)
    assert fills(result)[1] == (3, "A", "SELL", 10.0, 98.0, "EXIT_SIGNAL", "open")
    assert statuses(result)[1] == ("A", "stop", "STOP_LOSS", "CANCELLED")


def test_F7_close_stops_compare_with_the_close_and_fill_at_the_next_open():
    bars = {"A": flat(100.0, 2) | {2: (100, 100, 90, 99.5), 3: (99, 99, 98, 98.9), 4: (97, 97, 97, 97)}}
    result = small(bars, {"A": {0: {"entry"}}}, stop_loss_frac=0.01, stop_execution="close")
    assert fills(result)[1] == (DAY // MINUTE, "A", "SELL", 10.0, 97.0, "STOP_LOSS", "open")
    assert [o["kind"] for o in result["orders"]] == ["open", "open"]


def test_X1_entry_waits_through_the_first_interval_of_the_next_session():
    bars = {"A": {2: (100, 100, 100, 100), 5: (101, 101, 101, 101)}, "B": flat(50.0)}
    result = small(bars, {"A": {2: {"entry"}}})
    assert statuses(result) == [("A", "open", "ENTRY_SIGNAL", "CANCELLED")]
    bars["A"] = {2: (100, 100, 100, 100), 4: (101, 101, 101, 101)}
    assert fills(small(bars, {"A": {2: {"entry"}}})) == [(1440, "A", "BUY", 10.0, 101, "ENTRY_SIGNAL", "open")]


def test_X2_mis_flattens_at_the_proxy_close_and_reports_a_failure():
    bars = {"A": {0: (100, 100, 100, 100), 1: (100, 100, 100, 100), 2: (100, 100, 100, 100), 5: (90, 90, 90, 90)},
            "B": flat(50.0)}
    result = small(bars, {"A": {0: {"entry"}}, "B": {2: {"entry"}}}, product="MIS")
    assert decisions(result)[2] == "EXIT_TRUE"  # 00:03 is the proxy close of a session to 00:04
    assert decisions(result, "B")[2] == "BLOCKED_SESSION_END"
    assert result["notes"] == [{"ts": 4 * MINUTE, "instrument": "A", "note": "FLATTEN_FAILED"}]
    assert fills(result)[1] == (1441, "A", "SELL", 10.0, 90, "FORCED_FLATTEN", "open")


def test_X3_X4_proxy_close_entry_fills_in_the_buy_window_and_exit_time_ignores_a_wall_time_outside():
    bars = {"A": flat(100.0, 12)}
    result = small(bars, {"A": {2: {"entry"}}}, closes={2, 6, 10}, execution="proxy_close", product="CNC",
                   exit_time="00:30", max_holding_bars=1)
    assert [f[0] for f in fills(result)] == [3, 2 * 1440 + 3]  # bars held 0 at day 2's proxy close, 1 at day 3's
    assert result["trades"][0]["bars_held"] == 1
    result = small(bars, {"A": {2: {"entry"}}}, closes={2, 6, 10}, execution="proxy_close", product="CNC",
                   exit_time="-1m")
    assert decisions(result)[0] == "BLOCKED_SESSION_END"


def test_D5_kill_exits_everything_and_blocks_for_good():
    bars = {"A": flat(100.0, 2) | dict.fromkeys(range(2, 8), (80, 80, 80, 80))}
    result = small(bars, {"A": {i: {"entry"} for i in range(8)}}, sizing=("FixedQty", 50.0), max_drawdown_frac=0.1)
    assert decisions(result) == ["ENTRY_TRUE", "EXIT_FALSE", "EXIT_TRUE"] + ["BLOCKED_KILL"] * 5
    assert result["equity"][-1]["equity"] == 9_000.0
    assert result["equity"][-1]["drawdown_frac"] == pytest.approx(-0.1)


def test_D5_daily_loss_ends_with_the_session():
    bars = {"A": flat(100.0, 2) | dict.fromkeys(range(2, 8), (98, 98, 98, 98))}
    result = small(bars, {"A": {i: {"entry"} for i in range(8)}}, sizing=("FixedQty", 50.0),
                   daily_loss_limit_frac=0.01)
    assert decisions(result)[2:5] == ["EXIT_TRUE", "BLOCKED_DAILY_LOSS", "ENTRY_TRUE"]


def test_D6_max_trades_counts_in_sending_order_of_this_instant():
    bars = {name: flat(100.0, 3) for name in "ABC"}
    ranks = {"A": 1.0, "B": 2.0, "C": 2.0 * (1 + 5e-10)}
    result = small(bars, {n: {0: {"entry": True, "rank": ranks[n]}} for n in "ABC"}, max_trades_per_day=2,
                   allocation="RANKING")
    assert [f[1] for f in fills(result)] == ["B", "C"]  # a tie within E5 goes by name
    assert decisions(result, "A")[0] == "BLOCKED_MAX_TRADES"


def test_D8_entry_waits_for_the_exit_it_names_and_is_cancelled_without_it():
    bars = {"A": flat(100.0, 4), "B": flat(100.0, 4)}
    del bars["A"][3]
    signals = {"A": {0: {"entry"}, 2: {"exit"}}, "B": {2: {"entry"}}}
    result = small(bars, signals, max_open_positions=1)
    assert statuses(result)[-1] == ("B", "open", "ENTRY_SIGNAL", "CANCELLED_NO_SLOT")
    bars["A"][3] = bars["B"][3]
    assert fills(small(bars, signals, max_open_positions=1))[-1][:3] == (3, "B", "BUY")


@pytest.mark.parametrize(("absent", "status"), [("C", "FILLED"), ("A", "CANCELLED_NO_SLOT")])
def test_D8_the_fewest_exits_by_name_are_named(absent, status):
    bars = {name: flat(100.0, 4) for name in "ABC"}
    del bars[absent][3]
    leave = {0: {"entry"}, 2: {"exit"}}
    result = small(bars, {"A": leave, "B": {2: {"entry"}}, "C": leave}, max_open_positions=2)
    assert statuses(result)[-1] == ("B", "open", "ENTRY_SIGNAL", status)  # it named A's exit, not C's


@pytest.mark.parametrize(("absent", "status"), [("A", "CANCELLED_NO_SLOT"), ("B", "FILLED")])
def test_D8_a_reversal_names_its_own_exit_first_then_others_by_name(absent, status):
    bars = {name: flat(100.0, 4) for name in "ABC"}
    del bars[absent][3]
    signals = {"A": {0: {"entry"}, 2: {"exit"}}, "B": {0: {"entry"}, 2: {"exit"}},
               "C": {0: {"entry"}, 2: {"exit", "short_entry"}}}
    sizing = {"sizing": ("FixedQty", 30.0), "max_open_positions": 3, "direction": "BOTH"}

    def charges(ts_ns, side, qty, price, same_session):
        return 1_000.0

    result = small(bars, signals, charges=charges, cash=14_500.0, slippage=0.0, **sizing)
    # equity 11500, held 9000, free 2500; its own exit releases 2000: 4500 >= 4000, and nobody else's is needed
    assert statuses(result)[-1] == ("C", "open", "ENTRY_SIGNAL", "FILLED")
    result = small(bars, signals, charges=charges, cash=13_500.0, slippage=0.0, **sizing)
    # free 1500 + 2000 is short of 4000, with A's 2000 it suffices: C waits for C and A, not for B
    assert statuses(result)[-1] == ("C", "open", "ENTRY_SIGNAL", status)


def test_D6_max_trades_starts_anew_with_the_session():
    bars = {"A": flat(100.0)}
    result = small(bars, {"A": {i: {"entry", "exit"} for i in range(8)}}, max_trades_per_day=1)
    assert decisions(result)[2:5] == ["BLOCKED_MAX_TRADES", "BLOCKED_MAX_TRADES", "ENTRY_TRUE"]


def test_D10_cooldown_counts_own_strategy_bars():
    bars = {"A": flat(100.0)}
    result = small(bars, {"A": {i: {"entry", "exit"} for i in range(8)}}, cooldown_bars=2, per_session=8)
    # bought in 1, sold in 2 (k = 2): bars 2 and 3 are cooling, bar 4 is not
    assert decisions(result)[:5] == ["ENTRY_TRUE", "EXIT_TRUE", "BLOCKED_COOLDOWN", "BLOCKED_COOLDOWN", "ENTRY_TRUE"]


def test_S3_size_is_floored_to_lots_then_reduced_until_cost_and_charges_fit():
    def charges(ts_ns, side, qty, price, same_session):
        return 5.0 + 0.01 * qty * price

    bars = {"A": flat(100.0, 3)}
    result = small(bars, {"A": {0: {"entry"}}}, sizing=("PercentOfEquity", 1.0), charges=charges, slippage=0.001)
    # 10000 / 100.1 = 99.9 -> 99; 99 * 100.1 * 1.01 + 5 = 10014.0; 98 -> 9912.9
    assert fills(result)[0][3] == 98.0
    assert result["equity"][-1]["cash"] == pytest.approx(10_000 - 98 * 100.1 - 5 - 98.098, abs=1e-9)


def test_S3_caps_and_the_two_kinds_of_nothing():
    bars = {"A": flat(100.0, 3), "B": flat(100.0, 3)}
    both = {"A": {0: {"entry"}}, "B": {0: {"entry"}}}
    result = small(bars, both, sector_cap_frac=0.15, sectors={"A": "X", "B": "X"})
    assert [(f[1], f[3]) for f in fills(result)] == [("A", 10.0), ("B", 5.0)]
    result = small(bars, both, max_symbol_exposure=99.0)
    assert decisions(result)[0] == "BLOCKED_CAP"
    result = small(bars, both, sizing=("FixedQty", 60.0))
    assert (decisions(result)[0], decisions(result, "B")[0]) == ("ENTRY_TRUE", "BLOCKED_CASH")


@pytest.mark.parametrize("reuse", [True, False])
def test_S4_proceeds_of_exits_decided_now_are_free_unless_switched_off(reuse):
    bars = {"A": flat(100.0, 4), "B": flat(100.0, 4)}
    result = small(bars, {"A": {0: {"entry"}, 2: {"exit"}}, "B": {2: {"entry"}}}, sizing=("FixedQty", 60.0),
                   reuse_exit_proceeds=reuse)
    assert decisions(result, "B")[2] == ("ENTRY_TRUE" if reuse else "BLOCKED_CASH")


def test_S2_risk_per_trade_is_capped_by_leverage():
    bars = {"A": flat(100.0, 3)}
    result = small(bars, {"A": {0: {"entry": True, "atr": 2.0}}}, sizing=("RiskPerTrade", 0.01, 1.0),
                   stop_loss_atr=2.0)
    assert fills(result)[0][3] == 25.0  # 100 of risk / 4 of distance
    assert result["orders"][1]["stop_price"] == 96.0
    result = small(bars, {"A": {0: {"entry": True, "atr": 2.0}}}, sizing=("RiskPerTrade", 0.01, 0.2),
                   stop_loss_atr=2.0)
    assert fills(result)[0][3] == 20.0


SEEDS = range(120)


@pytest.fixture(scope="module")
def runs():
    worlds = [scenario(seed) for seed in SEEDS]
    return [(world, run(**world)) for world in worlds]


def test_R1_S5_cash_is_conserved_and_trades_add_up(runs):
    for world, result in runs:
        moved = sum((-1 if f["side"] == "BUY" else 1) * f["qty"] * f["price"] - f["charges"] for f in result["fills"])
        if result["equity"]:
            last = result["equity"][-1]
            assert last["cash"] == pytest.approx(world["initial_cash"] + moved, rel=1e-9)
            net = sum(t["net_pnl"] for t in result["trades"])
            assert last["equity"] == pytest.approx(world["initial_cash"] + net, rel=1e-9)


def test_D8_positions_never_exceed_the_slots(runs):
    for world, result in runs:
        held = Counter()
        for fill in result["fills"]:
            held[fill["instrument"]] += fill["qty"] * (1 if fill["side"] == "BUY" else -1)
            assert sum(abs(q) > 1e-9 for q in held.values()) <= world["strategy"]["max_open_positions"]


def test_P2_decisions_of_a_prefix_are_a_prefix_of_the_decisions(runs):
    for world, result in runs[::3]:
        for part in (0.35, 0.7):
            shorter = cut(world, max(4, int(len(world["grid"]) * part)))
            now = shorter["grid"][-1]["close_ns"]
            assert run(**shorter)["decisions"] == [d for d in result["decisions"] if d["ts"] <= now]


def test_D9_random_worlds_reach_every_decision_reason_and_status(runs):
    seen = set()
    for _, result in runs:
        seen |= {d["decision"] for d in result["decisions"]} | {f["reason"] for f in result["fills"]}
        seen |= {o["status"] for o in result["orders"]} | {n["note"] for n in result["notes"]}
    blocks = {f"BLOCKED_{x}" for x in ("CASH", "CAP", "SLOTS", "WINDOW", "COOLDOWN", "MAX_TRADES", "KILL", "DAILY_LOSS",
                                      "CALENDAR", "SESSION_END", "NO_ATR", "CONFLICT")}
    reasons = {"KILL", "DAILY_LOSS", "FORCED_FLATTEN", "TRADE_DRAWDOWN", "STOP_LOSS", "TRAILING_STOP", "TAKE_PROFIT",
               "MAX_HOLDING", "EXIT_SIGNAL", "ENTRY_SIGNAL"}
    others = {"ENTRY_TRUE", "ENTRY_FALSE", "EXIT_TRUE", "EXIT_FALSE", "WARMING_UP", "NO_BAR", "FLATTEN_FAILED",
              "FILLED", "CANCELLED", "CANCELLED_NO_SLOT", "WORKING"}
    assert blocks | reasons | others <= seen


def test_scenarios_are_functions_of_the_seed():
    first, again = scenario(7), scenario(7)
    assert run(**first) is not run(**again)
    assert repr(run(**first)) == repr(run(**again))
