"""``result.report(folder)``: one HTML file that opens anywhere, and the tables beside it.

How it works: the page is a jinja2 template with everything in it, plotly.js too, so that it opens without a network.
What people wrote (names, expressions, notes) is escaped by the template. Nothing in it depends on the clock or on the
machine: equal results give equal pages.
"""

from __future__ import annotations

import io
import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.errors import ConfigError
from workbench.market.home import write_atomically
from workbench.market.instruments import instrument
from workbench.market.samples import SYNTHETIC
from workbench.research import plots, wording
from workbench.strategy import content

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.research.result import Result

#: More trades than this are in trades.csv only: a browser sorts so many at once.
SHOWN_TRADES = 2000

PAGE = "report.html"


def write_report(result: Result, folder: str | os.PathLike[str]) -> pathlib.Path:
    """Write a report into a folder, which is made where it does not exist.

    Parameters
    ----------
    result : Result
        What to report.
    folder : str or path
        Gets ``report.html``, ``trades.csv``, ``fills.csv``, ``equity.parquet``, ``stats.json`` (with the hash) and
        ``strategy.toml``; files of these names are replaced, others are left alone.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    ConfigError
        The folder cannot be made, for example because a file has its name.
    """
    target = pathlib.Path(folder).expanduser().absolute()
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the folder {target} cannot be made: {error.strerror}. Name another one.") from error
    write_atomically(target / "trades.csv", result.trades.to_csv(index=False).encode())
    write_atomically(target / "fills.csv", result.fills.to_csv(index=False).encode())
    equity = io.BytesIO()
    result.equity.to_parquet(equity)
    write_atomically(target / "equity.parquet", equity.getvalue())
    write_atomically(target / "strategy.toml", result.strategy.to_toml().encode())
    name, version = result.strategy.name, result.strategy.version
    figures = {"name": name, "version": version, "hash": result.hash, "stats": result.stats}
    write_atomically(target / "stats.json", json.dumps(figures, indent=2).encode())
    page = target / PAGE
    write_atomically(page, report_html(result).encode())
    return page


def report_html(result: Result) -> str:
    """The page as text, complete in itself."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("workbench", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html.j2")
    return template.render(plotly_js=get_plotlyjs(), **_content(result))


def _content(result: Result) -> dict[str, Any]:
    """What the template names."""
    several = len(result.bars) > 1
    charts = [_chart(plots.result_figure(result), "chart-result")]
    if several:
        charts.append(_chart(plots.pnl_by_instrument_figure(result), "chart-instruments"))
    stats = result.stats
    return {
        "title": f"{result.strategy.name} {result.strategy.version}",
        "subtitle": _subtitle(result),
        "key_figures": [
            (wording.wording_of(name).title, wording.written(name, stats[name]), _sign(name, stats[name]))
            for name in wording.KEY_FIGURES
        ],
        "facts": _facts(result),
        "settings": [(name, content.shown(value)) for name, value in content.differing(result.strategy).items()],
        "toml": result.strategy.to_toml(),
        "charts": charts,
        "groups": _groups(result),
        "months": _months(result),
        **_trades(result),
        "notes": _notes(result),
    }


def _chart(figure: go.Figure, name: str) -> str:
    """A figure as HTML that finds plotly.js on the page; the same text for the same figure."""
    config = {"displaylogo": False, "responsive": True, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
    return str(plots.on_white(figure).to_html(full_html=False, include_plotlyjs=False, div_id=name, config=config))


def _subtitle(result: Result) -> str:
    made_up = " · synthetic prices" if any(item.basis == SYNTHETIC for item in result.bars.values()) else ""
    shown, strategy = wording.first_of(list(result.bars)), result.strategy
    return f"{shown} · decides on {strategy.timeframe} bars · {strategy.direction.lower()}{made_up}"


def _facts(result: Result) -> list[tuple[str, str]]:
    """Data, money and costs of the run."""
    bars = list(result.bars.values())
    one = bars[0]
    first, last = min(item.index[0] for item in bars), max(item.index[-1] for item in bars)
    zone = str(one.calendar.zone)
    if one.timeframe.is_daily:
        span = f"{first:%d %b %Y} to {last:%d %b %Y}"
    else:
        span = f"{first.tz_convert(zone):%d %b %Y %H:%M} to {last.tz_convert(zone):%d %b %Y %H:%M} ({zone})"
    gaps, repaired = sum(item.gaps for item in bars), sum(len(item.report) for item in bars)
    return [
        ("Instruments", ", ".join(result.bars)),
        ("Base bars", f"{sum(map(len, bars)):,} of {one.timeframe}, {span}"),
        ("Calendar", f"{one.calendar.name}, {len(one.grid.sessions):,} sessions"),
        ("Prices", one.basis or "adjustment not stated"),
        ("Intervals without a bar", f"{gaps:,}"),
        ("Rows repaired on loading", f"{repaired:,}"),
        ("Initial cash", wording.formatted(result.initial_cash, "money")),
        ("Costs", _costs(result)),
        ("Hash", result.hash),
    ]


def _costs(result: Result) -> str:
    """Name of the cost model, what can be said of it in a line, and what it leaves out."""
    model = result.costs
    told = [model.name]
    if model.name == "bps":
        told.append(f"commission {model.schedules[0].rows[0].brokerage_frac * 1e4:g} bps of each fill")
    if model.slippage_frac:
        told.append(f"slippage {model.slippage_frac * 1e4:g} bps")
    return ", ".join(told) + (f" – {model.note}" if model.note else "")


def _groups(result: Result) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Statistics by question: title, value, name, meaning. What nobody described stands at the end."""
    stats = dict(result.stats)
    found = []
    for group, members in wording.GROUPS.items():
        rows = [
            (word.title, wording.written(name, stats.pop(name)), name, word.meaning)
            for name, word in members.items()
            if name in stats
        ]
        if rows:
            found.append((group, rows))
    if stats:
        found.append(("Other", [(name, wording.written(name, value), name, "") for name, value in stats.items()]))
    return found


def _months(result: Result) -> list[tuple[str, list[tuple[str, str]], tuple[str, str]]]:
    """Return of each month by year: year, twelve (text, colour) and the year's; from the last equity of each."""
    rows = result.equity["equity"]
    if rows.empty:
        return []
    clock = plots.clock_of(result)
    times = clock.wall(pd.DatetimeIndex(rows.index))
    equity = pd.Series(rows.to_numpy())
    monthly = _returns(equity.groupby([times.year, times.month]).last(), result.initial_cash)
    yearly = _returns(equity.groupby(times.year).last(), result.initial_cash)
    table = []
    for year, whole in yearly.items():
        cells = [_shade(monthly.get((year, month), np.nan)) for month in range(1, 13)]
        table.append((str(year), cells, _shade(whole)))
    return table


def _returns(equity: pd.Series[float], start: float) -> pd.Series[float]:
    """Each value over the one before, less one; nothing after a debt."""
    before = equity.shift(1, fill_value=start)
    return (equity / before - 1.0).where(before > 0.0)


def _shade(fraction: float) -> tuple[str, str]:
    """A return and the colour behind it, fuller from 0 to 10 %."""
    if np.isnan(fraction):
        return "", "transparent"
    strength = min(abs(fraction) / 0.10, 1.0) * 0.45
    return wording.formatted(fraction, "frac"), f"rgba({'181,73,63' if fraction < 0 else '61,131,97'},{strength:.2f})"


#: Column of trades, heading, unit.
_COLUMNS = (
    ("instrument", "Instrument", "text"),
    ("direction", "Direction", "text"),
    ("qty", "Qty", "qty"),
    ("entry_ts", "Entry", "time"),
    ("entry_price", "at", "price"),
    ("exit_ts", "Exit", "time"),
    ("exit_price", "at", "price"),
    ("exit_reason", "Exit reason", "text"),
    ("charges", "Charges", "money"),
    ("net_pnl", "Net P&L", "money"),
    ("return_frac", "Return", "frac"),
    ("r_multiple", "R", "ratio"),
    ("mae_frac", "Worst", "frac"),
    ("mfe_frac", "Best", "frac"),
    ("bars_held", "Bars", "count"),
)


def _trades(result: Result) -> dict[str, Any]:
    """Headings and rows of the trades table; a cell is (text, sort key, class)."""
    trades = result.trades.head(SHOWN_TRADES)
    columns = [_cells(trades, name, unit, result) for name, _, unit in _COLUMNS]
    kinds = ["word" if unit == "text" else "number" for _, _, unit in _COLUMNS]
    return {
        "headings": [(title, kind) for (_, title, _), kind in zip(_COLUMNS, kinds, strict=True)],
        "trades": list(zip(*columns, strict=True)),
        "n_trades": len(result.trades),
    }


def _cells(trades: pd.DataFrame, name: str, unit: str, result: Result) -> list[tuple[str, str, str]]:
    values = trades[name]
    if unit == "text":
        return [(str(value) or "open", str(value), "word") for value in values]
    if unit == "time":
        one = next(iter(result.bars.values()))
        stamps = plots.clock_of(result).wall(pd.DatetimeIndex(values))
        pattern = "%Y-%m-%d" if one.timeframe.is_daily else "%Y-%m-%d %H:%M"
        told = stamps.strftime(pattern).fillna("open")
        # Times written largest part first sort as text.
        return [(str(text), "" if text == "open" else str(text), "number") for text in told]
    numbers = values.astype(float).tolist()
    if unit == "price":
        ticks = {each: instrument(each).tick for each in trades["instrument"].unique()}
        texts = [wording.price(x, ticks[each]) for x, each in zip(numbers, trades["instrument"], strict=True)]
    else:
        texts = [wording.formatted(x, unit) for x in numbers]
    signed = name in ("net_pnl", "return_frac")
    return [
        (text, "" if np.isnan(x) else repr(x), "number loss" if signed and x < 0 else "number")
        for text, x in zip(texts, numbers, strict=True)
    ]


def _sign(name: str, value: Any) -> str:
    """Class of a key figure: a loss is red, everything else ink."""
    losing = name in ("total_return_frac", "cagr_frac", "sharpe_ann")
    return "loss" if losing and isinstance(value, float) and value < 0 else ""


def _notes(result: Result) -> list[tuple[str, str, str]]:
    """Instrument, time and text of each note."""
    notes = result.notes
    times = plots.clock_of(result).wall(pd.DatetimeIndex(notes["ts"]))
    written = times.strftime("%Y-%m-%d %H:%M").str.removesuffix(" 00:00").fillna("")
    return list(zip(notes["instrument"].astype(str), written, notes["note"].astype(str), strict=True))
