"""The shipped example on real EUR_USD: what the page says came out comes out."""

from __future__ import annotations

import ast
import re
from typing import Any

import nbformat
import pytest

import workbench as wb
from tests.tidy.source import ROOT

PAGE = (ROOT / "docs" / "staged-search.md").read_text(encoding="utf-8")
#: The notebook's names for one timeframe after the other, and those of the same protocol one step coarser.
COARSER = {"4h": "1d", "1h": "4h", "5m": "1h"}


def of_notebook(coarser: bool = False) -> dict[str, Any]:
    """The strategy and the stages that the notebook makes, by running the cells that make them."""
    names: dict[str, Any] = {"wb": wb}
    for cell in nbformat.read(ROOT / "notebooks" / "04_staged_search.ipynb", as_version=4).cells:
        if cell.cell_type == "code" and ("score = " in cell.source or "stages = " in cell.source):
            text = cell.source[: cell.source.find("found = ")] if "found = " in cell.source else cell.source
            if coarser:
                text = re.sub("|".join(COARSER), lambda found: COARSER[found[0]], text)
            exec(compile(ast.parse(text), "notebook", "exec"), names)
    return names


def row_of(found: wb.StagedSearch) -> list[str]:
    """What the page's table should say of it."""
    split, outside = found.split, found.out_of_sample_significance.sharpe_ann
    assert outside is not None
    ends = [f"{day.day} {day:%B %Y}" for day in (split.in_sample_end, split.out_of_sample_end)]
    figures = (found.in_sample.stats["sharpe_ann"], outside.value, outside.low, outside.high)
    inside, value, low, high = (f"{figure:.2f}".replace("-", "−") for figure in figures)
    return [
        f"{split.n_in_sample:,} sessions to {ends[0]}", f"{split.n_out_of_sample} to {ends[1]}", str(found.n_trials),
        str(found.n_distinct), inside, value, f"{low} to {high}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "timeframes", "coarser"),
    [("fx/EUR_USD_5m", "5m, 1h, 4h", False), ("fx/EURUSD_LEAN_1h", "1h, 4h, 1d", True)],
)
def test_the_example_on_real_bars_gives_what_the_page_says(
    real_bars: Any, name: str, timeframes: str, coarser: bool
) -> None:
    made = of_notebook(coarser)
    assert made["strategy"].timeframe == timeframes.split(",", maxsplit=1)[0]
    bars = real_bars(name, repair="drop")
    found = wb.staged_search(
        made["strategy"], bars, made["stages"], costs=made["costs"], keep=False, progress=False
    )  # fmt: skip
    assert f"| {timeframes} | {' | '.join(row_of(found))} |" in PAGE
    assert found.verdict.startswith("No finding")
    assert not found.held
    scores = [stage.score for stage in found.stages]
    assert scores == sorted(scores)
    if not coarser:
        expected = found.in_sample_significance.expected_best_sharpe_ann
        said = f"from {scores[0]:.2f} to {scores[-1]:.2f}, and none of it is left; the best"
        assert said in PAGE
        assert f"is expected to show {expected:.2f}" in PAGE
