"""Zerodha equity on NSE and BSE, delivery (CNC) and intraday (MIS).

How a fill is charged: brokerage min(0.03 %, Rs 20) intraday and nothing for delivery; securities transaction tax (STT)
on both sides of delivery and on intraday sells, a short's opening sell included; the exchange's transaction charge;
the SEBI fee of Rs 10 a crore; stamp duty on buys; GST of 18 % on brokerage, transaction charge and SEBI fee; and for
delivery sells of shares held overnight a depository charge.

STT and stamp duty are rounded to the nearest rupee, a half upwards, as on the contract note
(support.zerodha.com, "How is the securities transaction tax calculated": a sell of Rs 52,500 pays Rs 53); here for each
fill, because a fill is what the engine sees. The other components stay exact.

What the model leaves out: a CNC position sold in the session it was bought in is charged as delivery, without the
depository charge (the broker settles it as intraday, which is cheaper); the depository charge is a sell, not an
instrument and day; the broker's fee for squaring off MIS positions itself; BSE groups other than A and B.
"""

from __future__ import annotations

import datetime as dt

from workbench.costs.model import CostModel, Rates, Schedule, amount, slippage

#: Transaction charge by exchange: from when, fraction of the traded value, where it is from, when it was verified.
EXCHANGE: dict[str, tuple[tuple[dt.date, float, str, str, str], ...]] = {
    "NSE": (
        (
            dt.date(2020, 7, 1),
            0.0000325,
            "the rate that NSE's increase of 6 % of January 2021 started from (0.00345 % / 1.06)",
            "2026-10",
            "",
        ),
        (
            dt.date(2021, 1, 1),
            0.0000345,
            "broker pages of 2021 and 2022; NSE raised its charges by 6 % from 2021-01-01 (The Hindu, 2023-03-24)",
            "2026-10",
            "",
        ),
        (
            dt.date(2023, 4, 1),
            0.0000335,
            "contract note in Zerodha's published API mocks; NSE took the increase back from 2023-04-01",
            "2026-10",
            "with the investor protection levy of Rs 10 a crore; a cut of about 1 % in April 2024 is left out",
        ),
        (
            dt.date(2024, 10, 1),
            0.0000297,
            "NSE's uniform rate of Rs 2.97 a lakh (livemint, 2024-10-01); zerodha.com/charges",
            "2026-10",
            "without the investor protection levy of Rs 10 a crore",
        ),
        (
            dt.date(2026, 3, 1),
            0.0000307,
            "zerodha.com/charges, as read by three independent sources",
            "2026-10",
            "the investor protection levy, cut to Rs 0.01 a crore on this date, is inside the rate",
        ),
    ),
    "BSE": (
        (
            dt.date(2020, 7, 1),
            0.0000375,
            "zerodha.com/charges: groups A and B at Rs 375 a crore from 2022-12-01",
            "2026-10",
            "the rate before December 2022 is not known; this one serves",
        ),
    ),
}

#: What the state and the regulator take; unchanged since stamp duty became uniform on 2020-07-01.
STATUTORY = {
    "CNC": {"tax_buy_frac": 0.001, "tax_sell_frac": 0.001, "stamp_buy_frac": 0.00015},
    "MIS": {"tax_sell_frac": 0.00025, "stamp_buy_frac": 0.00003},
}
SEBI_FRAC = 0.000001
GST_FRAC = 0.18
BROKERAGE = {"CNC": {"brokerage_frac": 0.0}, "MIS": {"brokerage_frac": 0.0003, "brokerage_max": 20.0}}

#: Depository charge a sell, with GST: Rs 13 + 18 % (newer support page; an older page says 13.50 + 18 % = 15.93).
DP_CHARGE = 15.34


#: What the contract note calls the lines of a charge.
LABELS = (
    ("brokerage", "brokerage"),
    ("tax", "STT"),
    ("exchange", "exchange"),
    ("regulator", "SEBI"),
    ("stamp", "stamp duty"),
    ("service_tax", "GST"),
    ("delivery", "depository"),
)


def zerodha_equity(slippage_bps: float = 0.0, dp_charge: float = DP_CHARGE) -> CostModel:
    """Zerodha's charges for equity on NSE and BSE, by date.

    Parameters
    ----------
    slippage_bps : float
        Of the price, against the trader, 0 to 1000.
    dp_charge : float
        Rupees a delivery sell of shares of an earlier session, GST included; 0 for none.

    Returns
    -------
    CostModel
        For products CNC and MIS in INR. Fills before 2020-07-01 are charged by the earliest rates known, and
        ``note_for`` says so.
    """
    depository = amount("zerodha_equity", "dp_charge", dp_charge, 1000.0, "rupees a sell, 15.34 by default")
    schedules = tuple(
        Schedule(
            products=(product,),
            exchanges=(exchange,),
            currencies=("INR",),
            rows=tuple(
                Rates(
                    effective_from=date,
                    exchange_frac=frac,
                    regulator_buy_frac=SEBI_FRAC,
                    regulator_sell_frac=SEBI_FRAC,
                    service_tax_frac=GST_FRAC,
                    delivery_sell=depository if product == "CNC" else 0.0,
                    tax_steps=1.0,
                    source=source,
                    verified_on=verified_on,
                    note=note,
                    **STATUTORY[product],
                    **BROKERAGE[product],
                )
                for date, frac, source, verified_on, note in dated
            ),
        )
        for exchange, dated in EXCHANGE.items()
        for product in ("CNC", "MIS")
    )
    return CostModel(
        name="zerodha_equity",
        slippage_frac=slippage("zerodha_equity", slippage_bps),
        schedules=schedules,
        zone="Asia/Kolkata",
        labels=LABELS,
        note="STT and stamp duty to the rupee a fill; a CNC round trip within one session is charged as delivery.",
    )
