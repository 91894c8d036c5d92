"""Charges of one fill (rule F10).

``charges_of`` reads a small table of dated rows, made by ``CostModel.rates``. The row in force is the last one whose
``effective_from_ns`` is not after the fill; before the first row, the first row serves.

Invariants, held by property tests: charges are finite, never negative, and never fall when the quantity
rises, so sizing may shrink a quantity until cost and charges fit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.jit import inlined, njit

#: One dated row. Fractions are of the traded value (quantity times price); money is in the instrument's currency.
rates_dtype = np.dtype(
    [
        ("effective_from_ns", np.int64),
        ("brokerage_frac", np.float64),
        ("brokerage_max", np.float64),  # money a fill, inf without a cap
        ("exchange_frac", np.float64),
        ("regulator_buy_frac", np.float64),  # SEBI turnover fee
        ("regulator_sell_frac", np.float64),  # SEBI turnover fee, SEC section 31 fee
        ("tax_buy_frac", np.float64),  # securities transaction tax
        ("tax_sell_frac", np.float64),
        ("stamp_buy_frac", np.float64),
        ("stamp_sell_frac", np.float64),
        ("service_tax_frac", np.float64),  # GST, of brokerage, exchange and regulator fees
        ("unit_buy", np.float64),  # money a unit: CAT fee, half of a spread
        ("unit_sell", np.float64),
        ("activity_sell", np.float64),  # money a unit sold: FINRA trading activity fee
        ("activity_max", np.float64),  # its cap, money a fill
        ("delivery_sell", np.float64),  # money a sell of a position of an earlier session: depository charge
        ("tax_steps", np.float64),  # each tax and stamp to 1/steps of the currency, half up; 0 leaves them exact
        ("total_steps", np.float64),  # the total up to 1/steps of the currency; 0 leaves it exact
    ],
    align=True,
)

#: What charges are made of, in the order in which they are added up.
LINES = ("brokerage", "exchange", "regulator", "tax", "stamp", "service_tax", "per_unit", "activity", "delivery")

#: Larger values are clamped here, so that no product overflows into a difference of infinities.
LARGEST = 1e200


@inlined
def row_in_force(rates: npt.NDArray[np.void], ts_ns: int) -> int:
    """Index of the row that rules at ``ts_ns``; the first row also rules before it."""
    row = rates.size - 1
    while row > 0 and rates[row]["effective_from_ns"] > ts_ns:
        row -= 1
    return row


@inlined
def half_up(amount: float, steps: float) -> float:
    """Round to 1/``steps``, a half upwards (a half within 1e-9 counts as a half); 0 steps leave it exact."""
    if steps <= 0.0:
        return amount
    # numpy's floor and ceil stay floats; math's become integers when compiled, and overflow.
    return float(np.floor(amount * steps + 0.5 + 1e-9) / steps)


@inlined
def lines_of(
    rates: npt.NDArray[np.void], ts_ns: int, side: int, qty: float, price: float, same_session: bool
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """Each line of ``LINES`` of one fill, by the row in force on its date; parameters as in ``charges_of``.

    Returns
    -------
    tuple of nine float
        Money in the instrument's currency, each finite and not negative; their sum, rounded as the row says, is what
        ``charges_of`` gives.
    """
    value = qty * price
    if not value > 0.0 or not qty > 0.0:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    value = min(value, LARGEST)
    units = min(qty, LARGEST)
    rate = rates[row_in_force(rates, ts_ns)]
    selling = side < 0
    brokerage = min(value * rate["brokerage_frac"], rate["brokerage_max"])
    exchange = value * rate["exchange_frac"]
    regulator = value * (rate["regulator_sell_frac"] if selling else rate["regulator_buy_frac"])
    tax = half_up(value * (rate["tax_sell_frac"] if selling else rate["tax_buy_frac"]), rate["tax_steps"])
    stamp = half_up(value * (rate["stamp_sell_frac"] if selling else rate["stamp_buy_frac"]), rate["tax_steps"])
    service_tax = rate["service_tax_frac"] * (brokerage + exchange + regulator)
    per_unit = units * (rate["unit_sell"] if selling else rate["unit_buy"])
    activity = min(units * rate["activity_sell"], rate["activity_max"]) if selling else 0.0
    delivery = rate["delivery_sell"] if selling and not same_session else 0.0
    return brokerage, exchange, regulator, tax, stamp, service_tax, per_unit, activity, delivery


@njit
def charges_of(
    rates: npt.NDArray[np.void], ts_ns: int, side: int, qty: float, price: float, same_session: bool
) -> float:
    """Charges of one fill by the row in force on its date (rule F10).

    Parameters
    ----------
    rates : record array of ``rates_dtype``
        Rows sorted by ``effective_from_ns``, at least one.
    ts_ns : int
        Instant of the fill, nanoseconds since 1970-01-01 UTC.
    side : int
        +1 for a buy, -1 for a sell (also the sell that opens a short).
    qty, price : float
        Positive; anything else has no charges.
    same_session : bool
        Whether a position that this fill closes was opened in the same session.

    Returns
    -------
    float
        Money in the instrument's currency: finite, not negative, and never lower for a larger ``qty``.
    """
    if not qty * price > 0.0 or not qty > 0.0:
        return 0.0
    lines = lines_of(rates, ts_ns, side, qty, price, same_session)
    brokerage, exchange, regulator, tax, stamp, service_tax, per_unit, activity, delivery = lines
    total = brokerage + exchange + regulator + tax + stamp + service_tax + per_unit + activity + delivery
    steps = rates[row_in_force(rates, ts_ns)]["total_steps"]
    if steps > 0.0:
        return float(np.ceil(total * steps - 1e-9) / steps)
    return float(total)
