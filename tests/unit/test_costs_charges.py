"""What one fill would cost, asked of a model and worked out by hand from the published rates (rule F10)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.engine.costs import charges_of

ZERODHA = wb.costs.zerodha_equity()

#: Worked out from the rates of May 2026: STT 0.1 % of delivery, 0.025 % of intraday sales; NSE 0.00307 %, BSE 0.00375 %
#: of the value; SEBI 0.0001 %; stamp duty 0.015 % of delivery buys, 0.003 % of intraday buys; GST 18 % of brokerage,
#: exchange and SEBI.
WORKED: dict[str, tuple[tuple[Any, ...], dict[str, float]]] = {
    "delivery, bought: 100 at 1,000": (
        ("NSE:INFY", "CNC", "BUY", 100, 1000.0),
        {"brokerage": 0, "STT": 100, "exchange": 3.07, "SEBI": 0.1, "stamp duty": 15, "GST": 0.5706, "depository": 0},
    ),
    "delivery, sold later": (
        ("NSE:INFY", "CNC", "SELL", 100, 1000.0),
        {"brokerage": 0, "STT": 100, "exchange": 3.07, "SEBI": 0.1, "stamp duty": 0, "GST": 0.5706,
         "depository": 15.34},
    ),
    "intraday, bought: 0.03 % of 150,000 is 45, at most 20": (
        ("NSE:INFY", "MIS", "BUY", 100, 1500.0),
        {"brokerage": 20, "STT": 0, "exchange": 4.605, "SEBI": 0.15, "stamp duty": 5, "GST": 4.4559, "depository": 0},
    ),
    "intraday, sold: STT of 37.5 is 38": (
        ("NSE:INFY", "MIS", "SELL", 100, 1500.0),
        {"brokerage": 20, "STT": 38, "exchange": 4.605, "SEBI": 0.15, "stamp duty": 0, "GST": 4.4559, "depository": 0},
    ),
    "intraday, small: 0.03 % of 20,000 is 6": (
        ("NSE:SBIN", "MIS", "SELL", 25, 800.0),
        {"brokerage": 6, "STT": 5, "exchange": 0.614, "SEBI": 0.02, "stamp duty": 0, "GST": 1.19412, "depository": 0},
    ),
    "delivery on BSE": (
        ("BSE:INFY", "CNC", "BUY", 100, 1000.0),
        {"brokerage": 0, "STT": 100, "exchange": 3.75, "SEBI": 0.1, "stamp duty": 15, "GST": 0.693, "depository": 0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WORKED)
def test_F10_zerodha_line_by_line(case: str) -> None:
    fill, lines = WORKED[case]
    charged = ZERODHA.charges(*fill, "2026-05-04")
    assert list(charged.lines) == list(lines)
    assert charged.lines == pytest.approx(lines, abs=1e-9)
    assert charged.total == pytest.approx(sum(lines.values()), abs=1e-9)
    assert (charged.currency, charged.value) == ("INR", fill[3] * fill[4])
    assert charged.total_frac == pytest.approx(charged.total / charged.value)


def test_F10_the_rates_are_those_of_the_fill_s_date_at_the_exchange() -> None:
    fill = ("NSE:INFY", "CNC", "BUY", 100, 1000.0)
    days = {"2026-02-28": 2.97, "2026-03-01": 3.07, "2024-09-30": 3.35, "2024-10-01": 2.97}
    for day, exchange in days.items():
        assert ZERODHA.charges(*fill, day).lines["exchange"] == pytest.approx(exchange)
        assert ZERODHA.charges(*fill, dt.date.fromisoformat(day)) == ZERODHA.charges(*fill, f"{day} 10:00+05:30")
    # 23:00 UTC of the last day of February is the first of March in India.
    for instant in ("2026-02-28 23:00+00:00", pd.Timestamp("2026-02-28 23:00", tz="UTC")):
        assert ZERODHA.charges(*fill, instant).lines["exchange"] == pytest.approx(3.07)


def test_F10_shares_of_the_same_session_pay_no_depository() -> None:
    late = ZERODHA.charges("NSE:INFY", "CNC", "SELL", 100, 1000.0, "2026-05-04")
    same = ZERODHA.charges("NSE:INFY", "CNC", "SELL", 100, 1000.0, "2026-05-04", same_session=True)
    assert late.total - same.total == pytest.approx(15.34)
    assert same.lines["depository"] == 0


def test_F10_alpaca_line_by_line() -> None:
    """USD 20.60 a million of the value, 0.000195 and 0.0000265 a share; the sum up to the cent."""
    charged = wb.costs.alpaca_equity().charges("XNYS:AAPL", "CNC", "SELL", 100, 200.0, "2026-05-04")
    assert charged.total == pytest.approx(0.44)
    assert charged.lines == pytest.approx(
        {"SEC fee": 0.412, "commission and CAT fee": 0.00265, "FINRA TAF": 0.0195, "rounding": 0.00585}
    )
    bought = wb.costs.alpaca_equity().charges("XNYS:AAPL", "CNC", "BUY", 100, 200.0, "2026-05-04")
    assert bought.total == pytest.approx(0.01)
    assert bought.lines["SEC fee"] == bought.lines["FINRA TAF"] == 0


def test_F10_oanda_and_basis_points_line_by_line() -> None:
    pair = wb.costs.oanda_fx(0.7, commission_per_million=50)
    charged = pair.charges("FX:USD_JPY", "MARGIN", "BUY", 100_000, 150.0, "2026-05-04")
    assert charged.lines == pytest.approx({"commission": 750.0, "half spread": 700.0})
    assert charged.currency == "JPY"
    assert wb.costs.bps(10, 5).charges("24x7:BTC", "CNC", "BUY", 2, 50.0, "2026-05-04").lines == {"commission": 0.1}
    assert wb.costs.none().charges("24x7:BTC", "CNC", "BUY", 2, 50.0, "2026-05-04").total == 0


MODELS = {
    "zerodha CNC": (ZERODHA, "NSE:INFY", "CNC"),
    "zerodha MIS": (ZERODHA, "BSE:INFY", "MIS"),
    "alpaca": (wb.costs.alpaca_equity(commission_per_share=0.001), "XNAS:AAPL", "CNC"),
    "oanda": (wb.costs.oanda_fx(0.7, commission_per_million=50), "FX:EUR_USD", "MARGIN"),
    "bps": (wb.costs.bps(10), "24x7:BTC", "CNC"),
}


@given(
    model=st.sampled_from(sorted(MODELS)), side=st.sampled_from(["BUY", "SELL"]), qty=st.floats(1e-6, 1e9),
    price=st.floats(1e-6, 1e6), day=st.dates(dt.date(2015, 1, 1), dt.date(2030, 1, 1)), same=st.booleans(),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_F10_lines_add_up_to_what_the_engine_books(
    model: str, side: str, qty: float, price: float, day: dt.date, same: bool
) -> None:
    costs, name, product = MODELS[model]
    charged = costs.charges(name, product, side, qty, price, day, same)
    table = costs.rates(product, *name.split(":")[:1], charged.currency, name.split(":")[1])
    instant = pd.Timestamp(day, tz=costs.zone).value
    assert charged.total == charges_of(table, instant, 1 if side == "BUY" else -1, qty, price, same)
    assert sum(charged.lines.values()) == pytest.approx(charged.total, rel=1e-9, abs=1e-9)
    assert all(money >= 0 for money in charged.lines.values())


def test_F10_a_backtest_books_the_same() -> None:
    index = pd.to_datetime(["2026-05-04", "2026-05-05", "2026-05-06", "2026-05-07"], utc=True).rename("ts")
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), 1000.0), index=index)
    strategy = wb.Strategy(
        name="round-trip", version="1.0.0", instruments=("NSE:INFY",), timeframe="1d", calendar="NSE", product="CNC",
        entry="DAY_OF_WEEK() == 1", exit="DAY_OF_WEEK() == 3", sizing=wb.FixedQty(100),
    )  # fmt: skip
    result = wb.backtest(strategy, wb.Bars(frame, "1d", calendar="NSE"), 200_000, costs=ZERODHA)
    asked = [ZERODHA.charges("NSE:INFY", "CNC", fill.side, fill.qty, fill.price, fill.ts) for fill in
             result.fills.itertuples()]  # fmt: skip
    assert len(asked) == 2
    assert [charged.total for charged in asked] == result.fills["charges"].tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side": "buy"}, "'BUY' or 'SELL'"),
        ({"side": -1}, "'BUY' or 'SELL'"),
        ({"qty": -100}, "also for a sale: that is side='SELL'"),
        ({"qty": 0}, "qty is 0; a number above 0"),
        ({"price": float("nan")}, "price is nan"),
        ({"price": "1000"}, "price is '1000'"),
        ({"ts": "2026-05-04 10:00"}, "has no time zone"),
        ({"ts": dt.datetime(2026, 5, 4, 10)}, "has no time zone"),  # noqa: DTZ001
        ({"ts": "May"}, "a date like '2026-05-04'"),
        ({"ts": None}, "a date like '2026-05-04'"),
        ({"product": "MARGIN"}, "has no rates for INFY with product MARGIN"),
        ({"instrument": "INFY"}, "EXCHANGE:SYMBOL"),
    ],
)
def test_F10_a_question_that_no_fill_can_ask_is_refused(change: dict[str, Any], said: str) -> None:
    fill = {"instrument": "NSE:INFY", "product": "CNC", "side": "BUY", "qty": 100, "price": 1000.0, "ts": "2026-05-04"}
    with pytest.raises(wb.ConfigError) as error:
        ZERODHA.charges(**{**fill, **change})
    assert said in str(error.value)


def test_F10_charges_show_themselves() -> None:
    charged = ZERODHA.charges("NSE:INFY", "MIS", "BUY", 100, 1500.0, "2026-05-04")
    assert repr(charged).startswith("Charges(34.2109 INR on 150,000: brokerage 20, STT 0, exchange 4.605")
    assert "<th>total</th><td>34.2109</td>" in charged._repr_html_()


def test_R4_what_lines_are_called_changes_no_hash() -> None:
    import dataclasses

    assert dataclasses.replace(ZERODHA, labels=()).hash == ZERODHA.hash


@pytest.mark.parametrize("given", ["no", "True", 0, 1, None])
def test_F10_same_session_is_true_or_false_and_nothing_that_counts_as_one(given: object) -> None:
    with pytest.raises(wb.ConfigError, match=r"same_session is .*; True or False is asked"):
        ZERODHA.charges("NSE:INFY", "CNC", "SELL", 100, 1000.0, "2026-05-04", same_session=given)  # type: ignore[arg-type]
