"""Figures of a sweep: every set in its place, numbers as they would be typed, readable on white and in the dark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.research.sweep.figures import AREAS, LINE_SCALE

BARS = wb.samples.stock("AAPL").between("2005-01-03", "2006-12-29")
STRATEGY = wb.Strategy(
    name="cross", version="1.0.0", instruments=("XNYS:AAPL",), timeframe="1d", calendar="XNYS", product="CNC",
    entry="SMA(close, $fast) > SMA(close, $slow)", exit="SMA(close, $fast) < SMA(close, $slow)",
    params={"fast": 5, "slow": 20},
)  # fmt: skip


def sweep(parameters: Any, rank_by: str = "sharpe_ann", **settings: Any) -> wb.Sweep:
    """A small sweep that keeps nothing."""
    return wb.sweep(STRATEGY, BARS, parameters, rank_by, keep=False, progress=False, **settings)


def contrast(colour: str, page: str) -> float:
    """Contrast of two colours ``#rrggbb`` (WCAG 2.1)."""

    def luminance(text: str) -> float:
        parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(colour), luminance(page)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture(scope="module")
def found() -> wb.Sweep:
    """Three parameters, one of them off or not."""
    return sweep({"fast": [10, 5, 20], "slow": [20, 100], "stop_loss_frac": [None, 0.05]}, where="fast < slow")


def test_each_cell_is_the_best_set_of_its_place(found: wb.Sweep) -> None:
    figure = found.heatmap()
    cells = figure.data[0]
    assert (list(cells.x), list(cells.y)) == (["5", "10", "20"], ["20", "100"])
    table = found.table
    for i, fast in enumerate((5, 10, 20)):
        for j, slow in enumerate((20, 100)):
            there = table[(table["fast"] == fast) & (table["slow"] == slow)]["sharpe_ann"]
            assert cells.z[j][i] == there.max() or (there.empty and np.isnan(cells.z[j][i]))
    assert figure.layout.annotations[0].text == (
        "<b>Sharpe ratio</b> by fast and slow; of several sets at one place the best"
    )
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("fast", "slow")
    assert figure.layout.yaxis.side == "left", "the colour bar stands at the right"


def test_a_setting_that_is_off_has_a_place(found: wb.Sweep) -> None:
    cells = found.heatmap("stop_loss_frac", "slow").data[0]
    assert list(cells.x) == ["off", "0.05"]
    assert np.isfinite(cells.z).all()
    axis = found.parallel().data[0].dimensions[2]
    assert (axis.label, list(axis.ticktext)) == ("stop_loss_frac", ["off", "0.05"])
    assert np.isfinite(axis["values"]).all(), "a line through a missing value is not drawn"


def test_one_axis_given_the_other_is_another(found: wb.Sweep) -> None:
    assert found.heatmap(y="fast").layout.xaxis.title.text == "slow"
    assert found.heatmap(x="slow").layout.yaxis.title.text == "fast"


def test_lines_are_the_table_and_the_best_is_on_top(found: wb.Sweep) -> None:
    lines = found.parallel().data[0]
    table = found.table.iloc[::-1]
    assert [axis.label for axis in lines.dimensions] == ["fast", "slow", "stop_loss_frac", "Sharpe ratio"]
    assert np.array_equal(lines.dimensions[0]["values"], table["fast"].to_numpy(float))
    assert np.array_equal(lines.line.color, table["sharpe_ann"])
    assert lines.line.color[-1] == found.table["sharpe_ann"].iloc[0]


def test_whole_numbers_have_no_decimals() -> None:
    found = sweep({"fast": range(2, 18), "slow": [20, 50]}, rank_by="n_trades")
    lines = found.parallel().data[0]
    assert lines.dimensions[0].tickformat == ",d"
    assert list(lines.dimensions[1].ticktext) == ["20", "50"]
    assert lines.dimensions[2].tickformat == ",d"
    assert found.heatmap().data[0].colorbar.tickformat == ",d"
    few = sweep({"fast": [5], "slow": [20, 700]}, rank_by="n_open_trades").heatmap().data[0].colorbar
    assert few.dtick == 1


def test_fractions_are_percent() -> None:
    cells = sweep({"fast": [5, 9], "slow": [20, 50]}, "max_drawdown_frac").heatmap().data[0]
    assert cells.colorbar.tickformat == ".2~%"
    assert "%{z:.2~%}" in cells.hovertemplate


def test_where_less_is_better_the_least_has_the_colour_of_the_best() -> None:
    assert sweep({"fast": [5, 9]}, "-volatility_ann").parallel().data[0].line.reversescale is True
    assert not sweep({"fast": [5, 9]}, "volatility_ann").parallel().data[0].line.reversescale


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_R1_lines_and_cells_stand_out_from_the_page(page: str) -> None:
    assert min(contrast(colour, page) for _, colour in LINE_SCALE) >= 2.9
    assert min(contrast(colour, page) for colour in AREAS) >= 1.7
