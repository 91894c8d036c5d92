"""Alpaca equities: no commission, regulatory fees passed on.

Sells pay the SEC's section 31 fee on the value and FINRA's trading activity fee (TAF) a share, capped a fill; buys and
sells pay the consolidated audit trail (CAT) fee a share. Alpaca collects the day's total and rounds it up to the cent;
here each fill is rounded up, which is never less.
"""

from __future__ import annotations

import datetime as dt

from workbench.costs.model import CostModel, Rates, Schedule, amount, slippage
from workbench.errors import ConfigError

EXCHANGES = ("XNYS", "XNAS", "ARCX", "BATS", "XASE", "IEXG", "NYSE", "NASDAQ", "AMEX", "ARCA", "US")

#: From when; SEC fee as a fraction; TAF a share; its cap; CAT fee a share; source; verified on; note.
FEES: tuple[tuple[dt.date, float, float, float, float, str, str, str], ...] = (
    (
        dt.date(2024, 5, 22),
        0.0000278,
        0.000166,
        8.30,
        0.000053,
        "alpaca.markets/support/regulatory-fees (SEC USD 27.80 a million)",
        "2026-10",
        "the CAT fee changed several times in this time; its highest figure serves",
    ),
    (
        dt.date(2025, 5, 14),
        0.0,
        0.000166,
        8.30,
        0.000046,
        "alpaca.markets/support/regulatory-fees (SEC USD 0)",
        "2026-10",
        "",
    ),
    (
        dt.date(2025, 7, 1),
        0.0,
        0.000166,
        8.30,
        0.0000265,
        "alpaca.markets/support/regulatory-fees (CAT fee 2025-2)",
        "2026-10",
        "the month in which the CAT fee fell is an assumption",
    ),
    (
        dt.date(2026, 1, 1),
        0.0,
        0.000195,
        9.79,
        0.0000265,
        "FINRA's schedule of trading activity fees for 2026",
        "2026-10",
        "the current CAT fee is not verified",
    ),
    (
        dt.date(2026, 4, 4),
        0.0000206,
        0.000195,
        9.79,
        0.0000265,
        "SEC order FR 2026-04233 (USD 20.60 a million, read in three independent sources)",
        "2026-10",
        "the current CAT fee is not verified",
    ),
    (
        dt.date(2027, 1, 1),
        0.0000206,
        0.000232,
        9.79,
        0.0000265,
        "FINRA's schedule of trading activity fees for 2027, one source",
        "2026-10",
        "the cap of 2027 is not known; that of 2026 serves",
    ),
)


def alpaca_equity(slippage_bps: float = 0.0, commission_per_share: float = 0.0, cat_fee: bool = True) -> CostModel:
    """Alpaca's charges for US equities, by date.

    Parameters
    ----------
    slippage_bps : float
        Of the price, against the trader, 0 to 1000.
    commission_per_share : float
        USD a share, for accounts that pay one (flow that is not retail); 0 by default.
    cat_fee : bool
        Whether the consolidated audit trail fee is charged.

    Returns
    -------
    CostModel
        For any product in USD. Fills before 2024-05-22 are charged by the earliest rates known, and ``note_for`` says
        so.
    """
    per_share = amount("alpaca_equity", "commission_per_share", commission_per_share, 1.0, "USD a share")
    if not isinstance(cat_fee, bool):
        raise ConfigError(f"costs.alpaca_equity: cat_fee is {cat_fee!r}; True or False is asked")
    rows = tuple(
        Rates(
            effective_from=date,
            regulator_sell_frac=sec,
            activity_sell=taf,
            activity_max=cap,
            unit_buy=per_share + (cat if cat_fee else 0.0),
            unit_sell=per_share + (cat if cat_fee else 0.0),
            total_steps=100.0,
            source=source,
            verified_on=verified_on,
            note=note,
        )
        for date, sec, taf, cap, cat, source, verified_on, note in FEES
    )
    return CostModel(
        name="alpaca_equity",
        slippage_frac=slippage("alpaca_equity", slippage_bps),
        schedules=(Schedule(exchanges=EXCHANGES, currencies=("USD",), rows=rows),),
        zone="America/New_York",
        labels=(("regulator", "SEC fee"), ("per_unit", "commission and CAT fee"), ("activity", "FINRA TAF")),
        note="Rounded up to the cent a fill (the broker: the day's total); interest and borrow fees are not modelled.",
    )
