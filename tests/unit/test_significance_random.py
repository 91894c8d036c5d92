"""Random strategies: the same trades at other times, and as many sets without skill."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import workbench as wb
from workbench.research.significance.permutation import shifted
from workbench.research.significance.reality import reality_check

Floats = npt.NDArray[np.float64]


def walk(seed: int, sessions: int = 300, drift: float = 0.0, echo: float = 0.0) -> wb.Bars:
    """Daily bars of a random walk; ``echo`` makes a day follow the one before."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal(sessions) * 0.01
    moves = drift + shocks.copy()
    for t in range(1, sessions):
        moves[t] += echo * shocks[t - 1]
    close = 100.0 * np.exp(np.cumsum(moves))
    start = np.concatenate([[100.0], close[:-1]])
    frame = pd.DataFrame(
        {"open": start, "high": np.maximum(start, close) * 1.002, "low": np.minimum(start, close) * 0.998,
         "close": close, "volume": 1e6}
    )  # fmt: skip
    index = wb.samples.stocks()["XNYS:IBM"].index[:sessions]
    return wb.Bars(frame.set_index(index), "1d", "XNYS", basis="none")


def tested(bars: wb.Bars, entry: str, **settings: object) -> wb.Result:
    chosen = {"exit": "close > 0", "sizing": wb.PercentOfEquity(0.5), "product": "MARGIN", **settings}
    strategy = wb.Strategy(
        name="s", version="1.0.0", instruments=("XNYS:X",), timeframe="1d", calendar="XNYS", entry=entry, **chosen
    )
    return wb.backtest(strategy, bars, 1_000_000.0, wb.costs.bps(3, 5))


def literal(result: wb.Result, bars: wb.Bars, shift: int) -> float:
    """One shift on daily bars, trade by trade."""
    days = {day: k for k, day in enumerate(bars.grid.open_ns)}
    n, total = len(bars), 0.0
    equity = result.equity["equity"]
    for trade in result.trades.itertuples():
        before = equity[equity.index <= trade.entry_ts]
        cash = before.iloc[-1] if len(before) else result.initial_cash
        enter = days[trade.entry_ts.value]
        leave = n - 1 if trade.is_open else days[trade.exit_ts.value]
        a, b = (enter + shift) % n, (leave + shift) % n
        inside = trade.is_open or trade.exit_reason in ("STOP_LOSS", "TRAILING_STOP", "TAKE_PROFIT")
        end = bars.close[b] if inside else bars.open[b]
        growth = end / bars.open[a]
        if b < a:
            growth *= bars.close[-1] / bars.open[0]
        sign = 1.0 if trade.direction == "LONG" else -1.0
        total += trade.qty * trade.entry_price / cash * sign * (growth - 1.0)
    return total


@pytest.mark.parametrize("settings", [{}, {"stop_loss_frac": 0.015, "take_profit_frac": 0.02, "exit": "RSI(3) > 60"}])
def test_a_shift_is_the_same_trades_at_other_times(settings: dict[str, object]) -> None:
    bars = walk(3)
    both = {"direction": "BOTH", "short_entry": "RSI(3) > 85", "short_exit": "RSI(3) < 50"}
    result = tested(bars, "RSI(3) < 25", **both, **settings)
    found = shifted(result, 1000, 1)
    assert len(result.trades) > 20
    assert found.n_shifts == len(bars) - 1
    for shift in (1, 2, 57, 200, len(bars) - 1):
        assert found.shifted_frac[shift - 1] == pytest.approx(literal(result, bars, shift), rel=1e-9)


def test_the_real_gain_is_without_slippage_and_charges() -> None:
    bars = walk(4)
    result = tested(bars, "RSI(3) < 25")
    # All fills are at opens, so that the shift by nothing is the real one, but for the slippage in its quantities.
    assert shifted(result, 10, 1).gained_frac == pytest.approx(literal(result, bars, 0), rel=2e-3)


def test_a_strategy_without_skill_is_no_better_than_its_shifts() -> None:
    # Its share among the shifts is uniform: of 60 walks, 20 % below 0.2. Four deviations of a binomial.
    shares = np.array([shifted(tested(walk(seed), "RSI(2) < 20"), 500, 1).random_frac for seed in range(60)])
    assert abs(np.mean(shares <= 0.2) - 0.2) < 4.0 * math.sqrt(0.16 / 120)
    assert abs(np.mean(shares <= 0.5) - 0.5) < 4.0 * math.sqrt(0.25 / 120)


def test_a_strategy_that_knows_something_is_better_than_its_shifts() -> None:
    # A day follows the one before: who buys after a rise gains on the next day.
    found = shifted(tested(walk(5, echo=0.4), "close > open"), 500, 1)
    assert found.random_frac <= 0.01


def test_being_long_in_a_rising_market_is_no_skill() -> None:
    bars = walk(6, drift=0.004)
    result = tested(bars, "close > 0", exit="close < 0", max_holding_bars=3)
    answer = wb.significance(result)
    assert answer.probabilistic_sharpe_frac is not None
    assert answer.probabilistic_sharpe_frac > 0.99
    assert answer.random_frac is not None
    assert answer.random_frac > 0.1


def test_intraday_trades_stay_in_their_session_and_start_is_where_the_shifts_start() -> None:
    bars = wb.samples.synthetic(seed=3, start="2024-01-01", end="2024-03-28")
    strategy = wb.Strategy(
        name="i", version="1.0.0", instruments=("NSE:X",), timeframe="15m", calendar="NSE", product="MIS",
        entry="RSI(5) < 35", exit="RSI(5) > 60",
    )  # fmt: skip
    result = wb.backtest(strategy, bars, start="2024-02-01")
    found = shifted(result, 1000, 1)
    assert found.n_shifts == result.stats["n_sessions"] - 1
    # Nothing is held over night: no shift gains what only gaps between sessions give.
    assert np.isfinite(found.shifted_frac).all()
    assert np.abs(found.shifted_frac).max() < 0.5


def test_an_instrument_that_was_listed_later_moves_in_its_own_sessions() -> None:
    bars = {name: one for name, one in wb.samples.stocks().items() if name in ("XNYS:IBM", "XNYS:FB")}
    strategy = wb.Strategy(
        name="two", version="1.0.0", instruments=tuple(bars), timeframe="1d", calendar="XNYS", product="CNC",
        entry="RSI(3) < 20", exit="RSI(3) > 70", max_open_positions=2, sizing=wb.CashPerSlot(),
    )  # fmt: skip
    result = wb.backtest(strategy, bars, 100_000.0)
    assert set(result.trades["instrument"]) == set(bars)
    found = shifted(result, 300, 1)
    assert found.n_shifts == 300
    assert len(np.unique(found.shifted_frac)) == 300


def test_the_seed_chooses_the_shifts() -> None:
    result = tested(walk(7), "RSI(3) < 25")
    first, again, other = (shifted(result, 100, seed).shifted_frac for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, other)


# --- as many sets without skill -----------------------------------------------------------------------------------


def wavering(phi: float, n: int) -> Floats:
    shocks = np.sin(12.9898 * (np.arange(n) + 1) ** 1.3) * 43758.5453
    values = shocks - np.floor(shocks) - 0.5
    for i in range(1, n):
        values[i] += phi * values[i - 1]
    return values


def test_the_reality_check_is_that_of_arch() -> None:
    # arch 8.0.0: SPA(zeros, -returns.T, block_size=3, reps=20000, bootstrap="stationary").pvalues; its upper p-value
    # without studentising is White's. Other random numbers, and blocks of 4.9 sessions here.
    returns = wavering(0.2, 10_800).reshape(12, 900) * 0.02
    returns -= returns.mean(axis=1, keepdims=True)
    returns += np.array([4, 3, 2, 0, 0, -2, -5, -10, -20, 3, 2, -1])[:, None] * 1e-4
    found = reality_check(returns, 0, 20_000, 1)
    assert found.best_frac == pytest.approx(0.278, abs=0.02)
    assert found.white_frac == pytest.approx(0.342, abs=0.04)


def test_the_best_of_noise_is_no_better_than_the_best_of_noise() -> None:
    # The share is uniform: of 150 matrices, 20 % below 0.2. Four deviations of a binomial.
    shares = []
    for seed in range(150):
        returns = np.random.default_rng(seed).standard_normal((15, 200)) * 0.01
        ratios = returns.mean(axis=1) / returns.std(axis=1)
        shares.append(reality_check(returns, int(ratios.argmax()), 200, seed).best_frac)
    assert abs(np.mean(np.array(shares) <= 0.2) - 0.2) < 4.0 * math.sqrt(0.16 / 150)
    assert abs(np.mean(np.array(shares) <= 0.5) - 0.5) < 4.0 * math.sqrt(0.25 / 150)


def test_a_set_with_skill_is_found_among_noise() -> None:
    returns = np.random.default_rng(1).standard_normal((40, 500)) * 0.01
    returns[11] += 0.0025
    found = reality_check(returns, 11, 500, 1)
    assert found.best_frac < 0.01
    assert found.white_frac < 0.01
    assert reality_check(returns, 12, 500, 1).best_frac > 0.9


def test_copies_of_a_set_are_no_further_trials() -> None:
    one = np.random.default_rng(3).standard_normal((1, 400)) * 0.01 + 0.0005
    alone, copied = reality_check(one, 0, 2000, 1), reality_check(np.tile(one, (50, 1)), 0, 2000, 1)
    assert copied.best_frac == alone.best_frac
    others = np.vstack([one, np.random.default_rng(4).standard_normal((49, 400)) * 0.01])
    assert reality_check(others, 0, 2000, 1).best_frac > alone.best_frac + 0.2


def test_a_chosen_set_that_loses_is_as_good_as_anything() -> None:
    returns = np.random.default_rng(5).standard_normal((5, 300)) * 0.01 - 0.003
    found = reality_check(returns, 2, 300, 1)
    assert found.best_frac == 1.0
    assert found.white_frac == 1.0


def test_the_reality_check_repeats_bit_for_bit() -> None:
    returns = np.random.default_rng(6).standard_normal((30, 300)) * 0.01
    first, again = reality_check(returns, 3, 400, 9), reality_check(returns.copy(), 3, 400, 9)
    assert first.best_draws.tobytes() == again.best_draws.tobytes()
    assert first.best_frac == again.best_frac
