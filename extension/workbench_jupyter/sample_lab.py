"""``make lab``: JupyterLab with something to see. Made-up bars are replayed to deployments called ``sample-...``.

Everything of it is in a home folder of its own, so that nothing of a person's own work is touched or mixed with it; the
names say what it is. The market is one that never closes, so that something happens every few seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import workbench as wb

#: Sessions of the made-up bars: the first are known when it begins, the others are replayed for a day on the wall.
_FIRST, _KNOWN, _REPLAYED, _LAST = "2023-01-01", "2023-01-07", "2023-01-08", "2023-03-07"
#: Virtual seconds a second: a bar of five minutes every five seconds.
_SPEED = 60
_CALENDAR, _SYMBOLS = "24x7", ("SAMPLE1", "SAMPLE2")
_TOLD = """\
Made-up bars are replayed, one every five seconds, and traded on paper; everything of it is in {folder}.
Nothing of it is yours, and nothing of yours is touched: for your own work run jupyter lab in your own folder.
"""


def main(arguments: Sequence[str]) -> None:
    """Become JupyterLab: ``FOLDER NOTEBOOKS [options of jupyter lab]``."""
    folder, notebooks, *options = arguments
    home = Path(folder).absolute()
    os.environ["WORKBENCH_HOME"] = str(home)
    bars, database = home / "bars", home / "workbench.db"
    save(bars)
    deploy(database, bars)
    sys.stdout.write(_TOLD.format(folder=folder))
    sys.stdout.flush()
    feed = f"--replay-from {_REPLAYED} --bars '{bars}' --speed {_SPEED}"
    settings = [f"--WorkbenchApp.{name}={value}" for name, value in (("database", database), ("feed", feed))]
    command = [sys.executable, "-m", "jupyter", "lab", notebooks, "--WorkbenchApp.runner=hosted", *settings, *options]
    os.execv(sys.executable, command)  # noqa: S606 - it is this interpreter, and no shell


def save(folder: Path) -> None:
    """Write the made-up bars; files that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, symbol in enumerate(_SYMBOLS, 1):
        path = folder / f"{symbol}_5m.parquet"
        if not path.exists():
            bars = wb.samples.synthetic(seed, _FIRST, _LAST, "5m", _CALENDAR)
            bars.frame.reset_index().to_parquet(path)


def deploy(database: Path, folder: Path) -> None:
    """Deploy what is not deployed yet; what is goes on where it stood."""
    with wb.Client.open(database) as client:
        there = set(client.deployments()["name"])
        for strategy in (one for one in strategies() if one.name not in there):
            (instrument,) = strategy.instruments
            path = folder / f"{instrument.partition(':')[2]}_5m.parquet"
            known = wb.read_bars(path, "5m", _CALENDAR).between(_FIRST, _KNOWN)
            client.deploy(strategy, known, wb.costs.bps(1.0, 1.0), 1_000_000.0)


def strategies() -> list[wb.Strategy]:
    """What trades: none of it can earn anything on bars that are made up."""
    one, other = (f"{_CALENDAR}:{symbol}" for symbol in _SYMBOLS)
    dip = wb.Strategy(
        name="sample-dip", version="1.0.0", instruments=(one,), timeframe="15m", calendar=_CALENDAR, product="CNC",
        entry="RSI(6) < 35", exit="RSI(6) > 60", sizing=wb.PercentOfEquity(0.5), stop_loss_frac=0.02,
    )  # fmt: skip
    trend = dip.replace(
        name="sample-trend", instruments=(other,), entry="SMA(8) > SMA(24)", exit="SMA(8) < SMA(24)",
        stop_loss_frac=0.04,
    )  # fmt: skip
    breakout = dip.replace(
        name="sample-breakout", instruments=(other,), timeframe="5m", entry="close > LAG(HIGHEST(high, 12), 1)",
        exit="close < LAG(LOWEST(low, 12), 1)", stop_loss_frac=0.01, take_profit_frac=0.02,
    )  # fmt: skip
    return [dip, trend, breakout]


if __name__ == "__main__":
    main(sys.argv[1:])
