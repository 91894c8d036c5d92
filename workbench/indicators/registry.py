"""The table of rule E: every function and series an expression may use.

The compiler looks names up here, and the language reference is generated from it, so nothing about a
function is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.indicators import lowering
from workbench.indicators.ops import Op
from workbench.indicators.signature import Argument, Function, Kind, Lower, Overload, Series, ValueType
from workbench.schema import Leaf

X = Argument("x", Kind.NUMBER, may_be_left_out=True)
N = Argument("n", Kind.LENGTH)
K = Argument("k", Kind.FACTOR)
A = Argument("a", Kind.NUMBER)
B = Argument("b", Kind.NUMBER)
CONDITION = Argument("cond", Kind.CONDITION)

First = Callable[[Sequence[float]], int]


def _length(name: str) -> Argument:
    return Argument(name, Kind.LENGTH)


def _at(bars: int) -> First:
    return lambda constants: bars


def _window(constants: Sequence[float]) -> int:
    return int(constants[0]) - 1


def _changes(constants: Sequence[float]) -> int:
    return int(constants[0])


def _way(arguments: Sequence[Argument], lower: Lower, formula: str, first_text: str, first: First) -> Overload:
    return Overload(tuple(arguments), lower, formula, first_text, first)


def _one(name: str, doc: str, group: str, way: Overload, aliases: tuple[str, ...] = (), talib: str = "") -> Function:
    return Function(name, (way,), doc, group, aliases, talib=talib)


def _averages() -> list[Function]:
    group = "Averages"
    window: tuple[str, First] = ("n-1", _window)

    def way(op: Op, formula: str) -> Overload:
        return _way((X, N), lowering.direct(op), formula, *window)

    return [
        _one("SMA", "Simple moving average.", group, way(Op.SMA, "mean of the last n"), ("MA", "AVG"), "SMA"),
        _one("EMA", "Exponential moving average, seeded by the simple average of the first n.", group,
             way(Op.EMA, "p + α(x - p), α = 2/(n+1)"), (), "EMA"),
        _one("WMA", "Linearly weighted moving average.", group, way(Op.WMA, "weights 1…n, newest n"), (), "WMA"),
        _one("RMA", "Wilder's moving average, seeded by the mean of the first n.", group,
             way(Op.RMA, "p + (x - p)/n")),
    ]  # fmt: skip


def _momentum() -> list[Function]:
    group = "Momentum"
    triple = (_length("f"), _length("s"), _length("g"))

    def slow(c: Sequence[float]) -> int:
        return int(max(c[0], c[1])) - 1

    def signal(c: Sequence[float]) -> int:
        return slow(c) + int(c[2]) - 1

    return [
        _one("RSI", "Relative strength index of Wilder's averages of gains and losses.", group,
             _way((X, N), lowering.direct(Op.RSI), "100·gain/(gain + loss); no loss: 100; no change: 50",
                  "n", _changes), (), "RSI"),
        _one("MACD", "Difference of a fast and a slow exponential average, each seeded on its own.", group,
             _way((X, *triple), lowering.macd, "EMA(x, f) - EMA(x, s)", "max(f, s)-1", slow)),
        _one("MACD_SIGNAL", "Exponential average of MACD.", group,
             _way((X, *triple), lowering.macd_signal, "EMA(MACD, g)", "max(f, s)+g-2", signal)),
        _one("MACD_HIST", "MACD minus its signal.", group,
             _way((X, *triple), lowering.macd_hist, "MACD - MACD_SIGNAL", "max(f, s)+g-2", signal)),
        _one("STOCH_K", "Slow stochastic %K: the close's place in the range of n bars, smoothed over k.", group,
             _way((N, _length("k")), lowering.stoch_k, "SMA(100·(close - lowest)/(highest - lowest), k); flat: 0",
                  "n+k-2", lambda c: int(c[0] + c[1]) - 2), (), "STOCH"),
        _one("STOCH_D", "Slow stochastic %D: the average of %K over d.", group,
             _way((N, _length("k"), _length("d")), lowering.stoch_d, "SMA(STOCH_K(n, k), d)", "n+k+d-3",
                  lambda c: int(c[0] + c[1] + c[2]) - 3), (), "STOCH"),
        _one("CCI", "Commodity channel index.", group,
             _way((N,), lowering.cci, "(hlc3 - SMA)/(0.015·mean deviation); flat: 0", "n-1", _window), (), "CCI"),
        _one("MFI", "Money flow index.", group,
             _way((N,), lowering.mfi, "100·flow on rising hlc3/all flow of the last n changes; flat: 0", "n", _changes),
             (), "MFI"),
        _one("WILLR", "Williams %R.", group,
             _way((N,), lowering.willr, "-100·(highest - close)/(highest - lowest); flat: 0", "n-1", _window),
             (), "WILLR"),
        _one("ROC", "Change against n bars ago, in percent.", group,
             _way((X, N), lowering.with_lag(Op.CHANGE), "(x/x[n] - 1)·100", "n", _changes), ("PERF_PCT",), "ROC"),
        _one("MOM", "Change against n bars ago.", group,
             _way((X, N), lowering.with_lag(Op.DIFFERENCE), "x - x[n]", "n", _changes), (), "MOM"),
        _one("RET", "Change against the bar before, in percent.", group,
             _way((X,), lowering.with_lag(Op.CHANGE), "ROC(x, 1)", "1", _at(1))),
    ]  # fmt: skip


def _trend() -> list[Function]:
    group = "Trend"
    bars = (Leaf.HIGH, Leaf.LOW, Leaf.CLOSE)
    return [
        _one("ADX", "Wilder's average directional movement index.", group,
             _way((N,), lowering.adx, "Wilder", "2n-1", lambda c: 2 * int(c[0]) - 1), (), "ADX"),
        _one("PLUS_DI", "Wilder's positive directional indicator.", group,
             _way((N,), lowering.of_bars(Op.PLUS_DI, *bars), "Wilder", "n", _changes), (), "PLUS_DI"),
        _one("MINUS_DI", "Wilder's negative directional indicator.", group,
             _way((N,), lowering.of_bars(Op.MINUS_DI, *bars), "Wilder", "n", _changes), (), "MINUS_DI"),
        _one("SUPERTREND", "The band that trails the price: the lower one in a rise, the upper one in a fall.", group,
             _way((N, K), lowering.supertrend(Op.SUPERTREND),
                  "hl2 ± k·ATR(n), ratcheted by close[i-1]", "n", _changes)),
        _one("SUPERTREND_DIR", "Direction of SUPERTREND: +1 in a rise, -1 in a fall.", group,
             _way((N, K), lowering.supertrend(Op.SUPERTREND_DIR),
                  "starts +1; flips when close passes the bar's own final band", "n", _changes)),
    ]  # fmt: skip


def _volatility() -> list[Function]:
    group = "Volatility"
    return [
        _one("ATR", "Average true range: Wilder's average of the true range, which exists from index 1.", group,
             _way((N,), lowering.atr, "RMA(TR, n)", "n", _changes), (), "ATR"),
        _one("STDDEV", "Population standard deviation.", group,
             _way((X, N), lowering.direct(Op.STDDEV), "√VAR; flat window: 0", "n-1", _window), (), "STDDEV"),
        _one("VAR", "Population variance.", group,
             _way((X, N), lowering.direct(Op.VAR), "mean of (x - SMA)²", "n-1", _window), (), "VAR"),
        _one("BB_UPPER", "Upper Bollinger band.", group,
             _way((X, N, K), lowering.bb_upper, "SMA(x, n) + k·STDDEV(x, n)", "n-1", _window), (), "BBANDS"),
        _one("BB_MID", "Middle of the Bollinger bands.", group,
             _way((X, N, K), lowering.bb_mid, "SMA(x, n)", "n-1", _window), (), "BBANDS"),
        _one("BB_LOWER", "Lower Bollinger band.", group,
             _way((X, N, K), lowering.bb_lower, "SMA(x, n) - k·STDDEV(x, n)", "n-1", _window), (), "BBANDS"),
        _one("BB_WIDTH", "Distance of the Bollinger bands relative to their middle.", group,
             _way((X, N, K), lowering.bb_width, "(BB_UPPER - BB_LOWER)/BB_MID", "n-1", _window)),
        _one("KELTNER_UPPER", "Upper Keltner channel.", group,
             _way((N, K), lowering.keltner(1.0), "EMA(close, n) + k·ATR(n)", "n", _changes)),
        _one("KELTNER_LOWER", "Lower Keltner channel.", group,
             _way((N, K), lowering.keltner(-1.0), "EMA(close, n) - k·ATR(n)", "n", _changes)),
        _one("ZSCORE", "Distance from the average in standard deviations.", group,
             _way((X, N), lowering.zscore, "(x - SMA(x, n))/STDDEV(x, n); flat window: missing", "n-1", _window)),
        _one("VOLATILITY", "Sample deviation of n log returns of the close, in percent of one bar.", group,
             _way((N,), lowering.volatility, "100·sample deviation of log(close/close[1])", "n", _changes)),
    ]  # fmt: skip


def _rolling() -> list[Function]:
    group = "Rolling"
    window: tuple[str, First] = ("n-1", _window)
    high, low = lowering.of_bars(Op.HIGHEST, Leaf.HIGH), lowering.of_bars(Op.LOWEST, Leaf.LOW)
    return [
        _one("HIGHEST", "Highest of the last n.", group,
             _way((X, N), lowering.direct(Op.HIGHEST), "max of the last n", *window), (), "MAX"),
        _one("LOWEST", "Lowest of the last n.", group,
             _way((X, N), lowering.direct(Op.LOWEST), "min of the last n", *window), (), "MIN"),
        _one("SUM", "Sum of the last n.", group,
             _way((X, N), lowering.direct(Op.SUM), "Σ of the last n", *window), (), "SUM"),
        _one("LAG", "x as it was n bars ago.", group,
             _way((X, N), lowering.direct(Op.LAG), "x[n]", "n", _changes)),
        _one("DONCHIAN_HIGH", "Highest high of the last n bars.", group,
             _way((N,), high, "HIGHEST(high, n)", *window)),
        _one("DONCHIAN_LOW", "Lowest low of the last n bars.", group, _way((N,), low, "LOWEST(low, n)", *window)),
    ]  # fmt: skip


def _volume() -> list[Function]:
    group = "Volume"
    return [
        _one("VOLUME_RATIO", "Volume against the mean of the n bars before.", group,
             _way((N,), lowering.volume_ratio, "volume/SMA(volume, n)[1]", "n", _changes)),
        _one("OBV", "On-balance volume, from the first bar of the history.", group,
             _way((), lowering.of_bars(Op.OBV, Leaf.CLOSE, Leaf.VOLUME),
                  "volume[0], then ± volume as close rises or falls", "0", _at(0)), (), "OBV"),
        _one("PVT", "Price-volume trend, from the first bar of the history.", group,
             _way((), lowering.of_bars(Op.PVT, Leaf.CLOSE, Leaf.VOLUME),
                  "Σ volume·(close/close[1] - 1)", "1", _at(1))),
        Function("VWAP", (
            _way((), lowering.vwap_session, "Σ(hlc3·volume)/Σvolume since the session's open", "0", _at(0)),
            _way((N,), lowering.vwap_window, "Σ(hlc3·volume)/Σvolume of the last n bars", "n-1", _window),
        ), "Volume-weighted average price, of the session or of the last n bars.", group),
    ]  # fmt: skip


def _element_wise() -> list[Function]:
    group = "Element-wise"
    rows: tuple[tuple[str, Op, tuple[Argument, ...], str, str], ...] = (
        ("ABS", Op.ABS, (A,), "Magnitude of a.", "|a|"),
        ("SQRT", Op.SQRT, (A,), "Square root of a; missing below 0.", "√a"),
        ("LOG", Op.LOG, (A,), "Natural logarithm of a; missing at 0 and below.", "ln a"),
        ("EXP", Op.EXP, (A,), "e to the power of a.", "eᵃ"),
        ("SIGN", Op.SIGN, (A,), "Sign of a.", "-1, 0 or 1"),
        ("POW", Op.POW, (A, B), "a to the power of b; missing out of domain.", "aᵇ"),
        ("FLOOR", Op.FLOOR, (A,), "Largest whole number not above a.", "⌊a⌋"),
        ("MAX2", Op.MAX2, (A, B), "Larger of a and b.", "max(a, b)"),
        ("MIN2", Op.MIN2, (A, B), "Smaller of a and b.", "min(a, b)"),
        ("IF", Op.IF, (CONDITION, A, B), "a where the condition is true, b where it is false.", "cond ? a : b"),
    )
    return [
        Function(name, (_way(arguments, lowering.direct(op), formula, "0", _at(0)),), doc, group, element_wise=True)
        for name, op, arguments, doc, formula in rows
    ]


def _conditions() -> list[Function]:
    group = "Conditions"

    def cross(name: str, op: Op, verb: str, aliases: tuple[str, ...]) -> Function:
        way = _way((A, B), lowering.direct(op), f"{verb} at this bar", "1", _at(1))
        return Function(
            name, (way,), f"Whether a crosses {name.split('_')[1].lower()} b at this bar.", group, aliases,
            ValueType.CONDITION, takes_timeframe=False, counts_for_warm=False,
        )  # fmt: skip

    return [
        _one("COUNT", "How many of the last n bars the condition was true on.", group,
             _way((CONDITION, N), lowering.direct(Op.COUNT), "trues in the last n", "n-1", _window)),
        _one("BARS_SINCE", "Bars since the condition was last true; 0 when it is true now.", group,
             _way((CONDITION,), lowering.direct(Op.BARS_SINCE), "bars since last true", "first true", _at(0))),
        _one("VALUE_WHEN", "What x was when the condition was last true.", group,
             _way((CONDITION, Argument("x", Kind.NUMBER)), lowering.direct(Op.VALUE_WHEN),
                  "x at the last true", "first true", _at(0))),
        cross("CROSS_ABOVE", Op.CROSS_ABOVE, "a[1] <= b[1] and a > b",
              ("CROSSING_ABOVE", "CROSSES_ABOVE", "CROSSOVER")),
        cross("CROSS_BELOW", Op.CROSS_BELOW, "a[1] >= b[1] and a < b",
              ("CROSSING_BELOW", "CROSSES_BELOW", "CROSSUNDER")),
    ]  # fmt: skip


def _session() -> list[Function]:
    group = "Session"
    at = ("0", _at(0))

    def of_session(op: Op, *leaves: Leaf) -> Lower:
        return lowering.of_bars(op, Leaf.SESSION, *leaves)

    return [
        _one("SESSION_OPEN", "Open of the running session's first bar.", group,
             _way((), of_session(Op.SESSION_FIRST, Leaf.OPEN), "first open of the session", *at)),
        _one("SESSION_HIGH", "Highest high of the running session so far.", group,
             _way((), of_session(Op.SESSION_MAX, Leaf.HIGH), "max high of the session", *at)),
        _one("SESSION_LOW", "Lowest low of the running session so far.", group,
             _way((), of_session(Op.SESSION_MIN, Leaf.LOW), "min low of the session", *at)),
        _one("BARS_SINCE_OPEN", "Bars of the running session before this one.", group,
             _way((), of_session(Op.SESSION_BARS), "0 on the session's first bar", *at)),
        _one("MINUTES_SINCE_OPEN", "Minutes from the session's open to the bar's close.", group,
             _way((), lowering.plain_leaf(Leaf.MINUTES_SINCE_OPEN), "ts_close - open", *at)),
        _one("MINUTES_TO_CLOSE", "Minutes from the bar's close to the session's close.", group,
             _way((), lowering.plain_leaf(Leaf.MINUTES_TO_CLOSE), "close - ts_close", *at)),
        _one("DAY_OF_WEEK", "Day of the session's date, Monday is 1.", group,
             _way((), lowering.plain_leaf(Leaf.DAY_OF_WEEK), "1…7", *at)),
    ]  # fmt: skip


def _all_functions() -> tuple[Function, ...]:
    groups = (_averages, _momentum, _trend, _volatility, _rolling, _volume, _element_wise, _conditions, _session)
    return tuple(function for group in groups for function in group())


#: Every function, in the order of the language reference.
FUNCTIONS: tuple[Function, ...] = _all_functions()

#: Every series of the bars.
SERIES: tuple[Series, ...] = (
    Series("open", lowering.series(Leaf.OPEN), "First price of the bar."),
    Series("high", lowering.series(Leaf.HIGH), "Highest price of the bar."),
    Series("low", lowering.series(Leaf.LOW), "Lowest price of the bar."),
    Series("close", lowering.series(Leaf.CLOSE), "Last price of the bar.", ("price",)),
    Series("volume", lowering.series(Leaf.VOLUME), "Quantity traded in the bar."),
    Series("hl2", lowering.hl2, "(high + low)/2"),
    Series("hlc3", lowering.hlc3, "(high + low + close)/3"),
    Series("ohlc4", lowering.ohlc4, "(open + high + low + close)/4"),
)

_FUNCTION_BY_NAME = {name: function for function in FUNCTIONS for name in (function.name, *function.aliases)}
_SERIES_BY_NAME = {name: one for one in SERIES for name in (one.name, *one.aliases)}


def function(name: str) -> Function | None:
    """The function with that name or alias, in any case, or nothing."""
    return _FUNCTION_BY_NAME.get(name.upper())


def series(name: str) -> Series | None:
    """The series with that name or alias, in any case, or nothing."""
    return _SERIES_BY_NAME.get(name.lower())


def names() -> tuple[str, ...]:
    """Every name an expression may use, aliases included: functions in capitals, series in small letters."""
    return (*_FUNCTION_BY_NAME, *_SERIES_BY_NAME)
