"""Equity in a notebook: its points are those of the database, what comes is added, and news are answered one by one."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.operated import Operated, folder
from workbench.errors import ConfigError
from workbench.panels import curve
from workbench.panels.account import EquityPanel
from workbench.panels.curve import Curve

__all__ = ["folder"]


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment, in its first position."""
    operated = Operated(folder)
    operated.deploy()
    operated.start().run_to_position()
    return operated


class Answers:
    """What the kernel says to the page."""

    def __init__(self, panel: EquityPanel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[Any] = []
        monkeypatch.setattr(panel.relay, "send", lambda content, buffers=None: self.said.append(content))


def tell(panel: EquityPanel) -> None:
    """The page says that the deployment changed."""
    panel.relay._handle_custom_msg({"seq": 7}, [])


def times(trace: Any) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(trace.x).tz_localize("Asia/Kolkata").tz_convert("UTC")


def test_the_figure_shows_what_the_database_holds(desk: Operated) -> None:
    desk.run()
    panel = wb.panels.equity("dip", desk.client)
    equity, entries, exits, drawdown = panel.figure.data
    frame, fills = desk.client.equity("dip"), desk.client.fills("dip")
    assert list(times(equity)) == list(frame.index) and len(frame) > 100
    np.testing.assert_array_equal(equity.y, frame["equity"])
    np.testing.assert_array_equal(drawdown.y, frame["drawdown_frac"])
    entered = fills[fills["reason"] == "ENTRY_SIGNAL"]
    assert len(entries.x) == len(entered) > 3
    assert len(exits.x) == len(fills) - len(entered)
    first = int(np.searchsorted(frame.index, entered["ts"].iloc[0]))
    assert times(entries)[0] == frame.index[first] and entries.y[0] == frame["equity"].iloc[first]
    assert entries.text[0].startswith("buy ") and entries.text[0].endswith(": ENTRY_SIGNAL")


def test_news_add_what_is_new_and_are_answered(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = wb.panels.equity("dip", desk.client)
    answers = Answers(panel, monkeypatch)
    before = len(panel.figure.data[0].x)
    desk.run()
    assert panel.curve.read(desk.client) == len(desk.client.equity("dip")) - before
    tell(panel)
    assert list(times(panel.figure.data[0])) == list(desk.client.equity("dip").index)
    np.testing.assert_array_equal(panel.figure.data[3].y, desk.client.equity("dip")["drawdown_frac"])
    assert len(panel.figure.data[1].x) + len(panel.figure.data[2].x) == len(desk.client.fills("dip"))
    assert answers.said == [{"is_drawn": True}]
    assert panel.refresh() == 0, "nothing is read twice"


def test_only_what_is_new_is_read(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = wb.panels.equity("dip", desk.client)
    monkeypatch.setattr(desk.client, "equity", lambda name: pytest.fail(f"all of {name} was read again"))
    desk.run()
    assert panel.refresh() > 50


def test_a_database_that_is_away_is_said_and_the_page_is_answered(
    desk: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = wb.panels.equity("dip", desk.client)
    answers = Answers(panel, monkeypatch)

    def away(_client: object) -> int:
        raise ConfigError("the disk is away")

    monkeypatch.setattr(panel.curve, "read", away)
    tell(panel)
    assert "the disk is away" in panel.said.value and answers.said == [{"is_drawn": True}]
    monkeypatch.undo()
    panel.refresh()
    assert len(panel.figure.data[0].x) > 0


def test_before_the_first_point_it_says_so(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    panel = wb.panels.equity("dip", desk.client)
    assert "No point yet" in panel.said.value and len(panel.figure.data[0].x) == 0
    desk.start().run()
    assert panel.refresh() > 100
    assert panel.said.value == ""


def test_there_is_none_of_what_does_not_exist(desk: Operated) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'dip'"):
        wb.panels.equity("dap", desk.client)


def test_a_long_run_is_thinned_without_losing_its_extremes(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run()
    monkeypatch.setattr(curve, "POINTS", 40)
    found = Curve(desk.client, "dip")
    whole = desk.client.equity("dip")["equity"]
    x, y = found.line(found.equity)
    assert len(x) == len(y) <= 40 < len(whole)
    assert (y.min(), y.max()) == (whole.min(), whole.max())
    assert found.breaks()[0]["bounds"] == ["sat", "mon"]


def test_where_no_widget_runs_the_figure_is_there_with_its_time(desk: Operated) -> None:
    panel = wb.panels.equity("dip", desk.client)
    data = panel._repr_mimebundle_()
    drawn = json.loads(json.dumps(data["application/vnd.plotly.v1+json"]))
    assert len(drawn["data"]) == 4
    assert f"not live here; shown is {panel.relay.at}" in json.dumps(drawn["layout"])
    assert "application/vnd.jupyter.widget-view+json" in data
