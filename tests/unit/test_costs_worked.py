"""Charges of single fills, each worked out by hand (rule F10)."""

from __future__ import annotations

import datetime as dt

import pytest

from workbench import costs
from workbench.engine.costs import charges_of
from workbench.errors import ConfigError

BUY, SELL = 1, -1


def at(text: str) -> int:
    """Nanoseconds of an instant written in UTC."""
    instant = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return int(instant.timestamp()) * 1_000_000_000


def zerodha(product, side, qty, price, day="2026-05-04", exchange="NSE", same_session=False, **options):
    table = costs.zerodha_equity(**options).rates(product, exchange, "INR")
    return charges_of(table, at(f"{day} 05:00"), side, float(qty), float(price), same_session)


def alpaca(side, qty, price, day, **options):
    table = costs.alpaca_equity(**options).rates("CNC", "XNYS", "USD")
    return charges_of(table, at(f"{day} 15:00"), side, float(qty), float(price), False)


def exactly(amount):
    return pytest.approx(amount, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("day", "charges"),
    [
        # 100 shares at 1,000: STT 100, stamp 15, SEBI 0.10, transaction charge T, GST 0.18·(T + 0.10)
        ("2026-05-04", 118.7406),  # T 3.07, GST 0.5706
        ("2025-01-15", 118.6226),  # T 2.97, GST 0.5526
        ("2024-06-03", 119.0710),  # T 3.35, GST 0.6210
        ("2022-06-01", 119.1890),  # T 3.45, GST 0.6390
        ("2020-09-01", 118.9530),  # T 3.25, GST 0.6030
    ],
)
def test_F10_zerodha_delivery_buy_by_date(day, charges):
    assert zerodha("CNC", BUY, 100, 1000, day) == exactly(charges)


@pytest.mark.parametrize(
    ("day", "charges"),
    [
        # STT 100, no stamp, SEBI 0.10, T, GST, and the depository's 15.34
        ("2026-05-04", 119.0806),
        ("2025-01-15", 118.9626),
        ("2024-06-03", 119.4110),
    ],
)
def test_F10_zerodha_delivery_sell_by_date(day, charges):
    assert zerodha("CNC", SELL, 100, 1000, day) == exactly(charges)


@pytest.mark.parametrize(
    ("side", "day", "charges"),
    [
        # Brokerage 0.03 % of 100,000 would be 30: capped at 20.
        (BUY, "2026-05-04", 30.3406),  # 20 + stamp 3 + 3.07 + 0.10 + GST 0.18·23.17 = 4.1706
        (SELL, "2026-05-04", 52.3406),  # 20 + STT 25 + 3.17 + 4.1706
        (BUY, "2025-01-15", 30.2226),  # 20 + 3 + 3.07 + 0.18·23.07 = 4.1526
        (SELL, "2025-01-15", 52.2226),
        (BUY, "2024-06-03", 30.6710),  # 20 + 3 + 3.45 + 0.18·23.45 = 4.2210
        (SELL, "2024-06-03", 52.6710),
    ],
)
def test_F10_zerodha_intraday_by_side_and_date(side, day, charges):
    assert zerodha("MIS", side, 100, 1000, day) == exactly(charges)


def test_F10_opening_sell_of_an_intraday_short_pays_the_sellers_tax():
    # The kernel knows sides, not openings: a short pays STT when it opens and stamp duty when it closes.
    opening = zerodha("MIS", SELL, 100, 1000, same_session=False)
    closing = zerodha("MIS", BUY, 100, 1000, same_session=True)
    assert opening == exactly(52.3406)
    assert closing == exactly(30.3406)


def test_F10_zerodha_bse_rate():
    # 100 + 15 + 3.75 + 0.10 + 0.18·3.85 = 0.693
    assert zerodha("CNC", BUY, 100, 1000, exchange="BSE") == exactly(119.543)


@pytest.mark.parametrize(
    ("product", "side", "qty", "price", "charges"),
    [
        # value 100: 0.03 + 0.00307 + 0.0001 + GST 0.0059706; stamp 0.003 rounds to 0
        ("MIS", BUY, 1, 100, 0.0391406),
        # STT 0.40 and stamp 0.06 round to 0; 0.01228 + 0.0004 + GST 0.0022824
        ("CNC", BUY, 1, 400, 0.0149624),
        # STT 0.50 rounds up to 1; stamp 0.075 to 0; 0.01535 + 0.0005 + GST 0.002853
        ("CNC", BUY, 1, 500, 1.018703),
        # just below the cap: 0.03 % of 66,600 is 19.98; STT 16.65 to 17; 2.04462 + 0.0666 + GST 0.18·22.09122
        ("MIS", SELL, 66, 66600 / 66, 43.0676396),
        # just above it: 0.03 % of 66,700 is 20.01, so 20; STT 16.675 to 17; 2.04769 + 0.0667 + GST 0.18·22.11439
        ("MIS", SELL, 667, 100, 43.0949802),
        # a crore a hundred times: 20 + 250,000 + 30,700 + 1,000 + GST 0.18·31,720
        ("MIS", SELL, 1_000_000, 1000, 287_429.6),
    ],
)
def test_F10_zerodha_tiny_and_huge_fills(product, side, qty, price, charges):
    assert zerodha(product, side, qty, price) == pytest.approx(charges, rel=1e-9)


def test_F10_tax_is_rounded_as_in_the_brokers_own_example():
    # support.zerodha.com: 500 bought at 100 pay STT 50, sold at 105 pay 53 (52.50 rounded up).
    sell = zerodha("CNC", SELL, 500, 105, dp_charge=0)
    assert sell == exactly(53 + 1.61175 + 0.0525 + 0.18 * 1.66425)
    buy = zerodha("CNC", BUY, 500, 100)
    # stamp 7.50 rounds up to 8
    assert buy == exactly(50 + 8 + 1.535 + 0.05 + 0.18 * 1.585)


@pytest.mark.parametrize(("dp_charge", "charges"), [(0, 103.7406), (15.93, 119.6706), (15.34, 119.0806)])
def test_F10_depository_charge_is_configurable(dp_charge, charges):
    assert zerodha("CNC", SELL, 100, 1000, dp_charge=dp_charge) == exactly(charges)


def test_F10_depository_charge_only_for_delivery_sells_of_an_earlier_session():
    assert zerodha("CNC", SELL, 100, 1000, same_session=True) == exactly(103.7406)
    assert zerodha("CNC", BUY, 100, 1000, same_session=False) == exactly(118.7406)
    assert zerodha("MIS", SELL, 100, 1000, same_session=False) == zerodha("MIS", SELL, 100, 1000, same_session=True)


@pytest.mark.parametrize("day", ["2021-01-01", "2023-04-01", "2024-10-01", "2026-03-01"])
def test_F10_rates_change_at_midnight_in_india(day):
    table = costs.zerodha_equity().rates("CNC", "NSE", "INR")
    midnight = at(f"{day} 00:00") - int(5.5 * 3600) * 1_000_000_000
    before = charges_of(table, midnight - 1, BUY, 100.0, 1000.0, False)
    after = charges_of(table, midnight, BUY, 100.0, 1000.0, False)
    later = charges_of(table, midnight + 10 * 3600 * 1_000_000_000, BUY, 100.0, 1000.0, False)
    assert before != after
    assert after == later


def test_F10_before_the_first_dated_row_the_earliest_serves_and_a_note_says_so():
    model = costs.zerodha_equity()
    assert zerodha("CNC", BUY, 100, 1000, "2015-06-01") == zerodha("CNC", BUY, 100, 1000, "2020-09-01")
    note = model.note_for(at("2015-06-01 05:00"))
    assert note is not None
    assert "2020-07-01" in note
    assert model.note_for(at("2021-06-01 05:00")) is None
    assert model.note_for(dt.datetime(2015, 6, 1, tzinfo=dt.UTC), "CNC", "NSE") == note
    assert costs.bps(1, 1).note_for(at("1970-01-02 00:00")) is None


@pytest.mark.parametrize(
    ("day", "charges"),
    [
        # 100 shares at 150: SEC on 15,000, TAF and CAT on 100 shares, up to the cent
        ("2025-03-03", 0.44),  # 0.417 + 0.0166 + 0.0053 = 0.4389
        ("2025-06-02", 0.03),  # 0 + 0.0166 + 0.0046 = 0.0212
        ("2025-08-01", 0.02),  # 0 + 0.0166 + 0.00265 = 0.01925
        ("2026-02-02", 0.03),  # 0 + 0.0195 + 0.00265 = 0.02215
        ("2026-05-04", 0.34),  # 0.309 + 0.0195 + 0.00265 = 0.33115
        ("2027-02-01", 0.34),  # 0.309 + 0.0232 + 0.00265 = 0.33485
    ],
)
def test_F10_alpaca_sell_by_date(day, charges):
    assert alpaca(SELL, 100, 150, day) == charges


def test_F10_alpaca_buy_pays_the_audit_trail_fee_alone():
    assert alpaca(BUY, 100, 150, "2026-05-04") == 0.01  # 0.00265 up to the cent
    assert alpaca(BUY, 100, 150, "2026-05-04", cat_fee=False) == 0.0
    assert alpaca(BUY, 100, 150, "2026-05-04", commission_per_share=0.005) == 0.51  # 0.50265


def test_F10_alpaca_activity_fee_is_capped():
    # 60,000 shares at 1: SEC 1.236; TAF 11.70 capped at 9.79; CAT 1.59: 12.616
    assert alpaca(SELL, 60_000, 1, "2026-05-04") == 12.62


def test_F10_alpaca_whole_cents_are_not_rounded_further():
    # TAF and CAT off by commission: 200 shares at 0.0050 a share is exactly a dollar.
    assert alpaca(BUY, 200, 10, "2026-05-04", cat_fee=False, commission_per_share=0.005) == 1.0


def test_F10_oanda_half_spread_each_fill():
    table = costs.oanda_fx(half_spread_pips=0.7).rates("CNC", "FX", "USD", "EUR_USD")
    for side in (BUY, SELL):
        assert charges_of(table, 0, side, 100_000.0, 1.1, False) == exactly(7.0)


def test_F10_oanda_yen_pips_and_pairs():
    model = costs.oanda_fx(half_spread_pips={"EUR_USD": 0.7, "USD_JPY": 0.8}, commission_per_million=50)
    yen = model.rates("MARGIN", "FX", "JPY", "USD_JPY")
    # 0.8 pips of 0.01 on 100,000 units, and 50 a million of 15,000,000 yen
    assert charges_of(yen, 0, BUY, 100_000.0, 150.0, False) == exactly(800 + 750)
    euro = model.rates("MARGIN", "FX", "USD", "EURUSD")
    assert charges_of(euro, 0, SELL, 100_000.0, 1.1, False) == exactly(7.0 + 5.5)
    with pytest.raises(ConfigError, match="GBP_USD"):
        model.rates("MARGIN", "FX", "USD", "GBP_USD")


def test_N4_bps_and_none():
    model = costs.bps(commission_bps=10, slippage_bps=5)
    assert model.slippage_frac == exactly(0.0005)
    for exchange, currency in (("NSE", "INR"), ("XNYS", "USD"), ("24x7", "")):
        table = model.rates("CNC", exchange, currency)
        assert charges_of(table, 0, BUY, 100.0, 50.0, False) == exactly(5.0)
        assert charges_of(table, 0, SELL, 100.0, 50.0, True) == exactly(5.0)
    free = costs.none()
    assert free.slippage_frac == 0.0
    assert charges_of(free.rates("MIS", "NSE", "INR"), 0, SELL, 1e6, 1e6, False) == 0.0
