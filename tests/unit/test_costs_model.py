"""Cost models as data, and the laws every table of rates obeys (rules F10, R4, N4)."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import costs
from workbench.costs.model import Rates
from workbench.engine.costs import charges_of, rates_dtype, row_in_force
from workbench.errors import ConfigError

TABLES = {
    "none": costs.none().rates("CNC", "NSE", "INR"),
    "bps": costs.bps(10, 5).rates("CNC", "NSE", "INR"),
    **{
        f"zerodha {product} {exchange}": costs.zerodha_equity().rates(product, exchange, "INR")
        for product in ("CNC", "MIS")
        for exchange in ("NSE", "BSE")
    },
    "alpaca": costs.alpaca_equity(commission_per_share=0.001).rates("CNC", "XNAS", "USD"),
    "oanda": costs.oanda_fx(0.7, commission_per_million=50).rates("MARGIN", "FX", "USD", "EUR_USD"),
}
DAY_NS = 86_400_000_000_000

tables = st.sampled_from(sorted(TABLES))
instants = st.integers(0, 22_000).map(lambda day: day * DAY_NS)
sides = st.sampled_from([1, -1])
prices = st.floats(1e-4, 1e6)
quantities = st.one_of(st.integers(0, 10**7).map(float), st.floats(0.0, 1e9))


@settings(max_examples=400, deadline=None)
@given(tables, instants, sides, prices, quantities, quantities, st.booleans())
def test_F10_charges_never_fall_when_the_quantity_rises(name, ts, side, price, a, b, same_session):
    low, high = sorted((a, b))
    few = charges_of(TABLES[name], ts, side, low, price, same_session)
    many = charges_of(TABLES[name], ts, side, high, price, same_session)
    assert 0.0 <= few <= many < math.inf


@settings(max_examples=200, deadline=None)
@given(tables, instants, sides, prices, st.integers(1, 10**6), st.booleans())
def test_F10_one_more_unit_never_costs_less(name, ts, side, price, qty, same_session):
    step = [charges_of(TABLES[name], ts, side, float(qty + more), price, same_session) for more in range(3)]
    assert step == sorted(step)


@settings(max_examples=300, deadline=None)
@given(tables, instants, sides, st.floats(), st.floats(), st.booleans())
def test_F10_charges_are_finite_whatever_comes(name, ts, side, qty, price, same_session):
    charges = charges_of(TABLES[name], ts, side, qty, price, same_session)
    assert 0.0 <= charges < math.inf


@pytest.mark.parametrize("name", sorted(TABLES))
@pytest.mark.parametrize(("qty", "price"), [(0.0, 10.0), (-5.0, 10.0), (5.0, 0.0), (math.nan, 1.0), (1.0, math.nan)])
def test_F10_nothing_traded_costs_nothing(name, qty, price):
    assert charges_of(TABLES[name], 0, -1, qty, price, False) == 0.0


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(-5, 70))
def test_F10_the_row_in_force_is_the_last_not_after_the_fill(n_rows, ts):
    table = np.zeros(n_rows, dtype=rates_dtype)
    table["effective_from_ns"] = np.arange(n_rows) * 10
    assert row_in_force(table, ts) == max(0, min(n_rows - 1, ts // 10))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_F10_rows_are_sorted_by_date(name):
    begins = TABLES[name]["effective_from_ns"]
    assert len(begins) >= 1
    assert np.all(np.diff(begins) > 0)


def test_F10_rates_carry_the_fields_of_the_kernel_and_their_provenance():
    fields = [field.name for field in dataclasses.fields(Rates)]
    kernel = [name for name in rates_dtype.names if name != "effective_from_ns"]
    assert fields == ["effective_from", *kernel, "source", "verified_on", "note"]
    for model in (costs.zerodha_equity(), costs.alpaca_equity(), costs.oanda_fx()):
        for schedule in model.schedules:
            assert all(row.source and row.verified_on for row in schedule.rows)


@pytest.mark.parametrize(
    ("product", "exchange", "currency", "said"),
    [
        ("MARGIN", "NSE", "INR", "product MARGIN"),
        ("CNC", "XNYS", "USD", "exchange XNYS"),
        ("CNC", "NSE", "USD", "currency USD"),
    ],
)
def test_F10_a_fill_the_model_does_not_know_is_refused(product, exchange, currency, said):
    with pytest.raises(ConfigError, match=said) as refused:
        costs.zerodha_equity().rates(product, exchange, currency)
    assert "costs.bps" in str(refused.value)


def test_R4_hash_follows_what_decides_charges_and_nothing_else():
    model = costs.zerodha_equity()
    assert model.hash == costs.zerodha_equity().hash
    different = [
        costs.none(),
        costs.bps(1, 0),
        costs.bps(0, 1),
        model,
        costs.zerodha_equity(slippage_bps=1),
        costs.zerodha_equity(dp_charge=0),
        costs.alpaca_equity(),
        costs.alpaca_equity(cat_fee=False),
        costs.oanda_fx(),
        costs.oanda_fx(1.0),
    ]
    assert len({each.hash for each in different}) == len(different)
    schedules = tuple(
        dataclasses.replace(
            schedule, rows=tuple(dataclasses.replace(row, source="elsewhere", note="") for row in schedule.rows)
        )
        for schedule in model.schedules
    )
    assert dataclasses.replace(model, schedules=schedules, note="").hash == model.hash


def test_R4_a_model_is_frozen_plain_data():
    model = costs.alpaca_equity(slippage_bps=2)
    assert json.loads(json.dumps(model.to_dict(), allow_nan=False)) == model.to_dict()
    assert pickle.loads(pickle.dumps(model)).hash == model.hash
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.slippage_frac = 0.0


def test_R4_tables_are_copies():
    model = costs.bps(10, 0)
    model.rates("CNC", "NSE", "INR")["brokerage_frac"] = 0.0
    assert model.rates("CNC", "NSE", "INR")["brokerage_frac"][0] == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: costs.bps(-1, 0), "commission_bps"),
        (lambda: costs.bps(0, 5000), "basis points"),
        (lambda: costs.bps("10", 0), "a number is asked"),
        (lambda: costs.bps(True, 0), "a number is asked"),
        (lambda: costs.bps(math.nan, 0), "a number is asked"),
        (lambda: costs.zerodha_equity(slippage_bps=math.inf), "a number is asked"),
        (lambda: costs.zerodha_equity(dp_charge=-1), "dp_charge"),
        (lambda: costs.alpaca_equity(cat_fee=1), "True or False"),
        (lambda: costs.oanda_fx({}), "empty"),
        (lambda: costs.oanda_fx({"EUR_USD": "wide"}), "EUR_USD"),
    ],
)
def test_N4_wrong_arguments_are_refused_with_their_name(make, said):
    with pytest.raises(ConfigError, match=said):
        make()


def test_N4_models_show_themselves():
    model = costs.zerodha_equity(slippage_bps=3)
    assert repr(model).startswith("<costs.zerodha_equity:")
    assert "3 bps" in repr(model)
    shown = model._repr_html_()
    assert "2026-03-01" in shown
    assert "&lt;costs.zerodha_equity" in shown
