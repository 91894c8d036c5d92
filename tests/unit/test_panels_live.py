"""Panels that look: what the page is told, what is shown where nothing is live, and that nothing is left open."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

import workbench as wb
from tests.operated import CASH, COSTS, Operated, folder, strategy
from tests.page import Page
from workbench.errors import ConfigError
from workbench.journal.store import Store
from workbench.panels.live import LivePanel, script, stylesheet
from workbench.panels.shown import Table, html_of

__all__ = ["folder"]

EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script>"


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """Two deployments that hold something."""
    operated = Operated(folder)
    operated.deploy("one")
    operated.deploy("two")
    operated.start().run_to_position("one")
    return operated


def still(panel: LivePanel) -> str:
    """What a page shows that runs no widgets."""
    data: dict[str, Any] = panel._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in data
    text: str = data["text/html"]
    return text


def test_deployments_are_a_table_where_nothing_is_live(desk: Operated) -> None:
    panel = wb.panels.deployments(desk.client)
    rows = {row[0]: row for row in panel.rows}
    line = dict(zip(panel.columns, rows["one"], strict=True))
    assert list(rows) == ["one", "two"] and panel.names == ["one", "two"]
    assert line["status"] == "RUNNING" and line["state"] == "IN_POSITION" and "NSE:AAA" in line["position"]
    assert line["last evaluation"].startswith("2023-01-10 ") and line["mode"] == "paper"
    assert f"not live here; shown is {panel.at}" in still(panel)
    assert "NSE:AAA" in still(panel)
    assert panel.at.endswith("Z") and (panel.what, panel.name) == ("deployments", "")


def test_what_is_not_evaluated_is_not_said_to_run(desk: Operated) -> None:
    desk.lease.release()
    panel = wb.panels.deployments(desk.client)
    line = dict(zip(panel.columns, panel.rows[0], strict=True))
    assert line["status"] == "NOT EVALUATED" and line["not evaluated"] == "no runner is running"


def test_a_journal_and_an_exposure(desk: Operated) -> None:
    panel = wb.panels.journal("one", desk.client)
    newest = int(desk.client.journal("one", limit=1)["seq"].iloc[0])
    assert panel.rows[0][0] == str(newest) and len(panel.rows) <= 50
    assert (panel.what, panel.name, panel.title) == ("journal", "one", "Journal of one")
    exposure = wb.panels.exposure(desk.client)
    assert exposure.rows[0][0] == "NSE:AAA" and exposure.rows[0][3] == "one, two"
    assert exposure.what == "exposure" and "<th" in still(exposure)


def test_the_journal_of_nothing_is_refused(desk: Operated) -> None:
    with pytest.raises(ConfigError, match="there is no deployment 'three'"):
        wb.panels.journal("three", desk.client)


def test_nothing_there_says_what_to_do(folder: pathlib.Path) -> None:
    client = Operated(folder).client
    assert "wb.panels.deploy(result)" in still(wb.panels.deployments(client))
    assert "Nothing is held." in still(wb.panels.exposure(client))
    assert "Nothing is deployed yet" in wb.panels.deployments(client)._repr_mimebundle_()[0]["text/plain"]


def test_text_is_escaped(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.client.deploy(strategy(), desk.data, COSTS, CASH, name=EVIL)
    panel = wb.panels.deployments(desk.client)
    assert panel.rows[0][0] == EVIL, "the page sets it as text"
    assert Page(still(panel)).scripts == [] and "<img" not in still(panel)
    table = Table(EVIL, (EVIL, "b"), [[EVIL, "1"]], (1,), EVIL)
    for one in (table, table._replace(rows=[])):
        assert "<img" not in html_of(one, EVIL) and "&lt;img" in html_of(one, EVIL)


def test_the_default_database_is_closed_again(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Operated(folder)
    desk.deploy("one")
    monkeypatch.setenv("WORKBENCH_DATABASE", str(folder / "w.db"))
    closed, close = list[Store](), Store.close

    def counted(store: Store) -> None:
        closed.append(store)
        close(store)

    monkeypatch.setattr(Store, "close", counted)
    panels = [wb.panels.deployments(), wb.panels.exposure(), wb.panels.journal("one"), wb.panels.equity("one")]
    assert len(panels) == len(closed) == 4
    assert "w.db" in panels[0].database
    wb.panels.deployments(desk.client)
    assert len(closed) == 4, "a client that is given stays open"


def test_scripts_are_handed_over_as_text() -> None:
    """Of a script that it is given as a file anywidget keeps the widget for ever."""
    assert type(LivePanel._esm) is str and type(LivePanel._css) is str
    assert "export default" in script("panel.js") and "serverOf" in script("relay.js")
    assert "innerHTML" not in script("panel.js") + script("relay.js"), "all text is set as text"
    assert ".wbn" in stylesheet()


def test_a_panel_that_is_closed_has_no_line_to_the_page(desk: Operated) -> None:
    panel = wb.panels.deployments(desk.client)
    assert panel.comm is not None
    panel.close()
    assert panel.comm is None
