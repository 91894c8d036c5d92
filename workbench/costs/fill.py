"""What one fill costs, line by line: the engine's own arithmetic with names on it (rule F10)."""

from __future__ import annotations

import datetime as dt
import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from workbench.errors import ConfigError

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SIDES = {"BUY": 1, "SELL": -1}


@dataclass(frozen=True)
class Charges:
    """Charges of one fill.

    Attributes
    ----------
    total : float
        Money in ``currency``: what the engine books for such a fill.
    lines : mapping of str to float
        Money by what it is called at the broker; they add up to ``total``.
    currency : str
        Of the instrument; empty when unknown.
    value : float
        Traded value, quantity times price.
    """

    total: float
    lines: Mapping[str, float]
    currency: str
    value: float

    @property
    def total_frac(self) -> float:
        """The total as a fraction of the traded value."""
        return self.total / self.value

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {money:.10g}" for name, money in self.lines.items())
        return f"Charges({self.total:.10g} {self.currency} on {self.value:,.10g}: {told or 'free'})".replace("  ", " ")

    def _repr_html_(self) -> str:
        rows = [*self.lines.items(), ("total", self.total)]
        cells = "".join(f"<tr><th>{html.escape(name)}</th><td>{money:,.4f}</td></tr>" for name, money in rows)
        return f"<table><caption>{html.escape(self.currency)} on {self.value:,.2f}</caption>{cells}</table>"


def charges_of_fill(
    rates: npt.NDArray[np.void],
    labels: Sequence[tuple[str, str]],
    currency: str,
    ts_ns: int,
    fill: tuple[int, float, float, bool],
) -> Charges:
    """Work out one fill.

    Parameters
    ----------
    rates : record array of ``workbench.engine.costs.rates_dtype``
        Of the instrument and product.
    labels : sequence of (str, str)
        Line of the engine, and what the broker calls it; those lines are always shown, others when they are not 0.
    currency : str
        Of the instrument.
    ts_ns : int
        Instant of the fill, ns UTC.
    fill : (int, float, float, bool)
        Side (+1 a buy, -1 a sell), quantity, price, and whether it closes a position of the same session.
    """
    from workbench.engine.costs import LINES, charges_of, lines_of

    money = dict(zip(LINES, map(float, lines_of(rates, ts_ns, *fill)), strict=True))
    shown = {called: money.pop(line) for line, called in labels}
    shown |= {line.replace("_", " "): left for line, left in money.items() if left}
    total = float(charges_of(rates, ts_ns, *fill))
    rounding = total - sum(shown.values())
    if abs(rounding) > 1e-9 * max(total, 1.0):
        shown["rounding"] = rounding
    return Charges(total, shown, currency, fill[1] * fill[2])


def instant_ns(ts: Any, zone: str) -> int:
    """Nanoseconds UTC of a date (its midnight in ``zone``), an instant with a zone, or the ISO text of either."""
    moment = ts
    if isinstance(ts, str):
        try:
            moment = dt.date.fromisoformat(ts) if len(ts) <= 10 else dt.datetime.fromisoformat(ts)
        except ValueError:
            moment = None
    if isinstance(moment, dt.date) and not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time(), tzinfo=ZoneInfo(zone))
    if not isinstance(moment, dt.datetime):
        raise ConfigError(f"ts is {ts!r}; a date like '2026-05-04' or an instant with its zone is asked")
    if moment.tzinfo is None:
        raise ConfigError(f"{ts} has no time zone; write a date, or an instant like '2026-05-04 10:00+05:30'")
    return (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000


def checked_fill(side: Any, qty: Any, price: Any) -> tuple[int, float, float]:
    """Side as +1 or -1, quantity and price as positive numbers; ConfigError for anything else."""
    if side not in _SIDES:
        raise ConfigError(f"side is {side!r}; 'BUY' or 'SELL' is asked, 'SELL' also for the sale that opens a short")
    _refuse_unless_positive("qty", qty)
    _refuse_unless_positive("price", price)
    return _SIDES[side], float(qty), float(price)


def checked_truth(name: str, value: Any) -> bool:
    """True or False; ConfigError for what merely counts as one, like the text "no"."""
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{name} is {value!r}; True or False is asked")
    return bool(value)


def _refuse_unless_positive(name: str, value: Any) -> None:
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not math.isfinite(float(value)) or value <= 0:
        raise ConfigError(f"{name} is {value!r}; a number above 0 is asked, also for a sale: that is side='SELL'")
