"""OANDA FX: half of the spread in each fill, and a commission where the account has one.

Bars are mid prices, so a buy pays half of the spread above them and a sell half below; it is booked as a charge, in the
quote currency. Financing (swap) at 17:00 New York is not modelled: its rates are daily data of the broker, and a
position held over many nights costs or earns what this model does not show.
"""

from __future__ import annotations

from collections.abc import Mapping

from workbench.costs.model import CostModel, Rates, Schedule, amount, slippage
from workbench.errors import ConfigError

#: Half of the spread in pips for any pair: an assumption on the safe side of majors (EUR_USD had a median
#: spread of 1.3 pips over 2007 to 2018 in OANDA's hourly bid and ask bars); give your own by pair.
HALF_SPREAD_PIPS = 0.8

#: Quote currencies whose pip is 0.01; it is 0.0001 for others.
LARGE_PIP = ("JPY", "HUF", "THB")


def _spellings(pair: str) -> tuple[str, ...]:
    letters = "".join(letter for letter in pair if letter.isalpha())
    return (pair, letters, f"{letters[:3]}_{letters[3:]}", f"{letters[:3]}/{letters[3:]}")


def _schedules(half_pips: float, commission_frac: float, symbols: tuple[str, ...] = ()) -> tuple[Schedule, ...]:
    def rows(pip: float, note: str) -> tuple[Rates, ...]:
        return (
            Rates(
                brokerage_frac=commission_frac,
                unit_buy=half_pips * pip,
                unit_sell=half_pips * pip,
                source="spread as given or assumed; OANDA charges the spread alone by default",
                verified_on="2026-10",
                note=note,
            ),
        )

    return (
        Schedule(exchanges=("FX",), currencies=LARGE_PIP, symbols=symbols, rows=rows(0.01, "pip 0.01")),
        Schedule(exchanges=("FX",), symbols=symbols, rows=rows(0.0001, "pip 0.0001")),
    )


def oanda_fx(
    half_spread_pips: float | Mapping[str, float] = HALF_SPREAD_PIPS,
    commission_per_million: float = 0.0,
    slippage_bps: float = 0.0,
) -> CostModel:
    """OANDA's charges for FX pairs.

    Parameters
    ----------
    half_spread_pips : float or mapping
        Half of the spread in pips, for all pairs or by pair (``{"EUR_USD": 0.7, "USD_JPY": 0.8}``); a pair that the
        mapping does not name is refused. A pip is 0.0001, and 0.01 where the quote currency is JPY, HUF or THB.
    commission_per_million : float
        Money a million of traded value, for accounts that pay commission.
    slippage_bps : float
        Of the price, against the trader, 0 to 1000, beside the spread.

    Returns
    -------
    CostModel
        Charges in the quote currency.
    """
    name = "oanda_fx"
    per_million = amount(name, "commission_per_million", commission_per_million, 10_000.0, "50 is 0.5 basis points")
    if isinstance(half_spread_pips, Mapping):
        if not half_spread_pips:
            raise ConfigError("costs.oanda_fx: half_spread_pips is empty; give a number, or pips by pair")
        schedules: tuple[Schedule, ...] = tuple(
            schedule
            for pair, half in half_spread_pips.items()
            for schedule in _schedules(
                amount(name, f"half_spread_pips[{pair!r}]", half, 1000.0, "pips"),
                per_million / 1e6,
                _spellings(str(pair)),
            )
        )
    else:
        half_pips = amount(name, "half_spread_pips", half_spread_pips, 1000.0, "pips")
        schedules = _schedules(half_pips, per_million / 1e6)
    return CostModel(
        name=name,
        slippage_frac=slippage(name, slippage_bps),
        schedules=schedules,
        zone="America/New_York",
        labels=(("brokerage", "commission"), ("per_unit", "half spread")),
        note="Financing of positions held over 17:00 New York is not modelled.",
    )
