"""Worked examples on paper: a small table of bars and signals in, short tuples of what happened out.

A table is text. A line with a day opens a session, the lines below it are its bars, in the exchange's own time::

    Mon
    09:15  100                    entry     one price: open, high, low and close
    09:20  101 103 99 102                   open, high, low, close
    09:30-09:40  102                        the same for every bar from 09:30 through 09:40
    09:45  102                    exit+short

Days are those of one ordinary week of every exchange, Monday 2024-01-08 to Sunday 2024-01-14, or ISO dates; daily bars
are written ``Mon 100 101 99 100``. A time that is not written is a gap. Words are signals: they travel in the volume of
a bar, where plain expressions (``ENTRY``, ``EXIT``, ``SHORT``, ``COVER``) read them. Times in results are written
``Mon 09:20``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

import workbench as wb

ZONES = {"NSE": "Asia/Kolkata", "XNYS": "America/New_York", "FX": "America/New_York", "24x7": "UTC"}
WEEK = dict(zip(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), pd.date_range("2024-01-08", periods=7), strict=True))
WORDS = {"entry": 1, "exit": 2, "short": 4, "cover": 8}


def _has(bit: int) -> str:
    return " OR ".join(f"volume == {code}" for code in range(1, 16) if code & bit)


ENTRY, EXIT, SHORT, COVER = (_has(bit) for bit in WORDS.values())


def bars(table: str, calendar: str | wb.Calendar = "NSE", timeframe: str = "5m") -> wb.Bars:
    """Bars from a table."""
    name = calendar if isinstance(calendar, str) else calendar.name
    stamps, rows, day = [], [], None
    for line in filter(None, (line.split("#", maxsplit=1)[0].strip() for line in table.splitlines())):
        first, *rest = line.split()
        if ":" not in first:
            day = WEEK[first] if first in WEEK else pd.Timestamp(first)
            if not rest:
                continue
            found = [day.tz_localize("UTC")]
        else:
            found = _stamps(name, day, first, timeframe)
        row = _row(rest)
        stamps += found
        rows += [row] * len(found)
    index = pd.DatetimeIndex(stamps, name="ts").tz_convert("UTC")
    frame = pd.DataFrame(rows, index=index, columns=["open", "high", "low", "close", "volume"])
    return wb.Bars(frame, timeframe, calendar)


def _stamps(calendar: str, day: Any, times: str, timeframe: str) -> list[pd.Timestamp]:
    first, _, last = times.partition("-")
    found = pd.date_range(f"{day.date()} {first}", f"{day.date()} {last or first}", freq=pd.Timedelta(timeframe))
    if calendar == "FX":  # the session of a weekday opens at 17:00 of the day before
        found = [at - pd.Timedelta(days=1) if at.hour >= 17 else at for at in found]
    return [at.tz_localize(ZONES.get(calendar, "UTC")) for at in found]


def _row(tokens: list[str]) -> list[float]:
    prices = [float(token) for token in tokens if token[0].isdigit()]
    words = [word for token in tokens if not token[0].isdigit() for word in token.split("+")]
    assert len(prices) in {1, 4}, tokens
    return [*(prices * 4)[:4], float(sum(WORDS[word] for word in words))]


def strategy(instruments: Mapping[str, wb.Bars], **fields: Any) -> wb.Strategy:
    """A strategy that trades the signals of a table: 10 units, long, CNC, unless something else is said."""
    one = next(iter(instruments.values()))
    direction = fields.get("direction", "LONG")
    given = {
        "name": "worked",
        "version": "1.0.0",
        "instruments": tuple(instruments),
        "timeframe": one.timeframe.text,
        "calendar": one.calendar.name,
        "product": "CNC" if direction == "LONG" else "MARGIN",
        "entry": SHORT if direction == "SHORT" else ENTRY,
        "exit": COVER if direction == "SHORT" else EXIT,
        "sizing": wb.FixedQty(10),
    }
    if direction == "BOTH":
        given |= {"short_entry": SHORT, "short_exit": COVER}
    return wb.Strategy(**(given | fields))


def run(
    tables: str | wb.Bars | Mapping[str, str | wb.Bars],
    *,
    calendar: str | wb.Calendar = "NSE",
    base: str = "5m",
    cash: float = 100_000.0,
    costs: Any = None,
    start: Any = None,
    **fields: Any,
) -> wb.Result:
    """Backtest tables (one, or by symbol) with a strategy made of ``fields``."""
    name = calendar if isinstance(calendar, str) else calendar.name
    by_symbol = tables if isinstance(tables, Mapping) else {"A": tables}
    data = {
        symbol if ":" in symbol else f"{name}:{symbol}": bars(table, calendar, base)
        if isinstance(table, str)
        else table
        for symbol, table in by_symbol.items()
    }
    return wb.backtest(strategy(data, **fields), data, initial_cash=cash, costs=costs, start=start)


def when(result: wb.Result, stamps: Any) -> list[str]:
    """Instants in the exchange's time as ``Mon 09:20``; missing ones are empty."""
    zone = next(iter(result.bars.values())).calendar.zone
    return ["" if at is pd.NaT else at.tz_convert(str(zone)).strftime("%a %H:%M") for at in stamps]


def symbols(names: Any) -> list[str]:
    """Instruments without their exchange."""
    return [str(name).rpartition(":")[2] for name in names]


def fills(result: wb.Result, symbol: str | None = None) -> list[tuple[Any, ...]]:
    """Rows (time, [symbol], side, qty, price, reason, kind) of ``result.fills``; prices to 9 places."""
    f = result.fills
    rows = zip(
        when(result, f.ts), symbols(f.instrument), f.side, f.qty, f.price.round(9), f.reason, f.kind, strict=True
    )
    return _chosen(rows, result, symbol)


def orders(result: wb.Result, symbol: str | None = None) -> list[tuple[Any, ...]]:
    """Rows (time, [symbol], side, kind, price or None, reason, status) of ``result.orders``."""
    o = result.orders
    prices = [None if pd.isna(p) else round(p, 9) for p in o.limit_price.fillna(o.stop_price)]
    rows = zip(when(result, o.ts), symbols(o.instrument), o.side, o.kind, prices, o.reason, o.status, strict=True)
    return _chosen(rows, result, symbol)


def decisions(result: wb.Result, symbol: str | None = None) -> list[tuple[Any, ...]]:
    """Rows (time, [symbol], decision, entry, reason) of ``result.decisions``, without NO_BAR and without empty ends."""
    d = result.decisions
    d = d[d.decision.astype(str) != "NO_BAR"]
    texts = (column.astype(object).where(column.notna(), "") for column in (d.decision, d.entry, d.reason))
    rows = zip(when(result, d.ts), symbols(d.instrument), *texts, strict=True)
    return [_trimmed(row) for row in _chosen(rows, result, symbol)]


def said(result: wb.Result, symbol: str | None = None) -> dict[str, str]:
    """Decision by time, of one instrument: ``EXIT_TRUE EXIT_SIGNAL``, a reversal's entry behind it."""
    rows = decisions(result, symbol or symbols(result.bars)[0])
    return {at: " ".join(filter(None, (decision, *reversed(rest)))) for at, decision, *rest in rows}


def trades(result: wb.Result, symbol: str | None = None) -> list[tuple[Any, ...]]:
    """Rows (entry time, [symbol], entry price, exit time, exit price, exit reason, net) of ``result.trades``."""
    t = result.trades
    prices = [None if pd.isna(p) else round(p, 9) for p in t.exit_price]
    rows = zip(
        when(result, t.entry_ts),
        symbols(t.instrument),
        t.entry_price.round(9),
        when(result, t.exit_ts),
        prices,
        t.exit_reason,
        t.net_pnl.round(9),
        strict=True,
    )
    return _chosen(rows, result, symbol)


def equity(result: wb.Result) -> dict[str, float]:
    """Equity by time, to 6 places."""
    return dict(zip(when(result, result.equity.index), result.equity.equity.round(6), strict=True))


def notes(result: wb.Result) -> list[tuple[str, str, str]]:
    """Rows (time, symbol, note), without the remarks on the whole result."""
    n = result.notes[result.notes.instrument != ""]
    return list(zip(when(result, n.ts), symbols(n.instrument), n.note, strict=True))


def _chosen(rows: Any, result: wb.Result, symbol: str | None) -> list[tuple[Any, ...]]:
    """Rows of one instrument without its column; with the column when several are traded and none is asked."""
    kept = [row for row in rows if symbol is None or row[1] == symbol]
    if symbol is None and len(result.bars) > 1:
        return kept
    return [(row[0], *row[2:]) for row in kept]


def _trimmed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    while row[-1] == "":
        row = row[:-1]
    return row
