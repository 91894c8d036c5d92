"""A sweep file says what ``wb.sweep`` is told."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from workbench.research.sweep.file import Plan, plan_of


def read(tmp_path: Path, text: str) -> Plan:
    """The plan of a file with this text."""
    path = tmp_path / "sweep.toml"
    path.write_text(text, encoding="utf-8")
    return plan_of(path)


def test_every_setting_is_read(tmp_path: Path) -> None:
    plan = read(
        tmp_path,
        'rank_by = "-volatility_ann"\nwhere = "fast < slow"\nsample = 7\nmethod = "latin_hypercube"\nseed = 3\n'
        'statistics = ["n_trades"]\n[parameters]\nfast = [5, 10]\nslow = [20]\n',
    )
    assert plan.parameters == {"fast": [5, 10], "slow": [20]}
    assert plan.rank_by == "-volatility_ann"
    assert plan.settings == {
        "where": "fast < slow", "sample": 7, "method": "latin_hypercube", "seed": 3, "statistics": ["n_trades"],
    }  # fmt: skip


def test_what_is_left_out_has_the_defaults_of_a_sweep(tmp_path: Path) -> None:
    plan = read(tmp_path, "[parameters]\nn = [1]\n")
    assert (plan.rank_by, plan.settings) == ("sharpe_ann", {})


def test_ranges_have_both_ends_and_the_decimals_that_are_written(tmp_path: Path) -> None:
    plan = read(
        tmp_path,
        "[parameters]\na = { from = 50, to = 170, step = 60 }\nb = { from = 0.1, to = 0.5, step = 0.1 }\n"
        "c = { from = 1, to = 2.4, step = 0.5 }\nd = { from = 7, to = 7, step = 1 }\n",
    )
    assert plan.parameters["a"] == [50, 110, 170]
    assert all(isinstance(value, int) for value in plan.parameters["a"])
    assert plan.parameters["b"] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert plan.parameters["c"] == [1.0, 1.5, 2.0]
    assert plan.parameters["d"] == [7]


def test_N3_fields_are_read_as_in_a_strategy_file(tmp_path: Path) -> None:
    plan = read(
        tmp_path,
        '[parameters]\nstop_loss_frac = ["off", 0.02]\nentry_window = [["09:30", "10:30"], "off"]\n'
        'sizing = [{ policy = "FixedQty", qty = 5 }, { policy = "PercentOfEquity", frac = 0.5 }]\n',
    )
    assert plan.parameters["stop_loss_frac"] == [None, 0.02]
    assert plan.parameters["entry_window"] == [("09:30", "10:30"), None]
    assert plan.parameters["sizing"] == [wb.FixedQty(5), wb.PercentOfEquity(0.5)]


@pytest.mark.parametrize("text", ["sizing.frac = [0.1, 0.2]", '"sizing.frac" = [0.1, 0.2]'])
def test_a_setting_of_the_sizing_may_be_quoted_or_not(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"[parameters]\n{text}\n").parameters == {"sizing.frac": [0.1, 0.2]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rank_by = [", "not valid TOML"),
        ("", r"no table \[parameters\]"),
        ("[parameters]", r"no table \[parameters\]"),
        ("parameters = 5", "parameters is 5; a table"),
        ("rank = 'x'\n[parameters]\nn = [1]", "rank is unknown; did you mean 'rank_by'"),
        ("sample = true\n[parameters]\nn = [1]", "sample is True; a whole number"),
        ("where = 3\n[parameters]\nn = [1]", "where is 3; a text"),
        ("[parameters]\nn = 5", "parameters.n is 5; a list is asked"),
        ("[parameters]\nn = { from = 1, to = 5 }", "parameters.n has from, to and step"),
        ("[parameters]\nn = { from = 1, to = 5, step = 1, by = 2 }", "parameters.n has from, to and step"),
        ("[parameters]\nn = { from = 1, to = 5, step = 0 }", "in steps above 0"),
        ("[parameters]\nn = { from = 5, to = 1, step = 1 }", "in steps above 0"),
        ("[parameters]\nn = { from = 1, to = inf, step = 1 }", "in steps above 0"),
        ("[parameters]\nn = { from = 1, to = 'b', step = 1 }", r"parameters.n.to is 'b'; a number"),
        ("[parameters]\nn = { from = 0, to = 1000000, step = 0.001 }", "1,000,000,001 values"),
        ("[parameters]\nsizing = [{ policy = 'Half' }]", "sizing.policy is 'Half'"),
    ],
)
def test_what_is_wrong_is_refused_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(wb.ConfigError, match=rf"(?s)sweep\.toml: .*{said}"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text("")
    with pytest.raises(wb.ConfigError, match=r"sweeps\.toml: there is no such file; beside it there is sweep\.toml"):
        plan_of(tmp_path / "sweeps.toml")
