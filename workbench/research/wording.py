"""Statistics in plain words: what each is called, how it is written, and what it says (rule R3)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from workbench.research.stats import Statistic


class Wording(NamedTuple):
    """How one statistic is put before a reader: its title, its unit, and a sentence on what it says."""

    title: str
    unit: str
    meaning: str


#: What a report shows first.
KEY_FIGURES = (
    "total_return_frac", "cagr_frac", "sharpe_ann", "max_drawdown_frac", "n_trades", "win_rate_frac", "profit_factor",
    "exposure_frac",
)

#: The group of statistics that only a result with a benchmark has.
BENCHMARK = "Against the benchmark"

#: Every statistic of rule R3, by the question it answers.
GROUPS: dict[str, dict[str, Wording]] = {
    "What was earned": {
        "initial_cash": Wording("Initial cash", "money", "Where equity starts."),
        "final_equity": Wording("Final equity", "money", "Cash and open positions at their last close."),
        "total_return_frac": Wording("Total return", "frac", "Final equity over initial cash, less one."),
        "cagr_frac": Wording("Growth a year", "frac", "The same as a constant yearly rate (CAGR)."),
        "n_sessions": Wording("Sessions", "count", "Trading days with at least one price."),
        "best_session_frac": Wording("Best session", "frac", "Largest return of one day."),
        "worst_session_frac": Wording("Worst session", "frac", "Smallest return of one day."),
    },
    "What was risked": {
        "volatility_ann": Wording("Volatility", "frac", "Deviation of daily returns, scaled to a year."),
        "sharpe_ann": Wording("Sharpe ratio", "ratio", "Mean daily return over its deviation, scaled to a year."),
        "sortino_ann": Wording("Sortino ratio", "ratio", "The same, where only losing days count as deviation."),
        "max_drawdown_frac": Wording("Deepest drawdown", "frac", "Largest fall from the highest equity so far."),
        "longest_drawdown_sessions": Wording("Longest drawdown", "sessions", "Longest stretch of days below a peak."),
        "calmar": Wording("Calmar ratio", "ratio", "Growth a year over the depth of the deepest drawdown."),
        "var_95_frac": Wording("Value at risk, 95 %", "frac", "One day in twenty was as bad as this, or worse."),
        "es_95_frac": Wording("Expected shortfall, 95 %", "frac", "Mean return of those days."),
        "lowest_cash": Wording("Lowest cash", "money", "Below zero where fills cost more than was expected."),
    },
    "How much was traded": {
        "exposure_frac": Wording("Time in the market", "frac", "Share of bars with an open position."),
        "turnover": Wording("Turnover", "ratio", "Value of all fills over mean equity, over the whole time."),
        "charges": Wording("Charges", "money", "Brokerage, taxes and fees of all fills."),
        "n_fills": Wording("Fills", "count", "Executions, entries and exits."),
        "n_trades": Wording("Trades", "count", "Closed, from entry to flat."),
        "n_open_trades": Wording("Open trades", "count", "Held at the end, at their last close; not in the averages."),
    },
    "How the trades went": {
        "win_rate_frac": Wording("Winning trades", "frac", "Share of closed trades with a net gain."),
        "profit_factor": Wording("Profit factor", "ratio", "Net gains over net losses; above 1 gains more."),
        "expectancy": Wording("Mean trade", "money", "Net profit or loss of a closed trade."),
        "expectancy_r": Wording("Mean trade in R", "ratio", "The same in multiples of what the first stop risked."),
        "avg_win": Wording("Mean gain", "money", "Of trades that gained."),
        "avg_loss": Wording("Mean loss", "money", "Of trades that lost."),
        "avg_trade_frac": Wording("Mean return of a trade", "frac", "Net, on the value at entry."),
        "best_trade_frac": Wording("Best trade", "frac", "Largest return of a closed trade."),
        "worst_trade_frac": Wording("Worst trade", "frac", "Smallest return of a closed trade."),
        "avg_bars_held": Wording("Bars held", "bars", "Mean over closed trades, in the strategy's bars."),
        "max_losses_in_a_row": Wording("Losses in a row", "count", "Longest run of losing trades."),
    },
    BENCHMARK: {
        "benchmark": Wording("Benchmark", "text", "What the result is compared with."),
        "benchmark_return_frac": Wording("Its return", "frac", "Over the same sessions."),
        "alpha_ann": Wording("Alpha", "frac", "Return a year that the benchmark does not explain."),
        "beta": Wording("Beta", "ratio", "How far equity moves when the benchmark moves by one."),
    },
}

WORDINGS: dict[str, Wording] = {name: wording for group in GROUPS.values() for name, wording in group.items()}


def wording_of(name: str) -> Wording:
    """What a statistic is called; one that nobody described keeps its name."""
    return WORDINGS.get(name) or Wording(name, "frac" if name.endswith("_frac") else "ratio", "")


def written(name: str, value: Statistic) -> str:
    """A statistic as a reader sees it: fractions in percent, money and counts with separators, None as a dash."""
    return formatted(value, wording_of(name).unit)


def formatted(value: Statistic, unit: str) -> str:
    """Write a number in its unit.

    Parameters
    ----------
    value : float, int, str or None
        NaN is written like None.
    unit : str
        ``frac``, ``money``, ``count``, ``sessions``, ``bars``, ``qty``, ``ratio`` or ``text``.

    Returns
    -------
    str
        With a true minus sign.
    """
    if value is None or value != value:  # NaN is not itself
        return "–"
    if isinstance(value, str):
        return value
    if unit == "frac":
        text = f"{value:,.2%}".replace("%", "\u202f%")
    elif unit in ("count", "sessions", "qty"):
        text = f"{value:,.10g}" if unit == "qty" else f"{value:,.0f}"
    else:
        text = f"{value:,.1f}" if unit == "bars" else f"{value:,.2f}"
    # What rounds to nothing has no sign.
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.removeprefix("-")


def first_of(names: Sequence[str], most: int = 4) -> str:
    """Names in a line; of more than ``most`` the first of them, and how many there are besides."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def price(value: float, tick: float | None) -> str:
    """A price with the decimals of its tick, at least two; ten digits where there is no tick. NaN is a dash."""
    if value != value:
        return "–"
    if not tick:
        return f"{value:,.10g}"
    exponent = Decimal(str(tick)).normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a tick is a finite number"
    return f"{value:,.{max(2, -exponent)}f}"
