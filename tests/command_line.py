"""Runs the command line inside the test's process, and makes small files for it to read."""

from __future__ import annotations

import pathlib
from functools import cache
from typing import Any

from typer.testing import CliRunner

from workbench.cli import app
from workbench.market.bars import Bars
from workbench.market.samples import synthetic

STRATEGY = """\
name = "dip"
version = "1.0.0"
instruments = [{instruments}]
timeframe = "15m"
calendar = "NSE"
product = "{product}"
entry = "RSI(5) < 45"
exit = "RSI(5) > 55"
"""


def run(*args: object) -> Any:
    """Run ``workbench`` with arguments; the outcome has ``exit_code``, ``stdout``, ``stderr`` and ``output`` (both)."""
    return CliRunner().invoke(app, [str(arg) for arg in args], prog_name="workbench")


def expect(code: int, *args: object) -> str:
    """What ``workbench`` prints, which ends with that exit code; never a traceback."""
    outcome = run(*args)
    assert outcome.exit_code == code, outcome.output
    assert "Traceback" not in outcome.output
    return str(outcome.output)


@cache
def made_up(seed: int = 1, timeframe: str = "5m", end: str = "2023-01-20") -> Bars:
    """Synthetic NSE bars of January 2023."""
    return synthetic(seed, "2023-01-02", end, timeframe)


def write_csv(path: pathlib.Path, bars: Bars) -> pathlib.Path:
    """Bars as a CSV with instants in UTC."""
    bars.frame.to_csv(path)
    return path


def write_parquet(path: pathlib.Path, bars: Bars) -> pathlib.Path:
    """Bars as a Parquet file."""
    bars.frame.reset_index().to_parquet(path)
    return path


def write_strategy(folder: pathlib.Path, *instruments: str, product: str = "MIS", more: str = "") -> pathlib.Path:
    """A strategy file that trades often."""
    path = folder / "dip.toml"
    named = ", ".join(f'"{name}"' for name in instruments or ("NSE:AAA",))
    path.write_text(STRATEGY.format(instruments=named, product=product) + more)
    return path
