"""``CostModel``: dated rates by product, exchange, currency and symbol, with a content hash."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.costs.fill import Charges, charges_of_fill, checked_fill, checked_truth, instant_ns
from workbench.errors import ConfigError

#: Fields of ``Rates`` that say where a row comes from and change no charge.
_PROVENANCE = ("source", "verified_on", "note")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """One dated row of rates; the fields up to ``total_steps`` are those of ``workbench.engine.costs.rates_dtype``.

    ``effective_from`` is a date on the exchange. Fractions are of the traded value, ``_max`` is money a fill.
    """

    effective_from: dt.date = dt.date(1970, 1, 1)
    brokerage_frac: float = 0.0
    brokerage_max: float = math.inf
    exchange_frac: float = 0.0
    regulator_buy_frac: float = 0.0
    regulator_sell_frac: float = 0.0
    tax_buy_frac: float = 0.0
    tax_sell_frac: float = 0.0
    stamp_buy_frac: float = 0.0
    stamp_sell_frac: float = 0.0
    service_tax_frac: float = 0.0
    unit_buy: float = 0.0
    unit_sell: float = 0.0
    activity_sell: float = 0.0
    activity_max: float = math.inf
    delivery_sell: float = 0.0
    tax_steps: float = 0.0
    total_steps: float = 0.0
    source: str = ""
    verified_on: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Dated rows for some products, exchanges, currencies and symbols; an empty tuple means any."""

    rows: tuple[Rates, ...]
    products: tuple[str, ...] = ()
    exchanges: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()

    def covers(self, product: str, exchange: str, currency: str, symbol: str) -> bool:
        """Whether this schedule is meant for such a fill."""
        pairs = (
            (self.products, product),
            (self.exchanges, exchange),
            (self.currencies, currency),
            (self.symbols, symbol),
        )
        return all(not allowed or given in allowed for allowed, given in pairs)


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """What fills cost.

    Attributes
    ----------
    name : str
        Of the function that made it.
    slippage_frac : float
        Against the trader, of the price (rule F1); the engine applies it to prices, it is no charge.
    schedules : tuple of Schedule
        The first that covers a product, exchange, currency and symbol serves.
    zone : str
        Time zone in which the dates of the rows begin.
    note : str
        What the model leaves out.
    labels : tuple of (str, str)
        What the broker calls the lines of ``workbench.engine.costs.LINES``; they change no charge.
    """

    name: str
    slippage_frac: float = 0.0
    schedules: tuple[Schedule, ...]
    zone: str = "UTC"
    note: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    def charges(
        self,
        instrument: str,
        product: str,
        side: str,
        qty: float,
        price: float,
        ts: str | dt.date | dt.datetime,
        same_session: bool = False,
    ) -> Charges:
        """Charges of one fill, as the engine books them, line by line.

        Parameters
        ----------
        instrument : str
            ``EXCHANGE:SYMBOL``; its currency is that of ``wb.instrument``.
        product : {"CNC", "MIS", "MARGIN"}
            Of the strategy.
        side : {"BUY", "SELL"}
            ``"SELL"`` also for the sale that opens a short.
        qty, price : float
            Above 0. The price is that of the fill: slippage, which is no charge, is in it or not as you give it.
        ts : date, datetime or str
            When it fills: a date on the exchange, or an instant with its zone. The rates in force then are used.
        same_session : bool
            Whether the position that a sale closes was opened in the same session (no depository charge).

        Returns
        -------
        Charges
            ``total``, and ``lines`` that add up to it.

        Raises
        ------
        ConfigError
            The model has no rates for such a fill, or an argument is none that a fill can have.

        Examples
        --------
        >>> model.charges("NSE:INFY", "MIS", "BUY", 100, 1500.0, "2026-05-04").total  # doctest: +SKIP
        34.2109
        """
        from workbench.market.instruments import instrument as looked_up

        traded = looked_up(instrument)
        table = self.rates(product, traded.exchange, traded.currency, traded.symbol)
        fill = (*checked_fill(side, qty, price), checked_truth("same_session", same_session))
        return charges_of_fill(table, self.labels, traded.currency, instant_ns(ts, self.zone), fill)

    def schedule(self, product: str, exchange: str, currency: str, symbol: str = "") -> Schedule:
        """Find the schedule that serves; ConfigError when the model has none."""
        for schedule in self.schedules:
            if schedule.covers(product, exchange, currency, symbol):
                return schedule
        known = "; ".join(
            f"product {' or '.join(s.products) or 'any'} on {' or '.join(s.exchanges) or 'any exchange'}"
            + (f" in {' or '.join(s.currencies)}" if s.currencies else "")
            + (f" for {', '.join(s.symbols)}" if s.symbols else "")
            for s in self.schedules
        )
        traded = f"{symbol} with " if symbol else ""
        raise ConfigError(
            f"costs.{self.name} has no rates for {traded}product {product}, exchange {exchange}, "
            f"currency {currency or 'unknown'}; it knows {known}. "
            "Choose the cost model of your broker, or costs.bps(commission_bps, slippage_bps)"
        )

    def rates(self, product: str, exchange: str, currency: str, symbol: str = "") -> npt.NDArray[np.void]:
        """Make the table that ``charges_of`` reads.

        Parameters
        ----------
        product, exchange, currency : str
            Of the strategy and the instrument, for example ``"MIS", "NSE", "INR"``.
        symbol : str, optional
            For models whose rates differ by symbol (OANDA).

        Returns
        -------
        record array of ``workbench.engine.costs.rates_dtype``
            Sorted by ``effective_from_ns``, at least one row; a copy of its own.

        Raises
        ------
        ConfigError
            The model does not know such a fill.
        """
        asked = product, exchange, currency, symbol
        if asked not in self._tables:
            self._tables[asked] = self._table(*asked)
        return self._tables[asked].copy()

    @cached_property
    def _tables(self) -> dict[tuple[str, ...], npt.NDArray[np.void]]:
        """What was asked for so far: deployments ask for few tables, again and again."""
        return {}

    def _table(self, product: str, exchange: str, currency: str, symbol: str) -> npt.NDArray[np.void]:
        from workbench.engine.costs import rates_dtype

        rows = sorted(self.schedule(product, exchange, currency, symbol).rows, key=lambda row: row.effective_from)
        table = np.zeros(len(rows), dtype=rates_dtype)
        for record, row in zip(table, rows, strict=True):
            record["effective_from_ns"] = self._begins_ns(row.effective_from)
            for field in rates_dtype.names or ():
                if field != "effective_from_ns":
                    record[field] = getattr(row, field)
        return table

    def note_for(self, first_ts: int | dt.datetime, product: str = "", exchange: str = "") -> str | None:
        """Say in a sentence when fills from ``first_ts`` on precede the earliest known rates, which then serve.

        Parameters
        ----------
        first_ts : int or datetime
            First instant of the data: nanoseconds since 1970-01-01 UTC, or an aware datetime.
        product, exchange : str, optional
            Look at the schedules of these only.

        Returns
        -------
        str or None
            None when every fill has rates of its own date.
        """
        if isinstance(first_ts, dt.datetime):
            first_ns = instant_ns(first_ts, self.zone)
        else:
            first_ns = int(first_ts)
        firsts = [
            min(row.effective_from for row in schedule.rows)
            for schedule in self.schedules
            if (not product or not schedule.products or product in schedule.products)
            and (not exchange or not schedule.exchanges or exchange in schedule.exchanges)
        ]
        if not firsts or first_ns >= self._begins_ns(max(firsts)):
            return None
        return f"costs.{self.name}: the earliest known rates are of {max(firsts)}; earlier fills are charged by them"

    def to_dict(self) -> dict[str, Any]:
        """Everything in the model as plain data: dates as ISO text, no cap as None."""
        return {
            "name": self.name,
            "slippage_frac": self.slippage_frac,
            "zone": self.zone,
            "note": self.note,
            "schedules": [
                {
                    "products": list(schedule.products),
                    "exchanges": list(schedule.exchanges),
                    "currencies": list(schedule.currencies),
                    "symbols": list(schedule.symbols),
                    "rows": [_plain(row) for row in schedule.rows],
                }
                for schedule in self.schedules
            ],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> CostModel:
        """The model that ``to_dict`` described; it charges the same to the last bit."""
        schedules = tuple(
            Schedule(
                rows=tuple(_row(row) for row in schedule["rows"]),
                **{name: tuple(schedule[name]) for name in ("products", "exchanges", "currencies", "symbols")},
            )
            for schedule in content["schedules"]
        )
        kept = {name: content[name] for name in ("name", "slippage_frac", "zone", "note")}
        return cls(schedules=schedules, **kept)

    @cached_property
    def hash(self) -> str:
        """Content hash, 32 hexadecimal digits: what decides a charge, not the sources and notes (rule R4)."""
        content = self.to_dict()
        del content["note"]
        for schedule in content["schedules"]:
            for row in schedule["rows"]:
                for field in _PROVENANCE:
                    del row[field]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def __repr__(self) -> str:
        slippage = f", slippage {self.slippage_frac * 1e4:g} bps" if self.slippage_frac else ""
        rows = sum(len(schedule.rows) for schedule in self.schedules)
        return f"<costs.{self.name}: {rows} dated row{'s' if rows != 1 else ''}{slippage}, {self.hash[:8]}>"

    def _repr_html_(self) -> str:
        cells = []
        for schedule in self.schedules:
            kinds = (*schedule.products, *schedule.exchanges, *schedule.currencies, *schedule.symbols)
            for row in schedule.rows:
                named = _plain(row)
                rates = ", ".join(
                    f"{name} {value:g}"
                    for name, value in named.items()
                    if isinstance(value, float) and value != 0 and value is not None
                )
                texts = (
                    " ".join(kinds) or "any",
                    str(row.effective_from),
                    rates or "free",
                    row.source,
                    row.verified_on,
                    row.note,
                )
                cells.append("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in texts) + "</tr>")
        heads = "".join(f"<th>{head}</th>" for head in ("for", "from", "rates", "source", "verified on", "note"))
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return f"<p><b>{html.escape(repr(self))}</b></p>{note}<table><tr>{heads}</tr>{''.join(cells)}</table>"

    def _begins_ns(self, date: dt.date) -> int:
        return instant_ns(date, self.zone)


def _plain(row: Rates) -> dict[str, Any]:
    plain = dataclasses.asdict(row)
    plain["effective_from"] = row.effective_from.isoformat()
    return {key: None if value == math.inf else value for key, value in plain.items()}


def _row(plain: Mapping[str, Any]) -> Rates:
    given: dict[str, Any] = {key: math.inf if value is None else value for key, value in plain.items()}
    given["effective_from"] = dt.date.fromisoformat(plain["effective_from"])
    return Rates(**given)


def amount(function: str, name: str, value: object, most: float, hint: str) -> float:
    """Check one argument of a cost function: a finite number from 0 to ``most``; ConfigError otherwise."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
        raise ConfigError(f"costs.{function}: {name} is {value!r}; a number is asked")
    if not 0.0 <= float(value) <= most:
        raise ConfigError(f"costs.{function}: {name} is {value!r}; it must be from 0 to {most:g} ({hint})")
    return float(value)


def slippage(function: str, slippage_bps: object) -> float:
    """Check ``slippage_bps`` and return it as a fraction of the price."""
    return amount(function, "slippage_bps", slippage_bps, 1000.0, "basis points: 5 is 0.05 %") / 1e4
