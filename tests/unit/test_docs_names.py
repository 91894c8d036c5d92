"""The documentation names only what there is, and leaves out no setting, column or statistic."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import typer.main

import workbench as wb
from tests.pages import ROOT
from workbench.cli import app
from workbench.schema import Decision, Reason
from workbench.strategy.sizing import POLICIES

PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
         for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))}  # fmt: skip


def attribute(path: str) -> Any:
    """What ``wb.a.b`` is; AttributeError when it is nothing."""
    found: Any = wb
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_the_package_exists(page: str) -> None:
    wrong = []
    for path in set(re.findall(r"\bwb\.(\w+(?:\.\w+)?)", PAGES[page])):
        try:
            attribute(path)
        except AttributeError:
            wrong.append(path)
    assert not wrong


def test_every_command_exists() -> None:
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for text in PAGES.values():
        for name, below in re.findall(r"[`$] ?workbench ([a-z]+)(?: ([a-z]+)\b)?", text):
            assert name in commands, name
            inner = getattr(commands[name], "commands", None)
            assert inner is None or not below or below in inner, f"{name} {below}"


def test_every_test_that_is_named_exists() -> None:
    named = {path for text in PAGES.values() for path in re.findall(r"\btests/[\w/]+\.py", text)}
    assert len(named) > 5
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_N3_every_setting_of_a_strategy_is_described() -> None:
    page = PAGES["docs/strategies.md"]
    described = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (.*?) \|", page, flags=re.MULTILINE))))
    assert {field.name for field in dataclasses.fields(wb.Strategy)} - described == set()
    assert {policy for policy in POLICIES if policy not in page} == set()


def test_N5_every_column_is_described() -> None:
    bars = wb.samples.synthetic(seed=1, start="2024-01-01", end="2024-01-05")
    strategy = wb.Strategy(
        name="columns", version="1.0.0", instruments=("NSE:DEMO",), timeframe="5m", calendar="NSE", product="MIS",
        entry="close > open", exit="close < open",
    )  # fmt: skip
    result = wb.backtest(strategy, bars, initial_cash=100_000)
    page = PAGES["docs/results.md"]
    tables = (result.trades, result.fills, result.orders, result.decisions, result.equity, result.notes)
    words = set(re.findall(r"\w+", page))
    assert {column for table in tables for column in table.columns if column not in words} == set()
    assert {name for name in result.stats if name not in words} == set()


def test_D4_D9_every_reason_and_decision_is_described() -> None:
    words = set(re.findall(r"\w+", PAGES["docs/results.md"]))
    assert {reason.name for reason in Reason if reason.name not in words | {"NONE"}} == set()
    short = {decision.name.removeprefix("BLOCKED_") for decision in Decision} - {"NONE", "WORKING_ORDER"}
    assert short - words == set()
