"""How each function of the registry becomes primitive operations.

Composites are built from shared primitives, so that an upper and a lower Bollinger band are one average and
one deviation, and a sweep computes each of them once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.indicators.ops import Op
from workbench.indicators.signature import Build, Lower
from workbench.schema import Leaf

Nodes = Sequence[int]
Constants = Sequence[float]


def leaf(build: Build, which: Leaf) -> int:
    """Node that reads one column of the bars."""
    return build(Op.LEAF, (), float(which))


def hl2(build: Build) -> int:
    """Middle of the bar's range."""
    return build(Op.HL2, (leaf(build, Leaf.HIGH), leaf(build, Leaf.LOW)))


def hlc3(build: Build) -> int:
    """Typical price of the bar."""
    return build(Op.HLC3, (leaf(build, Leaf.HIGH), leaf(build, Leaf.LOW), leaf(build, Leaf.CLOSE)))


def ohlc4(build: Build) -> int:
    """Mean of the bar's four prices."""
    return build(Op.OHLC4, tuple(leaf(build, which) for which in (Leaf.OPEN, Leaf.HIGH, Leaf.LOW, Leaf.CLOSE)))


def direct(op: Op) -> Lower:
    """A function that is one primitive: its constants become ``p0, p1, p2``."""

    def lower(build: Build, nodes: Nodes, constants: Constants) -> int:
        return build(op, tuple(nodes), *constants)

    return lower


def of_bars(op: Op, *leaves: Leaf) -> Lower:
    """A primitive over columns of the bars; its constants become ``p0, p1, p2``."""

    def lower(build: Build, nodes: Nodes, constants: Constants) -> int:
        return build(op, tuple(leaf(build, which) for which in leaves), *constants)

    return lower


def plain_leaf(which: Leaf) -> Lower:
    """A function that is a column of the bars."""
    return lambda build, nodes, constants: leaf(build, which)


def _bands(build: Build, nodes: Nodes, constants: Constants, sign: float) -> int:
    length, factor = constants
    average = build(Op.SMA, nodes, length)
    return build(Op.BAND, (average, build(Op.STDDEV, nodes, length)), sign * factor)


def bb_upper(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Average plus k deviations."""
    return _bands(build, nodes, constants, 1.0)


def bb_lower(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Average minus k deviations."""
    return _bands(build, nodes, constants, -1.0)


def bb_mid(build: Build, nodes: Nodes, constants: Constants) -> int:
    """The average between the bands."""
    return build(Op.SMA, nodes, constants[0])


def bb_width(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Distance of the bands relative to the average."""
    upper, lower = bb_upper(build, nodes, constants), bb_lower(build, nodes, constants)
    return build(Op.DIV, (build(Op.DIFFERENCE, (upper, lower)), bb_mid(build, nodes, constants)))


def macd(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Fast minus slow exponential average; the signal's length is not used."""
    fast, slow = (build(Op.EMA, nodes, length) for length in constants[:2])
    return build(Op.DIFFERENCE, (fast, slow))


def macd_signal(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Exponential average of MACD."""
    return build(Op.EMA, (macd(build, nodes, constants),), constants[2])


def macd_hist(build: Build, nodes: Nodes, constants: Constants) -> int:
    """MACD minus its signal."""
    return build(Op.DIFFERENCE, (macd(build, nodes, constants), macd_signal(build, nodes, constants)))


def _extremes(build: Build, length: float) -> tuple[int, int]:
    highest = build(Op.HIGHEST, (leaf(build, Leaf.HIGH),), length)
    return highest, build(Op.LOWEST, (leaf(build, Leaf.LOW),), length)


def stoch_k(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Smoothed place of the close in the range of n bars."""
    position = build(Op.RANGE_POSITION, (leaf(build, Leaf.CLOSE), *_extremes(build, constants[0])))
    return build(Op.SMA, (position,), constants[1])


def stoch_d(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Average of the slow %K."""
    return build(Op.SMA, (stoch_k(build, nodes, constants),), constants[2])


def willr(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Williams %R."""
    return build(Op.RANGE_DROP, (leaf(build, Leaf.CLOSE), *_extremes(build, constants[0])))


def cci(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Commodity channel index of the typical price."""
    return build(Op.CCI, (hlc3(build),), constants[0])


def mfi(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Money flow index: the share of flow on rising typical prices."""
    inputs = (hlc3(build), leaf(build, Leaf.VOLUME))
    up, down = (build(Op.SUM, (build(op, inputs),), constants[0]) for op in (Op.FLOW_UP, Op.FLOW_DOWN))
    return build(Op.FLOW_RATIO, (up, down))


def with_lag(op: Op) -> Lower:
    """An element-wise comparison of x with x n bars ago."""

    def lower(build: Build, nodes: Nodes, constants: Constants) -> int:
        length = constants[0] if constants else 1.0
        return build(op, (nodes[0], build(Op.LAG, nodes, length)))

    return lower


def zscore(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Distance from the average in deviations."""
    away = build(Op.DIFFERENCE, (nodes[0], build(Op.SMA, nodes, constants[0])))
    return build(Op.DIV, (away, build(Op.STDDEV, nodes, constants[0])))


def volatility(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Sample deviation of log returns, in percent of one bar."""
    close = leaf(build, Leaf.CLOSE)
    change = build(Op.LOG_CHANGE, (close, build(Op.LAG, (close,), 1.0)))
    return build(Op.MUL, (build(Op.STDDEV_SAMPLE, (change,), constants[0]), build(Op.CONST, (), 100.0)))


def volume_ratio(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Volume against the mean of the bars before."""
    volume = leaf(build, Leaf.VOLUME)
    before = build(Op.LAG, (build(Op.SMA, (volume,), constants[0]),), 1.0)
    return build(Op.DIV, (volume, before))


def atr(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Wilder average of the true range."""
    true_range = build(Op.TRUE_RANGE, tuple(leaf(build, which) for which in (Leaf.HIGH, Leaf.LOW, Leaf.CLOSE)))
    return build(Op.RMA, (true_range,), constants[0])


def adx(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Average directional movement index of the two directional indicators."""
    bars = tuple(leaf(build, which) for which in (Leaf.HIGH, Leaf.LOW, Leaf.CLOSE))
    plus, minus = (build(op, bars, constants[0]) for op in (Op.PLUS_DI, Op.MINUS_DI))
    return build(Op.ADX, (plus, minus), constants[0])


def supertrend(op: Op) -> Lower:
    """SuperTrend's line or its direction."""

    def lower(build: Build, nodes: Nodes, constants: Constants) -> int:
        return build(op, (hl2(build), leaf(build, Leaf.CLOSE), atr(build, nodes, constants)), constants[1])

    return lower


def keltner(sign: float) -> Lower:
    """Exponential average of the close plus or minus k average true ranges."""

    def lower(build: Build, nodes: Nodes, constants: Constants) -> int:
        middle = build(Op.EMA, (leaf(build, Leaf.CLOSE),), constants[0])
        return build(Op.BAND, (middle, atr(build, nodes, constants)), sign * constants[1])

    return lower


def vwap_session(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Volume-weighted typical price since the session's open."""
    return build(Op.SESSION_VWAP, (leaf(build, Leaf.SESSION), hlc3(build), leaf(build, Leaf.VOLUME)))


def vwap_window(build: Build, nodes: Nodes, constants: Constants) -> int:
    """Volume-weighted typical price of the last n bars."""
    volume = leaf(build, Leaf.VOLUME)
    traded = build(Op.MUL, (hlc3(build), volume))
    return build(Op.DIV, (build(Op.SUM, (traded,), constants[0]), build(Op.SUM, (volume,), constants[0])))


def series(which: Leaf) -> Callable[[Build], int]:
    """A column of the bars as a series of the language."""
    return lambda build: leaf(build, which)
