"""Charts of a result: thinned without losing an extreme, in the exchange's time, with every trade."""

from __future__ import annotations

import pathlib
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import workbench as wb
from workbench.research import plots
from workbench.research.plots import look, prices
from workbench.research.thinning import bucket_starts, envelope, extremes

FIELDS = {"version": "1.0.0", "timeframe": "15m", "calendar": "NSE", "product": "MIS"}


@cache
def intraday(days: int = 40) -> wb.Result:
    """Made-up 5-minute bars with long and short trades of both outcomes."""
    last = pd.Timestamp("2023-02-01") + pd.Timedelta(days, "D")
    bars = wb.samples.synthetic(seed=3, start="2023-02-01", end=last)
    strategy = wb.Strategy(
        name="intraday", instruments=("NSE:SYN",), direction="BOTH", entry="RSI(14) < 35", exit="RSI(14) > 55",
        short_entry="RSI(14) > 65", short_exit="RSI(14) < 45", stop_loss_frac=0.006, **FIELDS,
    )
    return wb.backtest(strategy, bars, 1_000_000.0, wb.costs.zerodha_equity(2))


@cache
def five(entry: str = "RSI(3) < 20") -> wb.Result:
    """Five real shares on one account."""
    bars = wb.samples.stocks()
    strategy = wb.Strategy(
        name="five", version="1.0.0", instruments=tuple(bars), timeframe="1d", calendar="XNYS", product="CNC",
        entry=entry, exit="RSI(3) > 70", max_open_positions=3, sizing=wb.CashPerSlot(),
    )
    return wb.backtest(strategy, bars, 100_000.0, wb.costs.bps(5, 2))


def named(figure: object, name: str) -> list[object]:
    """Traces of one name."""
    return [trace for trace in figure.data if trace.name == name]  # type: ignore[attr-defined]


def times_of(trace: object) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(trace.x)  # type: ignore[attr-defined]


# --- thinning -----------------------------------------------------------------------------------------------------

lines = arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e6, 1e6) | st.just(np.nan))


@settings(max_examples=150, deadline=None)
@given(lines, st.integers(4, 60))
def test_thinning_keeps_first_last_lowest_and_highest(values: np.ndarray, points: int) -> None:
    kept = extremes(values, points)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0 and kept[-1] == len(values) - 1
    assert len(kept) <= max(points, 4)
    if not np.isnan(values).all():
        assert np.nanmin(values[kept]) == np.nanmin(values)
        assert np.nanmax(values[kept]) == np.nanmax(values)


@settings(max_examples=150, deadline=None)
@given(arrays(np.float64, st.integers(60, 400), elements=st.floats(-1e6, 1e6)), st.integers(4, 50))
def test_thinning_keeps_the_extremes_of_every_bucket(values: np.ndarray, points: int) -> None:
    kept = extremes(values, points)
    for part in np.split(np.arange(len(values)), bucket_starts(len(values), (points - 2) // 2)[1:]):
        chosen = values[np.intersect1d(part, kept)]
        assert chosen.min() == values[part].min()
        assert chosen.max() == values[part].max()


def test_a_short_line_is_drawn_whole() -> None:
    assert extremes(np.arange(50.0), 50).tolist() == list(range(50))


@settings(max_examples=100, deadline=None)
@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(1, 1e6)), st.integers(1, 50))
def test_the_band_holds_every_bar(close: np.ndarray, points: int) -> None:
    starts, lowest, highest = envelope(close * 0.99, close * 1.01, points)
    owner = np.searchsorted(starts, np.arange(len(close)), side="right") - 1
    assert (lowest[owner] <= close * 0.99).all()
    assert (highest[owner] >= close * 1.01).all()
    assert len(starts) <= points


# --- one instrument -----------------------------------------------------------------------------------------------


def test_few_bars_are_candles_and_many_a_line_in_a_band() -> None:
    few, many = intraday(5), intraday()
    (candles,) = named(few.plot(), "price")
    assert candles.type == "candlestick"
    assert len(candles.x) == len(few.bars["NSE:SYN"]) <= prices.CANDLES
    bars, figure = many.bars["NSE:SYN"], many.plot()
    assert not named(figure, "price")
    low, high, close = figure.data[:3]
    assert close.name == "close"
    assert min(low.y) == bars.low.min() and max(high.y) == bars.high.max()
    assert close.y[0] == bars.close[0] and close.y[-1] == bars.close[-1]


def test_every_trade_has_its_markers_at_its_prices() -> None:
    result = intraday()
    figure, trades = result.plot(), result.trades
    is_long = trades["direction"] == "LONG"
    won = trades["net_pnl"] >= 0
    assert is_long.any() and (~is_long).any() and won.any() and (~won).any()
    for name, chosen, column in (
        ("long entry", is_long, "entry_price"), ("short entry", ~is_long, "entry_price"),
        ("exit with a gain", won, "exit_price"), ("exit with a loss", ~won, "exit_price"),
    ):
        (trace,) = named(figure, name)
        assert list(trace.y) == trades.loc[chosen, column].tolist()
        assert trace.customdata[0][4] == "ENTRY_SIGNAL"
    (lost,) = named(figure, "exit with a loss")
    first = trades[~won].iloc[0]
    assert lost.customdata[0][7] == first["exit_reason"]
    assert lost.customdata[0][8] == first["net_pnl"]
    assert "net P&L" in lost.hovertemplate


def test_times_are_those_of_the_exchange() -> None:
    result = intraday(5)
    (candles,) = named(result.plot(), "price")
    assert times_of(candles)[0] == pd.Timestamp("2023-02-01 09:15")
    (equity,) = named(result.plot(), "equity")
    assert times_of(equity)[-1].time() == pd.Timestamp("15:30").time()
    entries = [trace for trace in result.plot().data if trace.name in ("long entry", "short entry")]
    drawn = sorted(stamp for trace in entries for stamp in times_of(trace))
    local = result.trades["entry_ts"].dt.tz_convert("Asia/Kolkata").dt.tz_localize(None)
    assert drawn == sorted(local)


def test_nothing_lies_in_what_is_cut_out_of_the_time_axis() -> None:
    figure = intraday(5).plot()
    weekend, night = figure.layout.xaxis.rangebreaks
    assert tuple(weekend.bounds) == ("sat", "mon")
    closes, opens = night.bounds
    for trace in figure.data:
        stamps = times_of(trace).dropna()
        hours = stamps.hour + stamps.minute / 60
        assert ((hours >= opens) & (hours < closes)).all()
        assert (stamps.day_of_week < 5).all()


def test_C2_an_evening_and_a_saturday_session_stay_on_the_axis(tmp_path: pathlib.Path) -> None:
    rows = ["date,exchange,session_type,open_time,close_time,notes", "2023-11-12,NSE,SPECIAL,18:15,19:15,Muhurat"]
    (tmp_path / "special.csv").write_text("\n".join(rows) + "\n")
    calendar = wb.import_calendar(tmp_path / "special.csv", home=tmp_path)["NSE"]
    bars = wb.samples.synthetic(seed=1, start="2023-11-09", end="2023-11-15", calendar=calendar)
    breaks = plots.Clock(bars).breaks()
    assert not [one for one in breaks if one["bounds"] == ["sat", "mon"]]  # 2023-11-12 is a Sunday
    (night,) = [one for one in breaks if one.get("pattern") == "hour"]
    assert night["bounds"][0] >= 19.25


def test_daily_bars_are_drawn_at_their_session_dates() -> None:
    result = five()
    clock = plots.Clock(result.bars["XNYS:AAPL"])
    stamps = clock.wall(pd.DatetimeIndex(result.trades["entry_ts"]))
    assert (stamps == stamps.normalize()).all()
    assert (stamps == pd.DatetimeIndex(result.trades["entry_ts"]).tz_convert("America/New_York").normalize()
            .tz_localize(None)).all()


def test_B2_a_forex_day_is_the_weekday_it_closes_on() -> None:
    calendar = wb.resolve_calendar("FX")
    index = pd.DatetimeIndex(["2024-01-08", "2024-01-09"], tz="UTC", name="ts")
    flat = dict.fromkeys(("open", "high", "low", "close"), 1.1)
    bars = wb.Bars(pd.DataFrame({**flat, "volume": 0.0}, index=index), "1d", calendar)
    opened_on_sunday = pd.DatetimeIndex(["2024-01-07 22:00"], tz="UTC")
    assert plots.Clock(bars).wall(opened_on_sunday)[0] == pd.Timestamp("2024-01-08")


def test_F9_an_open_trade_has_an_entry_and_no_exit() -> None:
    bars = wb.samples.stock("AAPL")
    strategy = wb.Strategy(
        name="hold", version="1.0.0", instruments=("XNYS:AAPL",), timeframe="1d", calendar="XNYS", product="CNC",
        entry="close > 0",
    )
    figure = wb.backtest(strategy, bars, 100_000.0).plot()
    (entry,) = named(figure, "long entry")
    assert len(entry.x) == 1
    assert not named(figure, "exit with a gain") and not named(figure, "exit with a loss")


def test_a_result_without_a_trade_is_drawn() -> None:
    figure = five(entry="close > 1e9").plot()
    (equity,) = named(figure, "equity")
    assert set(equity.y) == {100_000.0}


def test_R2_the_deepest_drawdown_is_in_the_chart() -> None:
    result = intraday()
    (drawdown,) = named(plots.drawdown_figure(result), "drawdown")
    assert min(drawdown.y) == result.equity["drawdown_frac"].min() == result.stats["max_drawdown_frac"]
    (equity,) = named(plots.equity_figure(result), "equity")
    assert max(equity.y) == result.equity["equity"].max()


def test_the_axis_of_equity_has_a_switch_to_logarithms() -> None:
    whole, alone = [intraday().plot(), five().plot()], [plots.equity_figure(five())]
    for figure, axis in [(one, "yaxis2") for one in whole] + [(one, "yaxis") for one in alone]:
        (switch,) = [one for one in figure.layout.updatemenus if one.name == "scale"]
        assert [button.label for button in switch.buttons] == ["linear", "log"]
        for button in switch.buttons:
            assert button.method == "relayout"
            assert button.args[0] == {f"{axis}.type": button.label, f"{axis}.autorange": True}
        assert figure.layout[axis].type is None  # linear first
        # Buttons are 30 pixels high and stand on the panel of equity, below that of prices.
        assert switch.y == figure.layout[axis].domain[1]
        if axis == "yaxis2":
            room = figure.layout.yaxis.domain[0] - switch.y
            margin = figure.layout.margin
            assert room * (figure.layout.height - margin.t - margin.b) > 30 + switch.pad.b


def test_a_debt_has_no_logarithm() -> None:
    bars = wb.samples.synthetic(seed=3, start="2023-02-01", end="2023-02-10")
    strategy = wb.Strategy(name="debt", instruments=("NSE:SYN",), entry="close > 0", **FIELDS)
    result = wb.backtest(strategy, bars, 1_000_000.0)
    result.equity["equity"] -= 1_000_000.0
    figure = plots.equity_figure(result)
    assert min(named(figure, "equity")[0].y) <= 0.0
    assert not figure.layout.updatemenus


def contrast(colour: str, page: str) -> float:
    """Contrast of two colours by WCAG 2, from 1 to 21."""
    levels = []
    for one in (colour, page):
        channels = np.array([int(one[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        levels.append(float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(levels) / min(levels)


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_figures_can_be_read_on_white_and_on_black(page: str) -> None:
    figures = [intraday(5).plot(), five().plot(), plots.pnl_by_instrument_figure(five())]
    for layout in (figure.layout for figure in figures):
        assert layout.paper_bgcolor == layout.plot_bgcolor == look.CLEAR == "rgba(0,0,0,0)"
        assert contrast(layout.font.color, page) > 4.0
        for box in (layout.hoverlabel, *layout.updatemenus):
            assert contrast(box.font.color, box.bgcolor) > 7.0
        for note in layout.annotations:
            assert contrast(note.font.color or layout.font.color, page) > 3.5
    lines = [look.BLUE, look.GREEN, look.RED, look.AMBER, look.FAINT]
    assert min(contrast(colour, page) for colour in lines) > 3.0


def test_names_are_no_markup() -> None:
    bars = wb.samples.synthetic(seed=1, start="2023-02-01", end="2023-02-03")
    strategy = wb.Strategy(name="m", instruments=("NSE:M&M<b>",), entry="close < 0", **FIELDS)
    figure = plots.trades_on_price(wb.backtest(strategy, bars))
    assert figure.layout.annotations[0].text == "<b>NSE:M&amp;M&lt;b&gt;</b>"


def test_many_trades_are_drawn_as_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    result = intraday()
    monkeypatch.setattr(prices, "TRADES", 10)
    drawn = [trace for trace in result.plot().data if trace.name in ("exit with a gain", "exit with a loss")]
    shown = sorted(row[8] for trace in drawn for row in trace.customdata)
    largest = result.trades["net_pnl"].abs().nlargest(10).index
    assert shown == sorted(result.trades.loc[largest, "net_pnl"])


# --- several ------------------------------------------------------------------------------------------------------


def test_a_menu_shows_the_price_of_one_instrument() -> None:
    result = five()
    figure = result.plot()
    (menu,) = [one for one in figure.layout.updatemenus if one.name == "instrument"]
    assert [button.label for button in menu.buttons] == list(result.bars)
    assert menu.buttons[menu.active].label == plots.busiest(result)
    shown = [tuple(button.args[0]["visible"]) for button in menu.buttons]
    assert {len(row) for row in shown} == {len(figure.data)}
    drawn = [trace.visible is not False for trace in figure.data]
    assert drawn == list(shown[menu.active])
    common = [index for index in range(len(figure.data)) if all(row[index] for row in shown)]
    prices = [index for index in range(len(figure.data)) if sum(row[index] for row in shown) == 1]
    assert len(common) + len(prices) == len(figure.data)


def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(KeyError, match="XNYS:AAPL"):
        plots.result_figure(five(), "XNYS:NONE")


def test_S5_exposures_add_up_to_the_position_value() -> None:
    result = five()
    shares = plots.exposures(result)
    equity = result.equity.loc[shares.index]
    np.testing.assert_allclose(shares.sum(axis=1) * equity["equity"], equity["position_value"], rtol=1e-9, atol=1e-6)
    whole = result.equity["position_value"] / result.equity["equity"]
    assert shares.sum(axis=1).max() == pytest.approx(whole.max(), rel=1e-12)
    assert len(shares) <= 600


def test_profits_by_instrument_add_up() -> None:
    result = five()
    (bar,) = plots.pnl_by_instrument_figure(result).data
    assert sum(bar.x) == pytest.approx(result.trades["net_pnl"].sum())
    assert set(bar.y) == set(result.bars)
    assert sum(bar.customdata) == len(result.trades)
    assert plots.exposure_figure(result).data
