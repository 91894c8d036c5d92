"""Panels in a notebook of a real JupyterLab: they fill, live while the kernel is busy, and close when they should."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest

from tests.browser.lab import CALENDAR, NAME, TOKEN, Lab, deployed, feed, serving
from tests.browser.screen import SHOTS
from workbench.live.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

EVIL = "<img src=x onerror=document.title='hurt'><script>document.title='hurt'</script>"

SETUP = f"""\
import workbench as wb
bars = wb.samples.synthetic(seed=1, start="2023-01-02", end="2023-01-09", calendar="{CALENDAR}")
strategy = wb.Strategy(
    name="rsi-dip", version="1.0.0", instruments=("{NAME}",), timeframe="15m", calendar="{CALENDAR}", product="MARGIN",
    entry="RSI($n) < 35", exit="RSI($n) > 60", params={{"n": 6}}, stop_loss_frac=0.01, daily_loss_limit_frac=0.02,
    margin_frac=0.5)
result = wb.backtest(strategy, bars, initial_cash=500_000, costs=wb.costs.bps(3, 1))
short = strategy.replace(name="fade", direction="SHORT", entry="RSI($n) > 65", exit="RSI($n) < 40")
"""
OTHER = """\
import pathlib
other = wb.Client.open(pathlib.Path("other.db"))
if len(other.deployments()) == 0:
    other.deploy(strategy, bars, wb.costs.none(), 1e5, name="elsewhere")
wb.panels.deployments(other)
"""
CELLS = {
    "setup": SETUP,
    "deployments": "wb.panels.deployments()",
    "exposure": "wb.panels.exposure()",
    "journal": "wb.panels.journal('dip')",
    "equity": "wb.panels.equity('dip')",
    "deploy": "wb.panels.deploy(result)",
    "short": "wb.panels.deploy(short, bars, start='at once')",
    "pid": "import os\nos.getpid()",
    "busy": "import time\ntime.sleep(600)",
    "other": OTHER,
    "evil": f"wb.panels.deploy(result, name={EVIL!r})",
}


#: The kernel of the notebook that is open.
KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"


class Notebook:
    """A notebook in a page of JupyterLab, and what its console complained of."""

    def __init__(self, browser: Any, lab: Lab) -> None:
        self.lab, self.complaints = lab, list[str]()
        root = lab.database.parent / "root"
        cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), root / "panels.ipynb")
        self.page = browser.new_page(viewport={"width": 1100, "height": 900})
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on("console", self._heard)
        self.page.goto(lab.page("lab/tree/panels.ipynb"))
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        self.page.wait_for_function(f"{KERNEL}?.status === 'idle'", timeout=60_000)
        self.page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self._complain(f"{message.text} {message.location}")

    def _complain(self, text: str) -> None:
        # JupyterLab says this of what it had asked a kernel that restarts.
        if "Canceled future for " not in text:
            self.complaints.append(text)

    def start(self, name: str) -> Any:
        """Run one cell, without waiting for it; its cell in the page."""
        at = list(CELLS).index(name)
        self.page.evaluate(
            """at => {
                const {content} = jupyterapp.shell.currentWidget;
                content.activeCellIndex = at;
                content.scrollToItem(at, 'start');
                jupyterapp.commands.execute('notebook:run-cell');
            }""",
            at,
        )
        return self.cell(name)

    def run(self, name: str, expected: str) -> Any:
        """Run one cell until something is in it."""
        cell = self.start(name)
        cell.locator(expected).first.wait_for(timeout=60_000)
        return cell

    def cell(self, name: str) -> Any:
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{list(CELLS).index(name)}']")

    def shot(self, name: str, cell: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(300)
        self.cell(cell).screenshot(path=SHOTS / f"notebook-{name}.png")

    def streams(self) -> int:
        """How many websockets the server has open."""
        asked = urllib.request.Request(
            f"{self.lab.url}workbench/api/health", headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            found: int = json.loads(answer.read())["streams"]
        return found

    def until(self, streams: int, timeout_s: float = 15.0) -> int:
        """Wait until so many are open; how many there are."""
        for _ in range(int(timeout_s * 10)):
            if self.streams() == streams:
                break
            self.page.wait_for_timeout(100)
        return self.streams()

    def kernel(self, verb: str) -> None:
        """Restart, interrupt or shut down, as the menu does it after it has asked."""
        call = "session?.shutdown()" if verb == "shutdown" else f"session?.kernel?.{verb}()"
        self.page.evaluate(f"jupyterapp.shell.currentWidget.sessionContext.{call}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server with two deployments. JupyterLab shows no sidebar: what is connected is connected by the notebook."""
    folder: pathlib.Path = tmp_path_factory.mktemp("lab")
    database, bars = deployed(folder, ("dip", "second"))
    with serving(folder, database, feed(bars)) as one:
        page = folder / "config" / "labconfig" / "page_config.json"
        off = ("workbench-lab:plugin", "@jupyterlab/apputils-extension:announcements")
        page.write_text(json.dumps({"disabledExtensions": dict.fromkeys(off, True)}))
        yield one


@pytest.fixture
def notebook(browser: Any, lab: Lab) -> Iterator[Notebook]:
    """A new page, with the first cell run."""
    one = Notebook(browser, lab)
    one.run("setup", ".jp-InputPrompt:has-text('[1]')")
    yield one
    one.kernel("shutdown")
    one.page.close()
    assert one.complaints == []


SHOWN = ".jp-OutputArea .wb-row[data-name=dip]"
CHANGED = f"before => document.querySelector('{SHOWN}').innerText !== before"


def test_panels_live_while_the_kernel_is_busy(notebook: Notebook) -> None:
    for name in ("deployments", "exposure", "journal"):
        notebook.run(name, ".wb-mounted")
    notebook.page.wait_for_selector(SHOWN)
    notebook.start("busy")
    notebook.page.wait_for_selector(".jp-NotebookPanel [data-status='busy']")
    before = notebook.page.locator(SHOWN).inner_text()
    rows = notebook.cell("journal").locator("tbody tr")
    count = rows.count()
    notebook.page.wait_for_function(CHANGED, arg=before, timeout=60_000)
    notebook.page.wait_for_function(
        "count => document.querySelectorAll('.jp-OutputArea .wb-journal tbody tr').length > count", arg=count,
        timeout=60_000,
    )  # fmt: skip
    assert notebook.page.locator(SHOWN).inner_text() != before and rows.count() > count
    assert notebook.streams() == 1, "panels of a page share a connection"
    for name in ("deployments", "exposure", "journal"):
        notebook.shot(name, name)
    notebook.kernel("interrupt")


def test_a_panel_closes_its_connection_when_its_cell_is_run_again(notebook: Notebook) -> None:
    assert notebook.until(0) == 0
    notebook.run("deployments", ".wb-row")
    for _ in range(3):
        notebook.run("deployments", ".wb-row")
        notebook.page.wait_for_function("document.querySelectorAll('.jp-OutputArea .wb-mounted').length === 1")
        assert notebook.until(1) == 1
    notebook.page.evaluate("jupyterapp.commands.execute('notebook:clear-cell-output')")
    assert notebook.until(0) == 0


@pytest.mark.parametrize("how", ["restart", "shutdown"])
def test_a_panel_closes_its_connection_when_the_kernel_ends(notebook: Notebook, how: str) -> None:
    cell = notebook.run("deployments", ".wb-row")
    notebook.run("equity", ".js-plotly-plot .scatterlayer")
    assert notebook.until(1) == 1
    notebook.kernel(how)
    cell.locator(".wbn-note:has-text('not live any more')").wait_for()
    assert notebook.until(0) == 0
    assert cell.locator(".wb-row").count() == 0 and cell.locator("td:text-is('dip')").count() == 1
    notebook.shot(f"kernel-{how}", "deployments")


def test_equity_grows(notebook: Notebook) -> None:
    notebook.run("equity", ".js-plotly-plot .scatterlayer .trace")
    first = notebook.page.evaluate(POINTS)
    notebook.page.wait_for_function(f"first => {POINTS} > first + 5", arg=first, timeout=60_000)
    assert notebook.page.evaluate(POINTS) > first
    notebook.shot("equity", "equity")


def test_a_kernel_that_does_not_answer_has_one_word_waiting(notebook: Notebook) -> None:
    notebook.run("equity", ".js-plotly-plot .scatterlayer .trace")
    pid = int(notebook.run("pid", ".jp-OutputArea-output pre").locator(".jp-OutputArea-output pre").inner_text())
    before = notebook.page.evaluate(POINTS)
    stand_still(pid, notebook.lab.database)
    try:
        notebook.page.evaluate(COUNT)
        with Client.open(notebook.lab.database) as client:
            seq = int(client.journal("dip", limit=1)["seq"].iloc[0])
            for _ in range(300):
                if int(client.journal("dip", limit=1)["seq"].iloc[0]) > seq + 5:
                    break
                notebook.page.wait_for_timeout(100)
            else:
                raise AssertionError("nothing happened that could be told")
        # None, when the one that waits was on its way before the kernel stood still.
        assert notebook.page.evaluate("window.sent") <= 1, "one word waits, whatever happens"
    finally:
        os.kill(pid, signal.SIGCONT)
    notebook.page.wait_for_function(f"before => {POINTS} > before + 5", arg=before, timeout=60_000)
    assert notebook.page.evaluate(POINTS) > before


def stand_still(pid: int, database: pathlib.Path) -> None:
    """Stop a process where it is not just reading: in a journal mode without WAL, who reads keeps writers out."""
    for _ in range(40):
        os.kill(pid, signal.SIGSTOP)
        with contextlib.closing(sqlite3.connect(database, timeout=2.0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.03)
                continue
            connection.execute("ROLLBACK")
            return
    raise AssertionError("it never stands still outside of the database")


#: How many points the figure has.
POINTS = "document.querySelector('.jp-OutputArea .js-plotly-plot').data[0].x.length"
#: Counts the words of news that the page sends to the kernel; the figure has a conversation of its own.
COUNT = """() => {
    window.sent = 0;
    const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
    kernel.anyMessage.connect((_, {msg, direction}) => {
        const said = direction === 'send' && msg.header.msg_type === 'comm_msg' && msg.content.data.content;
        if (said && 'seq' in said) window.sent += 1;
    });
}"""


def test_the_form_deploys(notebook: Notebook) -> None:
    cell = notebook.run("deploy", "button:text-is('Deploy')")
    text = cell.inner_text()
    assert "RSI($n) < 35" in text and "Dry run: last bar 2023-01-09" in text and "warm after 7 bars" in text
    cell.locator("input[type=text]").first.fill("dip")
    cell.locator("input[type=text]").first.press("Enter")
    cell.locator("text=a deployment called 'dip' already").wait_for()
    assert cell.locator("button:text-is('Deploy')").is_disabled()
    notebook.shot("form-refused", "deploy")
    cell.locator("input[type=text]").first.fill("from-a-cell")
    cell.locator("input[type=text]").first.press("Enter")
    cell.locator("button:text-is('Deploy'):enabled").wait_for()
    notebook.shot("form", "deploy")
    cell.locator("button:text-is('Deploy')").click()
    cell.locator("text=Deployed as from-a-cell").wait_for()
    notebook.shot("form-deployed", "deploy")
    with Client.open(notebook.lab.database) as client:
        assert client.status("from-a-cell")["initial_cash"] == 500_000.0


def test_what_is_dangerous_is_asked_for(notebook: Notebook) -> None:
    cell = notebook.run("short", "text=sells short")
    assert cell.locator("button:text-is('Deploy')").is_disabled()
    cell.locator("text=I know that a short loses").click()
    cell.locator("button:text-is('Deploy'):enabled").wait_for()
    cell.locator("button:text-is('Deploy')").click()
    cell.locator("button:text-is('Enter at once')").wait_for()
    notebook.shot("form-short", "short")
    cell.locator("button:text-is('Back')").click()
    cell.locator("button:text-is('Deploy'):enabled").wait_for()
    with Client.open(notebook.lab.database) as client:
        assert "fade" not in set(client.deployments()["name"])


def test_text_is_shown_as_text(notebook: Notebook) -> None:
    cell = notebook.run("evil", "button:text-is('Deploy'):enabled")
    cell.locator("button:text-is('Deploy')").click()
    cell.locator("text=Deployed as <img").wait_for()
    shown = notebook.run("deployments", ".wb-row >> nth=2")
    assert "<script>" in shown.inner_text()
    notebook.kernel("restart")
    shown.locator(".wbn-note:has-text('not live any more')").wait_for()
    assert "<script>" in shown.inner_text() and shown.locator("img, script").count() == 0
    assert notebook.page.title() != "hurt"


def test_another_database_than_the_servers_is_said(notebook: Notebook) -> None:
    cell = notebook.run("other", ".wbn-note:has-text('watches another database')")
    assert "it knows no elsewhere" in cell.locator(".wbn-note").inner_text()
    notebook.shot("other-database", "other")
