"""Walk-forward: choices that see no future, and one account that can be worked out by hand."""

from __future__ import annotations

import dataclasses
import html
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.research.sweep.run import Batch
from workbench.research.walk_forward.efficiency import efficiency_of

BARS = wb.samples.stock("AAPL").between("2005-01-03", "2008-12-31")
STRATEGY = wb.Strategy(
    name="cross", version="1.0.0", instruments=("XNYS:AAPL",), timeframe="1d", calendar="XNYS", product="CNC",
    entry="SMA(close, $fast) > SMA(close, $slow)", exit="SMA(close, $fast) < SMA(close, $slow)",
    params={"fast": 5, "slow": 20}, stop_loss_frac=0.1,
)  # fmt: skip
VARIED = {"fast": [5, 10], "slow": [20, 50]}
COSTS = wb.costs.bps(3, 7)


def walk(parameters: Any = VARIED, bars: Any = BARS, strategy: wb.Strategy = STRATEGY, **settings: Any) -> Any:
    """A small walk-forward that keeps nothing unless asked to."""
    given = {"keep": False, "progress": False, "costs": COSTS, "folds": 4, **settings}
    return wb.walk_forward(strategy, bars, parameters, **given)


def date(stamp: pd.Timestamp) -> str:
    """A session as ``between`` and ``start`` take it."""
    return f"{stamp:%Y-%m-%d}"


def by_hand(found: Any, bars: wb.Bars = BARS, costs: Any = COSTS, cash: float = 1_000_000.0) -> list[pd.DataFrame]:
    """Rows of equity of each fold: a backtest over the test window, and at its end a sale at the last close."""
    tables = []
    for at, (_, fold) in enumerate(found.folds.iterrows()):
        until = bars.between(None, date(fold["test_end"]))
        result = wb.backtest(found.strategies[at], until, cash, costs, date(fold["test_start"]))
        table = result.equity.copy()
        held = result.trades[result.trades["is_open"]]
        if len(held) and at < len(found) - 1:
            trade = held.iloc[0]
            price = until.close[-1] * (1.0 - costs.slippage_frac)
            charges = costs.charges("XNYS:AAPL", "CNC", "SELL", trade["qty"], price, table.index[-1]).total
            left = table["cash"].iloc[-1] + (trade["qty"] * price - charges)
            table.loc[table.index[-1], ["cash", "position_value", "equity"]] = left, 0.0, left
        cash = float(table["equity"].iloc[-1])
        tables.append(table)
    return tables


@pytest.mark.parametrize("scheme", ["rolling", "anchored"])
def test_the_account_is_that_of_the_folds_backtests_one_after_the_other(scheme: str) -> None:
    found = walk(scheme=scheme)
    tables = by_hand(found)
    whole = pd.concat(tables)
    assert (found.trades["exit_reason"] == "WINDOW_END").sum() >= 2
    assert found.equity.index.equals(whole.index)
    for column in ("cash", "position_value", "equity"):
        assert np.array_equal(found.equity[column].to_numpy(), whole[column].to_numpy()), column
    peak = np.maximum.accumulate(np.append(1_000_000.0, whole["equity"]))[1:]
    assert np.array_equal(found.equity["drawdown_frac"].to_numpy(), (whole["equity"] / peak - 1.0).to_numpy())
    firsts = np.cumsum([0, *(len(table) for table in tables)])[:-1]
    assert found.borders == tuple(firsts)


def test_money_is_where_the_fills_and_trades_say() -> None:
    """Cash after all is the initial cash and what every fill moved; net P&L of the trades says it too."""
    found = walk()
    side = np.where(found.fills["side"] == "BUY", -1.0, 1.0)
    moved = (side * found.fills["qty"] * found.fills["price"] - found.fills["charges"]).sum()
    assert found.equity["cash"].iloc[-1] == pytest.approx(1_000_000.0 + moved, rel=1e-12)
    assert found.equity["equity"].iloc[-1] == pytest.approx(1_000_000.0 + found.trades["net_pnl"].sum(), rel=1e-12)
    assert found.stats["charges"] == pytest.approx(found.fills["charges"].sum(), rel=1e-15)
    assert found.stats["final_equity"] == found.equity["equity"].iloc[-1]
    assert not found.trades["is_open"].iloc[:-1].any()
    for _, one in found.trades[found.trades["exit_reason"] == "WINDOW_END"].iterrows():
        level = np.floor(one["entry_price"] * 0.9 / 0.01 + 1e-9) * 0.01
        assert one["r_multiple"] == pytest.approx(one["net_pnl"] / ((one["entry_price"] - level) * one["qty"]))
        assert one["return_frac"] == pytest.approx(one["net_pnl"] / (one["entry_price"] * one["qty"]))
        assert one["mae_frac"] <= one["exit_price"] / one["entry_price"] - 1.0 <= one["mfe_frac"]


def test_R3_one_fold_is_the_backtest_of_its_test_window_to_the_last_bit() -> None:
    """The last window ends as a backtest does: what is open is marked, and stays open."""
    found = walk(folds=1, test_sessions=300)
    fold = found.folds.iloc[0]
    single = wb.backtest(found.strategies[0], BARS, 1_000_000.0, COSTS, date(fold["test_start"]))
    assert found.stats == single.stats
    assert found.equity.equals(single.equity)
    assert found.trades.equals(single.trades)
    assert found.fills.equals(single.fills)
    assert np.array_equal(found.returns.to_numpy(), single.sessions.returns)
    assert found.returns.index[0] == fold["test_start"]
    assert found.results[0].hash == single.hash


def test_the_choice_is_the_best_of_a_sweep_over_training_alone() -> None:
    found = walk(purge_sessions=5)
    sessions = BARS.grid.sessions.date.astype("datetime64[D]")
    for at, (_, fold) in enumerate(found.folds.iterrows()):
        known = BARS.between(None, date(fold["train_end"]))
        start = date(fold["train_start"])
        alone = wb.sweep(STRATEGY, known, VARIED, costs=COSTS, keep=False, progress=False, start=start)
        assert found.strategies[at] == alone.best
        assert fold["in_sample"] == alone.table["sharpe_ann"].iloc[0]
        assert {name: fold[name] for name in VARIED} == dict(alone.best.params)
        assert fold["n_sets"] == 4
        between = (sessions > np.datetime64(fold["train_end"])) & (sessions < np.datetime64(fold["test_start"]))
        assert between.sum() == 5


def changed_after(bars: wb.Bars, end: pd.Timestamp) -> wb.Bars:
    """The same bars up to a session, and after it a walk that has nothing to do with them."""
    frame = bars.frame
    later = np.flatnonzero(frame.index.tz_localize(None) > end)
    rng = np.random.default_rng(5)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.03, len(later))))
    opened = close * np.exp(rng.normal(0.0, 0.01, len(later)))
    frame = frame.copy()
    frame.iloc[later, frame.columns.get_loc("open")] = opened
    frame.iloc[later, frame.columns.get_loc("close")] = close
    frame.iloc[later, frame.columns.get_loc("high")] = np.maximum(opened, close) * 1.01
    frame.iloc[later, frame.columns.get_loc("low")] = np.minimum(opened, close) * 0.99
    return wb.Bars(frame, "1d", calendar="XNYS", basis=bars.basis)


@pytest.mark.parametrize("fold", [1, 3])
def test_P2_what_comes_after_a_training_changes_no_choice_and_nothing_before(fold: int) -> None:
    whole = walk()
    other = walk(bars=changed_after(BARS, whole.folds.loc[fold, "train_end"]))
    known = [*VARIED, "train_start", "train_end", "in_sample", "n_sets"]
    assert other.folds.loc[:fold, known].equals(whole.folds.loc[:fold, known])
    assert other.strategies[:fold] == whole.strategies[:fold]
    before = whole.borders[fold - 1]
    assert other.equity.iloc[:before].equals(whole.equity.iloc[:before])
    assert not other.equity["equity"].iloc[before:].equals(whole.equity["equity"].iloc[before:])


def test_B8_indicators_of_a_test_window_are_warm_by_what_came_before() -> None:
    """A window of 60 sessions with an average of 200 decides from its first close on."""
    found = walk({"slow": [200]}, folds=3, test_sessions=60)
    for result in found.results:
        assert "WARMING_UP" not in set(result.decisions["decision"])
        assert len(result.sessions.date) == 60


def test_the_first_training_begins_where_start_says() -> None:
    found = walk(start="2006-01-03", scheme="anchored")
    assert (found.folds["train_start"] == pd.Timestamp("2006-01-03")).all()
    with pytest.raises(wb.ConfigError, match="is an instant; folds are made of sessions"):
        walk(start="2006-01-03T15:00Z")


def test_a_fold_without_a_defined_statistic_stays_in_cash_and_says_so() -> None:
    """No set has a trade in training, so that none has a win rate; nothing is picked in silence."""
    found = walk({"slow": [900, 950]}, rank_by="win_rate_frac", folds=2)
    assert found.strategies == (None, None)
    assert found.results == (None, None)
    assert found.notes[0] == "fold 1: win_rate_frac is undefined for every set in training: stayed in cash"
    assert "no fold chose a set" in found.notes[2]
    assert (found.equity[["cash", "equity"]] == 1_000_000.0).all(axis=None)
    assert found.stats["n_trades"] == 0
    assert found.stats["n_sessions"] == len(found.equity)
    assert found.folds["slow"].isna().all()
    assert "stayed in cash" in found._repr_html_()
    assert found.plot().data[0].y[-1] == 1_000_000.0


def test_an_account_without_money_trades_no_more_and_says_so() -> None:
    """Short for five times the money over a year in which the price more than doubled."""
    deep = STRATEGY.replace(
        direction="SHORT", product="MARGIN", margin_frac=0.2, entry="close > 0", exit="close < 0", params={},
        stop_loss_frac=None, sizing=wb.FixedCash(5_000_000),
    )  # fmt: skip
    bars = BARS.between("2006-06-01", "2007-12-31")
    found = walk({"max_holding_bars": [10_000]}, bars, deep, rank_by="final_equity", folds=3, test_sessions=80)
    assert found.notes[0] == "fold 3: no money was left: nothing was traded"
    left = found.equity["equity"].iloc[found.borders[2] - 1]
    assert left <= 0.0
    assert (found.equity["equity"].iloc[found.borders[2] :] == left).all()
    assert np.isnan(found.folds["out_of_sample"].iloc[2])
    assert found.strategies[2] is not None
    assert found.results[2] is None
    assert found.stats["final_equity"] == left
    assert found.plot() is not None


def test_a_set_is_chosen_by_its_worst_neighbour_where_a_plateau_is_asked_for() -> None:
    varied = {"fast": [3, 5, 8, 13], "slow": [20, 35, 50, 80]}
    found = walk(varied, choose="plateau")
    differs = 0
    for at, (_, fold) in enumerate(found.folds.iterrows()):
        known = BARS.between(None, date(fold["train_end"]))
        start = date(fold["train_start"])
        alone = wb.sweep(STRATEGY, known, varied, costs=COSTS, keep=False, progress=False, start=start)
        scores = alone.plateau()
        assert scores.loc[scores.index[0]] == scores.max()
        assert found.strategies[at] == alone.strategy(int(scores.index[0]))
        differs += found.strategies[at] != alone.best
    assert differs


def test_less_is_better_with_a_minus() -> None:
    found = walk(rank_by="-volatility_ann")
    for _, fold in found.folds.iterrows():
        known = BARS.between(None, date(fold["train_end"]))
        alone = wb.sweep(
            STRATEGY, known, VARIED, "-volatility_ann", costs=COSTS, keep=False, progress=False,
            start=date(fold["train_start"]),
        )  # fmt: skip
        assert fold["in_sample"] == alone.table["volatility_ann"].min()


def test_a_chosen_set_that_lost_in_training_is_traded_and_noted() -> None:
    """Nothing but selling in the year in which the price doubled."""
    short = STRATEGY.replace(direction="SHORT", product="MARGIN", sizing=wb.PercentOfEquity(0.3))
    found = walk(bars=BARS.between("2006-06-01", "2007-12-31"), strategy=short, folds=2)
    assert (found.folds["in_sample"] < 0.0).any()
    for at, (_, fold) in enumerate(found.folds.iterrows()):
        lost = fold["in_sample"] < 0.0
        assert fold["note"].startswith("the chosen set lost in training (sharpe_ann -") == lost
        assert (f"fold {at + 1}: {fold['note']}" in found.notes) == lost
        assert found.results[at] is not None
    assert "lost in training" in found.plot().data[2].text[int((found.folds["in_sample"] < 0.0).to_numpy().argmax())]


def test_an_embargo_leaves_sessions_out_of_what_chooses() -> None:
    plain, found = walk(scheme="anchored"), walk(scheme="anchored", embargo_sessions=40)
    assert found.folds["in_sample"].iloc[:2].equals(plain.folds["in_sample"].iloc[:2])
    fold, second = found.folds.iloc[2], plain.folds.iloc[1]
    known = BARS.between(None, date(fold["train_end"]))
    alone = wb.sweep(STRATEGY, known, VARIED, costs=COSTS, keep=False, progress=False, start=date(fold["train_start"]))
    at = int(np.flatnonzero(alone.returns.index == second["test_start"])[0])
    kept = alone.returns.drop(index=alone.returns.index[at : at + 40])
    sharpe = kept.mean() / kept.std(ddof=1) * np.sqrt(252)
    assert fold["in_sample"] == pytest.approx(sharpe.max(), rel=1e-9)
    assert fold["in_sample"] != plain.folds["in_sample"].iloc[2]
    with pytest.raises(wb.ConfigError, match="'win_rate_frac' is more than the returns of sessions"):
        walk(rank_by="win_rate_frac", embargo_sessions=5)


def test_the_efficiency_is_what_was_left_of_training_or_a_reason() -> None:
    found = walk()
    assert found.efficiency == found.stats["sharpe_ann"] / found.folds["in_sample"].mean()
    assert efficiency_of("sharpe_ann", [1.0, float("nan"), 3.0], 1.0) == (0.5, "")
    assert efficiency_of("sharpe_ann", [-1.0, 0.5], 1.0)[1].startswith("the mean sharpe_ann in sample is -0.25")
    assert efficiency_of("sharpe_ann", [1.0], None)[1] == "sharpe_ann is undefined out of sample"
    assert "grows with the length" in efficiency_of("total_return_frac", [1.0], 1.0)[1]
    assert walk(rank_by="total_return_frac").efficiency is None


def test_finished_sets_of_a_fold_are_kept_over_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, ran = Batch.row, []

    def counted(self: Batch, i: int) -> Any:
        if len(ran) == 6:
            ran.append(-1)
            raise KeyboardInterrupt
        ran.append(i)
        return run(self, i)

    monkeypatch.setattr(Batch, "row", counted)
    with pytest.raises(KeyboardInterrupt):
        walk(keep=tmp_path, workers=1)
    again = walk(keep=tmp_path, workers=1)
    assert len(ran) == 7 + 4 * 4 - 6
    monkeypatch.setattr(Batch, "row", run)
    assert again.equity.equals(walk().equity)


def test_several_instruments_share_one_account() -> None:
    both = {name: wb.samples.stock(name[5:]).between("2005-01-03", "2007-12-31") for name in ("XNYS:AAPL", "XNYS:IBM")}
    pair = STRATEGY.replace(instruments=("XNYS:AAPL", "XNYS:IBM"), sizing=wb.PercentOfEquity(0.5))
    found = walk(bars=both, strategy=pair, folds=3)
    cash = 1_000_000.0
    for at, result in enumerate(found.results):
        assert result.initial_cash == cash
        held = result.trades[result.trades["is_open"]]
        left = result.equity["cash"].iloc[-1]
        if at == 2:
            break
        for _, trade in held.iterrows():
            item = both[trade["instrument"]].between(None, date(found.folds["test_end"].iloc[at]))
            price = item.close[-1] * (1.0 - 7e-4)
            left = left + trade["qty"] * price - trade["qty"] * price * 3e-4
        cash = float(found.equity["equity"].iloc[found.borders[at + 1] - 1])
        assert cash == pytest.approx(left, rel=1e-13)
    with pytest.raises(wb.ConfigError, match=r"XNYS:IBM has no bar up to .*begin later"):
        walk(bars=both | {"XNYS:IBM": both["XNYS:IBM"].between("2007-06-01", None)}, strategy=pair)


def test_a_short_position_is_bought_back_at_the_end_of_a_window() -> None:
    short = STRATEGY.replace(direction="SHORT", product="MARGIN", entry="close > 0", exit="close < 0",
                             params={}, stop_loss_frac=None)  # fmt: skip
    found = walk({"max_holding_bars": [10_000]}, strategy=short, rank_by="final_equity", folds=2, test_sessions=50)
    trade = found.trades.iloc[0]
    last = BARS.between(None, date(found.folds["test_end"].iloc[0])).close[-1]
    assert trade["exit_reason"] == "WINDOW_END"
    assert trade["exit_price"] == last * (1.0 + 7e-4)
    assert found.fills.iloc[1]["side"] == "BUY"
    value = trade["entry_price"] - trade["exit_price"]
    assert trade["gross_pnl"] == pytest.approx(trade["qty"] * value, rel=1e-12)
    assert found.equity["equity"].iloc[49] == pytest.approx(1_000_000.0 + trade["net_pnl"], rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rank_by": "sharp"}, "no statistic 'sharp'; did you mean"),
        ({"fold": 3}, "walk_forward takes no 'fold'"),
        ({"train_session": 3}, "takes no 'train_session'; did you mean 'train_sessions'"),
        ({"choose": "median"}, "choose='median' does not exist; it is one of best, plateau"),
        ({"scheme": "sliding"}, "scheme='sliding' does not exist"),
        ({"workers": 0}, "workers=0 is a number of threads"),
        ({"folds": 5000}, "there are 1007 sessions, and 5000 folds need 5002"),
        ({"parameters": {"speed": [1]}}, "'speed' is nothing that can be swept"),
        ({"parameters": {}}, "parameters names what is swept"),
    ],
)
def test_arguments_without_sense_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(wb.ConfigError, match=said):
        walk(**settings)


def test_a_walk_forward_shows_itself() -> None:
    found = walk()
    assert repr(found).startswith("WalkForward(cross: 4 folds; out of sample sharpe_ann ")
    page = dataclasses.replace(found, notes=("<b>fold</b>",))._repr_html_()
    assert html.escape("<b>fold</b>") in page
    assert "<b>fold</b>" not in page
    assert "Efficiency" in page
    figure = found.plot()
    assert [trace.name for trace in figure.data] == ["equity", "drawdown", "folds"]
    assert len(figure.layout.shapes) == 3 * 2 + 1
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert list(figure.data[2].y) == list(found.equity["equity"].iloc[list(found.borders)])
    with pytest.raises(AttributeError):
        found.stats = {}


def test_real_intraday_bars_walk_forward(real_bars: Any) -> None:
    """Flat every evening, so that no window's end closes anything, and the folds are the backtests."""
    bars = real_bars("nse/RELIANCE_5m", repair="drop")
    sessions = bars.grid.sessions.date
    bars = bars.between(str(sessions[-90].astype("datetime64[D]")), None)
    intraday = wb.Strategy(
        name="dip", version="1.0.0", instruments=("NSE:RELIANCE",), timeframe="15m", calendar=bars.calendar.name,
        product="MIS", entry="RSI($n) < $low", exit="RSI($n) > 60", params={"n": 14, "low": 30}, stop_loss_frac=0.01,
    )  # fmt: skip
    costs = wb.costs.zerodha_equity(slippage_bps=2)
    found = walk({"n": [5, 9], "low": [30, 40]}, bars=bars, strategy=intraday, costs=costs, folds=3)
    cash = 1_000_000.0
    for at, (_, fold) in enumerate(found.folds.iterrows()):
        until = bars.between(None, date(fold["test_end"]))
        alone = wb.backtest(found.strategies[at], until, cash, costs, date(fold["test_start"]))
        rows = found.equity.iloc[found.borders[at] :].iloc[: len(alone.equity)]
        assert rows["equity"].to_numpy().tobytes() == alone.equity["equity"].to_numpy().tobytes()
        cash = float(rows["equity"].iloc[-1])
    assert found.stats["n_trades"] > 5
    assert found.plot().layout.height == 560
