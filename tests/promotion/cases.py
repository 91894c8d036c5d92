"""Sound strategies, and strategies with one planted defect each, with the stage that is meant to catch it.

Written as text, for some of them are no strategies. A defect is planted into a strategy that is sound without it.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tomli_w

from tests.promotion import markets
from workbench.costs import CostModel, bps, none
from workbench.market.bars import Bars

NAME = "NSE:SAMPLE"

#: Buys what has fallen, where prices are pulled back.
DIP: Mapping[str, Any] = {
    "name": "dip", "version": "1.0.0", "instruments": [NAME], "timeframe": "15m", "calendar": "NSE", "product": "CNC",
    "entry": "RSI(3) < 25", "exit": "RSI(3) > 60",
}  # fmt: skip

#: Follows what goes on.
TREND: Mapping[str, Any] = {**DIP, "name": "trend", "entry": "EMA(8) > EMA(24)", "exit": "EMA(8) < EMA(24)"}


@dataclass(frozen=True)
class Planted:
    """One strategy to be promoted.

    Attributes
    ----------
    text : str
        Of its file.
    bars : callable
        Makes its bars.
    costs : CostModel, optional
        By default those of a usual broker.
    settings : mapping
        Beside the defaults.
    tests : sequence of path
        The user's own.
    stage : str or None
        Which must catch it; None of a sound one.
    """

    text: str
    bars: Callable[[], Bars]
    stage: str | None = None
    costs: CostModel | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    tests: Sequence[pathlib.Path] = ()

    @property
    def is_python(self) -> bool:
        """Whether it is a file with a function."""
        return "import" in self.text or "def (((" in self.text


def text_of(fields: Mapping[str, Any], **changed: Any) -> str:
    """The file of a strategy; a field that is None is left out."""
    merged = {**fields, **changed}
    return tomli_w.dumps({name: value for name, value in merged.items() if value is not None})


def pulled(seed: int = 1, **how: Any) -> Callable[[], Bars]:
    return lambda: markets.reverting(seed, **how)


def pushed(seed: int = 1, **how: Any) -> Callable[[], Bars]:
    return lambda: markets.trending(seed, **how)


def walked(seed: int = 1) -> Callable[[], Bars]:
    return lambda: markets.walking(seed)


WINS_SELDOM = {"performance": {"min_win_rate_frac": 0.3}, "risk": {"max_drawdown_frac": 0.3}}

SOUND: dict[str, Planted] = {
    "plain": Planted(text_of(DIP), pulled(1)),
    "stop": Planted(text_of(DIP, stop_loss_frac=0.06), pulled(2)),
    "target": Planted(text_of(DIP, take_profit_frac=0.04), pulled(3)),
    "trailing": Planted(text_of(DIP, trailing_stop_frac=0.05), pulled(4)),
    "trailing, late": Planted(text_of(DIP, trailing_stop_frac=0.04, trailing_activation_frac=0.01), pulled(5)),
    "ATR stop": Planted(text_of(DIP, stop_loss_atr=6.0, stop_loss_atr_length=10), pulled(6)),
    "longest holding": Planted(text_of(DIP, max_holding_bars=30), pulled(7)),
    "shortest holding": Planted(text_of(DIP, min_holding_bars=3), pulled(8)),
    "cooldown": Planted(text_of(DIP, cooldown_bars=2), pulled(9)),
    "some a day": Planted(text_of(DIP, max_trades_per_day=2), pulled(10)),
    "window": Planted(text_of(DIP, entry_window=["09:30", "14:30"]), pulled(11)),
    "daily loss": Planted(text_of(DIP, daily_loss_limit_frac=0.05), pulled(12)),
    "kill": Planted(text_of(DIP, max_drawdown_frac=0.3), pulled(13)),
    "trade drawdown": Planted(text_of(DIP, max_trade_drawdown_frac=0.08), pulled(14)),
    "half the money": Planted(text_of(DIP, sizing={"policy": "PercentOfEquity", "frac": 0.5}), pulled(15)),
    "capped": Planted(text_of(DIP, max_symbol_alloc_frac=0.6), pulled(16)),
    "risk per trade": Planted(
        text_of(DIP, stop_loss_frac=0.05, sizing={"policy": "RiskPerTrade", "frac": 0.02}), pulled(17)
    ),
    "coarser": Planted(text_of(DIP, entry="RSI(3) < 25 AND close > SMA(close, 5, '1h') * 0.9"), pulled(18)),
    "stops at the close": Planted(text_of(DIP, stop_execution="close", stop_loss_frac=0.06), pulled(19)),
    "short": Planted(
        text_of(DIP, product="MARGIN", direction="SHORT", entry="RSI(3) > 75", exit="RSI(3) < 40",
                daily_loss_limit_frac=0.05), pulled(20), costs=bps(2.0, 1.0),
    ),
    "both ways": Planted(
        text_of(DIP, product="MARGIN", direction="BOTH", short_entry="RSI(3) > 75", short_exit="RSI(3) < 40"),
        pulled(21), costs=bps(2.0, 1.0),
    ),
    "a cap out of reach": Planted(text_of(DIP, max_symbol_exposure=5e8), pulled(27)),
    "a count out of reach": Planted(text_of(DIP, max_trades_per_day=300), pulled(28)),
    "its own test": Planted(text_of(DIP), pulled(18), tests=(pathlib.Path(__file__).with_name("users") / "agrees.py",)),
    "follows": Planted(text_of(TREND), pushed(22), settings=WINS_SELDOM),
    "follows, trailing": Planted(text_of(TREND, trailing_stop_frac=0.06), pushed(23), settings=WINS_SELDOM),
}  # fmt: skip

#: Tests as a user writes them: the first asks what the strategy keeps, the second what it does not.
USERS = pathlib.Path(__file__).with_name("users")

DEFECTS: dict[str, Planted] = {
    # not parseable
    "no TOML": Planted("def ((( this is not a strategy", pulled(1), "syntax"),
    "cut short": Planted(text_of(DIP)[:40], pulled(1), "syntax"),
    "an expression cut short": Planted(text_of(DIP, entry="RSI(3) <"), pulled(1), "syntax"),
    "brackets": Planted(text_of(DIP, exit="(RSI(3) > 60"), pulled(1), "syntax"),
    # types and ranges
    "a field missing": Planted(text_of(DIP, entry=None), pulled(1), "syntax"),
    "an unknown field": Planted(text_of(DIP, stoploss=0.02), pulled(1), "syntax"),
    "text for a number": Planted(text_of(DIP, stop_loss_frac="2 %"), pulled(1), "syntax"),
    "percent for a fraction": Planted(text_of(DIP, stop_loss_frac=2.0), pulled(1), "syntax"),
    "a number as entry": Planted(text_of(DIP, entry="RSI(3)"), pulled(1), "syntax"),
    "an unknown indicator": Planted(text_of(DIP, entry="RSJ(3) < 25"), pulled(1), "syntax"),
    "an unknown parameter": Planted(text_of(DIP, entry="RSI($n) < 25"), pulled(1), "syntax"),
    "a version that is none": Planted(text_of(DIP, version="one"), pulled(1), "syntax"),
    "another exchange": Planted(text_of(DIP, instruments=["XNYS:SAMPLE"]), pulled(1), "syntax"),
    "finer than its bars": Planted(text_of(DIP, timeframe="5m"), pulled(1), "syntax"),
    "short with delivery": Planted(text_of(DIP, direction="SHORT"), pulled(1), "syntax"),
    "no costs known": Planted(text_of(DIP, product="MARGIN"), pulled(1), "syntax"),
    "a window outside every session": Planted(text_of(DIP, entry_window=["15:40", "15:50"]), pulled(1), "syntax"),
    "never warm": Planted(text_of(DIP, entry="close > SMA(40000)"), pulled(1), "syntax"),
    "one session": Planted(text_of(DIP), pulled(1, begin="2022-01-03", end="2022-01-03"), "syntax"),
    "too few sessions": Planted(
        text_of(DIP), pulled(1, begin="2022-01-01", end="2022-02-10"), "syntax"
    ),
    # a stop on the wrong side, limits that contradict each other
    "a stop above": Planted(text_of(DIP, stop_loss_frac=-0.05), pulled(1), "syntax"),
    "two stops": Planted(text_of(DIP, stop_loss_frac=0.05, stop_loss_atr=2.0), pulled(1), "syntax"),
    "held longer than it may be": Planted(text_of(DIP, min_holding_bars=9, max_holding_bars=3), pulled(1), "syntax"),
    "risk without a stop": Planted(
        text_of(DIP, sizing={"policy": "RiskPerTrade", "frac": 0.02}), pulled(1), "syntax"
    ),
    "a fraction above one": Planted(
        text_of(DIP, sizing={"policy": "PercentOfEquity", "frac": 1.5}), pulled(1), "syntax"
    ),
    # contracts

    "remembers too long": Planted(text_of(DIP, entry="RSI(3) < 25 AND EMA(3000) > 0 AND close < EMA(3000)"), pulled(1),
                                  "unit_tests"),
    "its own test fails": Planted(text_of(DIP), pulled(1), "unit_tests", tests=(USERS / "refuses.py",)),
    "its own tests are none": Planted(text_of(DIP), pulled(1), "unit_tests", tests=(USERS / "empty.py",)),
    # costs, and sizing that outgrows the cash
    "never enters": Planted(text_of(DIP, entry="RSI(3) < 0"), pulled(1), "backtest"),
    "the edge is less than its costs": Planted(
        text_of(DIP, entry="RSI(2) < 45", exit="RSI(2) > 55"), pulled(1, noise=0.0012), "backtest"
    ),
    "the edge is less than its slippage": Planted(
        text_of(DIP), pulled(2, noise=0.003), "backtest", costs=bps(0.0, 60.0)
    ),
    "costs off": Planted(text_of(DIP), pulled(1), "backtest", costs=none()),
    "once in a while": Planted(text_of(DIP, entry="RSI(3) < 0.35"), pulled(1), "backtest"),
    "the other way round": Planted(text_of(DIP, entry="RSI(3) > 75", exit="RSI(3) < 40"), pulled(1), "backtest"),
    "orders more than there is": Planted(
        text_of(DIP, sizing={"policy": "FixedCash", "amount": 1_400_000.0}), pulled(1), "backtest"
    ),
    "units more than there is": Planted(
        text_of(DIP, sizing={"policy": "FixedQty", "qty": 2_400.0}), pulled(1), "backtest"
    ),
    "no edge at all": Planted(text_of(DIP), walked(5), "backtest"),
    # risk
    "all in, no stop": Planted(text_of(DIP, exit="RSI(3) > 90"), pulled(1, noise=0.02), "risk"),
    "deeper than it may": Planted(text_of(DIP), pulled(24), "risk", settings={"risk": {"max_drawdown_frac": 0.01}}),
    "one session too many": Planted(text_of(DIP), pulled(24), "risk", settings={"risk": {"max_es_95_frac": 0.001}}),
    "a gap": Planted(text_of(DIP), pulled(25), "risk", settings={"risk": {"gap_frac": 0.3}}),
    "a limit that never acts": Planted(text_of(DIP, max_drawdown_frac=0.97), pulled(26), "risk"),
    # performance
    "in sample only": Planted(text_of(DIP), pulled(33, begin="2020-01-01", until_frac=0.75), "performance"),
    "in sample only, again": Planted(text_of(DIP), pulled(31, begin="2020-01-01", until_frac=0.75), "performance"),
    "wins seldom": Planted(
        text_of(TREND), pushed(22), "performance", settings={"performance": {"min_win_rate_frac": 0.9}}
    ),
    "the best of many": Planted(
        text_of(DIP, entry="RSI(3) < 12"), pulled(30, noise=0.0042), "performance",
        settings={"performance": {"trials": 5_000_000}, "backtest": {"min_trades": 10}},
    ),
}  # fmt: skip
