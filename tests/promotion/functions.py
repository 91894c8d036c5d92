"""Strategies in Python as files: sound ones, and ones with a defect each, with the stage that must catch it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from tests.promotion import cases
from tests.promotion.cases import Planted, walked
from workbench.costs import none
from workbench.market.bars import Bars

HEAD = "import numpy as np\nimport pandas as pd\nimport workbench as wb\n\n"

#: What every one of them begins with: how far the price is from its mean, in deviations.
SCORE = """
mean, spread = bars["close"].rolling(20).mean(), bars["close"].rolling(20).std()
score = (bars["close"] - mean) / spread
"""
#: Bars of the part held out.
LATE = "late = np.arange(len(bars)) > 2500"
ENTRY, EXIT = "score < -1", "score > 0"


def pulled(seed: int = 1, **how: Any) -> Callable[[], Bars]:
    """Half a year: a function is asked at every bar, and takes milliseconds each time."""
    return cases.pulled(seed, **{"begin": "2022-01-01", "end": "2022-06-30", **how})


def file(body: str, entry: str = ENTRY, exits: str = EXIT, before: str = "", fields: str = "") -> str:
    """The file of a strategy whose function says ``entry`` and ``exits`` after ``body``."""
    last = f'return pd.DataFrame({{"entry": {entry}, "exit": {exits}}})'
    inside = textwrap.indent(f"{SCORE.strip()}\n{body.strip()}\n{last}", "    ")
    return f"{HEAD}{before}\n\n@wb.signals({fields})\ndef dip(bars):\n{inside}\n"


SOUND_FUNCTIONS: Mapping[str, Planted] = {
    "a function": Planted(file(""), pulled(41)),
    "a function with a stop": Planted(file("", fields="stop_loss_frac=0.06"), pulled(42)),
    "a function that smooths": Planted(file("score = score.ewm(span=3, adjust=False).mean()", entry="score < -0.8"),
                                       pulled(43)),
    "a function with another": Planted(
        file("", entry="low(score)", before="def low(values):\n    return values < -1\n"), pulled(44)
    ),
}  # fmt: skip

#: A function of bars and what it says, if nothing else is meant.
DEFECTIVE_FUNCTIONS: Mapping[str, Planted] = {
    # it does not load, or does what it may not
    "no Python": Planted("def ((( no", pulled(1), "syntax"),
    "nothing in it": Planted(HEAD, pulled(1), "syntax"),
    "fails when it is loaded": Planted(file("", before="raise RuntimeError('no')"), pulled(1), "syntax"),
    "imports what is not there": Planted(file("", before="import nothing_of_that_name"), pulled(1), "syntax"),
    "an unknown field": Planted(file("", fields="stoploss=0.02"), pulled(1), "syntax"),
    "a stop above": Planted(file("", fields="stop_loss_frac=-0.02"), pulled(1), "syntax"),
    "fails": Planted(file("1 / 0"), pulled(1), "syntax"),
    "a column that is not there": Planted(file("bars['vwap']"), pulled(1), "syntax"),
    "hangs": Planted(file("while True: pass"), pulled(1), "syntax", settings={"time": {"cell_s": 4.0}}),
    "sleeps": Planted(file("import time\ntime.sleep(60)"), pulled(1), "syntax", settings={"time": {"cell_s": 4.0}}),
    "ends its process": Planted(file("import os\nos._exit(0)"), pulled(1), "syntax"),
    "forks": Planted(file("import os\nos.fork()"), pulled(1), "syntax"),
    "starts a program": Planted(file("import subprocess\nsubprocess.run(['true'])"), pulled(1), "syntax"),
    "writes a file": Planted(file("open('/tmp/was-here', 'w').write('x')"), pulled(1), "syntax"),
    "writes a table": Planted(file("bars.to_parquet('/tmp/was-here')"), pulled(1), "syntax"),
    "reads a file": Planted(file("open('/etc/passwd').read()"), pulled(1), "syntax"),
    "connects": Planted(file("import socket\nsocket.create_connection(('127.0.0.1', 80))"), pulled(1), "syntax"),
    "takes all memory": Planted(file("bytearray(10**12)"), pulled(1), "syntax"),
    "returns no table": Planted(file("return None"), pulled(1), "syntax"),
    "returns fewer rows": Planted(file("return pd.DataFrame({'entry': score < -1, 'exit': score > 0})[5:]"), pulled(1),
                                  "syntax"),
    "returns numbers": Planted(file("", entry="score"), pulled(1), "syntax"),
    "returns no exit": Planted(file("return pd.DataFrame({'entry': score < -1})"), pulled(1), "syntax"),
    # look-ahead
    "reads the next bar": Planted(file("score = score.shift(-1)"), pulled(1), "unit_tests"),
    "a centred window": Planted(
        file("score = bars['close'] / bars['close'].rolling(9, center=True).mean() - 1", entry="score < -0.005"),
        pulled(1), "unit_tests",
    ),
    "the mean of everything": Planted(
        file("score = (bars['close'] - bars['close'].mean()) / bars['close'].std()"), pulled(1), "unit_tests"
    ),
    "fills from behind": Planted(file("score = score.where(score < -1.5).bfill()"), pulled(1), "unit_tests"),
    "a coarser bar too early": Planted(
        file("hour = bars['close'].resample('1h').last().reindex(bars.index, method='ffill')\n"
             "score = (bars['close'] - hour) / hour", entry="score < -0.003", exits="score >= 0"),
        pulled(1), "unit_tests",
    ),
    "a join with the future": Planted(
        file("late = bars[['close']].shift(-4).rename(columns={'close': 'later'})\n"
             "score = (bars['close'] / bars.join(late)['later'] - 1) * 100"), pulled(1), "unit_tests",
    ),
    "looks at the last row": Planted(
        file("score = score + (bars['close'] < bars['close'].iloc[-1]) * 0.5"), pulled(1), "unit_tests"
    ),
    "looks at the length": Planted(file("score = score + (len(bars) % 7 == 0)"), pulled(1), "unit_tests"),
    # it does not say the same twice
    "a clock": Planted(file("import time\nscore = score + (time.time_ns() % 1000) / 500"), pulled(1), "unit_tests"),
    "chance": Planted(file("score = score + np.random.default_rng().normal(0, 0.5, len(score))"), pulled(1),
                      "unit_tests"),
    "the order of a set": Planted(
        file("first = list({'close', 'open', 'high', 'low'})[0]\nscore = (bars[first] - mean) / spread"), pulled(1),
        "unit_tests",
    ),
    "counts its calls": Planted(file("calls.append(1)\nscore = score + 0.2 * len(calls)", before="calls = []"),
                                pulled(1), "unit_tests"),
    "keeps what it has seen": Planted(
        file("seen.update(bars.index[-3:])\nscore = score - bars.index.isin(list(seen)) * 1.0", before="seen = set()"),
        pulled(1), "unit_tests",
    ),
    # orders while warming up
    "enters while it warms up": Planted(
        file("", entry="~(score > -1)"), pulled(1), "unit_tests"
    ),
    "fills what is missing": Planted(file("score = score.fillna(-9)"), pulled(1), "unit_tests"),
    # money
    "a function without an edge": Planted(file(""), walked(9), "backtest"),
    "a function whose edge is its costs": Planted(file("", entry="score < -0.3"), pulled(2, noise=0.0012), "backtest"),
    "a function without costs": Planted(file(""), pulled(1), "backtest", costs=none()),
    "a function that never enters": Planted(file("", entry="score < -99"), pulled(1), "backtest"),
    "a function in sample only": Planted(
        file(""), pulled(31, begin="2021-01-01", end="2022-12-31", until_frac=0.75), "performance"
    ),
    # it trades on paper otherwise than in the backtest, and only on the bars held out
    "looks at the last row, later": Planted(
        file(f"{LATE}\nscore = score.where(~late, score + (bars['close'] < bars['close'].iloc[-1]) * 0.5)"), pulled(1),
        "paper",
    ),
    "reads the next bar, later": Planted(file(f"{LATE}\nscore = score.where(~late, score.shift(-1))"), pulled(1),
                                         "paper"),
}  # fmt: skip
