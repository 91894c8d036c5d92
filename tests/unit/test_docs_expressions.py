"""The language reference is what the registry says, and its tables of values are what the compiler computes."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.pages import ROOT
from workbench.expressions.syntax import KEYWORDS
from workbench.indicators import registry
from workbench.research.reference import EXCEPTIONS, expression_reference

PAGE = (ROOT / "docs" / "expressions.md").read_text(encoding="utf-8")
CONSTANTS = {"true": "2 > 1", "false": "1 > 2", "missing": "1 / 0 > 0"}
WRITTEN = {"true": 1.0, "false": 0.0, "missing": float("nan")}


def rows_below(heading: str) -> list[list[str]]:
    """Cells of every table of the page with that first row."""
    found = []
    for body in re.findall(rf"^{re.escape(heading)}\n\|[-|]+\n((?:\|.*\n)+)", PAGE, flags=re.MULTILINE):
        found += [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines()]
    return found


def value_of(expression: str) -> float:
    """Value of an expression that reads no bars."""
    index = pd.date_range("2024-01-15", periods=3, tz="UTC", name="ts")
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), 10.0), index=index)
    return float(wb.evaluate(expression, wb.Bars(frame, "1d", calendar="24x7")).iloc[-1])


def test_the_reference_is_what_the_registry_says() -> None:
    assert expression_reference() == PAGE, "python -m workbench.research.reference > docs/expressions.md"


def test_every_name_of_the_language_is_on_the_page() -> None:
    words = set(re.findall(r"\w+", PAGE))
    assert {name for name in (*registry.names(), *KEYWORDS) if name not in words} == set()


def test_exceptions_name_functions() -> None:
    assert {name for name in EXCEPTIONS if registry.function(name) is None} == set()


@pytest.mark.parametrize(("expression", "written"), rows_below("| expression | value |"))
def test_E1_E4_E5_values_in_the_tables_are_those_of_the_compiler(expression: str, written: str) -> None:
    wanted = WRITTEN[written] if written in WRITTEN else float(written)
    np.testing.assert_equal(value_of(expression.strip("`")), wanted)


@pytest.mark.parametrize(("a", "b", "both", "either", "inverse"), rows_below("| a | b | a AND b | a OR b | NOT a |"))
def test_E4_the_truth_table_is_that_of_the_compiler(a: str, b: str, both: str, either: str, inverse: str) -> None:
    left, right = CONSTANTS[a], CONSTANTS[b]
    np.testing.assert_equal(value_of(f"{left} AND {right}"), WRITTEN[both])
    np.testing.assert_equal(value_of(f"{left} OR {right}"), WRITTEN[either])
    np.testing.assert_equal(value_of(f"NOT {left}"), WRITTEN[inverse])


def test_the_tables_are_read() -> None:
    assert len(rows_below("| expression | value |")) > 20
    assert len(rows_below("| a | b | a AND b | a OR b | NOT a |")) == 9
