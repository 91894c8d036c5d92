"""The detail of a deployment in the main area: its tabs, what links them, its chart, below another base URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.lab import Lab, deployed, feed, replayed, serving
from tests.browser.screen import Screen
from workbench.live.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

#: Until here the journal is written before the server starts.
UNTIL, SINCE = "2023-01-17", "2023-01-18"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One deployment with a week behind it, below an address with a folder and a blank."""
    folder = tmp_path_factory.mktemp("detail")
    database, bars = deployed(folder, ("dip",))
    replayed(database, bars, UNTIL)
    with serving(folder, database, feed(bars, SINCE), "/deep/er%20/") as one:
        yield one


def rows(detail: Any) -> Any:
    return detail.locator(".wb-journal tr[data-seq]")


def numbers(detail: Any) -> list[int]:
    """Numbers of the journal's rows that are shown, from top to bottom."""
    found: list[int] = rows(detail).evaluate_all("all => all.map(one => Number(one.dataset.seq))")
    return found


def test_a_name_in_the_sidebar_opens_its_detail(screen: Screen) -> None:
    screen.runs(1)
    screen.row("dip").get_by_role("button", name="dip", exact=True).click()
    header = screen.page.locator(".wb-detail .wb-header")
    header.get_by_text("RUNNING").wait_for()
    text = header.inner_text()
    assert "dip 1.0.0" in text and "PAPER" in text and "Pause" in text and "Stop" in text


def test_the_summary(screen: Screen) -> None:
    detail = screen.open("dip")
    detail.get_by_role("table", name="Evaluation").wait_for()
    evaluation = detail.get_by_role("table", name="Evaluation").inner_text()
    assert "Last evaluation" in evaluation and "_FALSE" in evaluation and "24x7:SAMPLE" in evaluation
    assert "Equity" in detail.get_by_role("table", name="Money").inner_text()
    limits = detail.get_by_role("table", name="Limits of the owner")
    assert "orders per day" in limits.inner_text() and " of 1,000,000" in limits.inner_text()
    screen.shot("detail-summary")


def test_equity_draws_in_both_themes_and_says_the_same_in_words(screen: Screen) -> None:
    detail = screen.open("dip", "Equity")
    detail.locator(".wb-chart svg").wait_for()
    screen.says(".wb-detail [role=tabpanel] p", "worst drawdown −")
    marks = detail.locator(".wb-chart svg .mark-symbol.role-mark path").count()
    with Client.open(screen.lab.database) as client:
        ended = (~client.trades("dip")["is_open"]).sum()
    assert marks >= 2 * ended > 20, "an entry and an exit a trade"
    label = ".wb-chart svg .role-axis-label text"
    colours = []
    for dark in (True, False):
        before = detail.locator(label).first.get_attribute("fill")
        screen.theme(dark)
        screen.page.wait_for_function(
            "([label, before]) => { const one = document.querySelector(label);"
            " return one && one.getAttribute('fill') !== before }", arg=[label, before],
        )  # fmt: skip
        colours.append(detail.locator(label).first.get_attribute("fill"))
        screen.shot(f"detail-equity-{'dark' if dark else 'light'}")
    assert colours == ["#e6e6e6", "#1f1f1f"]
    assert detail.locator(".wb-chart svg").count() == 1, "the one before is gone"
    detail.get_by_text("As a table").click()
    assert detail.get_by_role("table", name="points of the whole time").locator("tbody tr").count() > 10
    detail.get_by_text("As a table").click()


def test_equity_follows_the_stream_without_a_moment_without_a_chart(screen: Screen) -> None:
    detail = screen.open("dip", "Equity")
    detail.locator(".wb-chart svg").wait_for()
    found = screen.page.evaluate(
        """() => new Promise(done => {
            const chart = document.querySelector('.wb-chart');
            const drawn = chart.firstElementChild;
            let gaps = 0;
            const watch = new MutationObserver(() => {
                if (!chart.querySelector('.jp-RenderedVegaCommon5:not(.wb-chart-next) svg')) gaps += 1;
                if (!drawn.isConnected) { watch.disconnect(); done(gaps); }
            });
            watch.observe(chart, {childList: true, subtree: true});
        })"""
    )
    assert found == 0


def test_the_journal_is_newest_first_and_folds_what_nobody_need_read(screen: Screen) -> None:
    detail = screen.open("dip", "Journal")
    rows(detail).first.wait_for()
    found = numbers(detail)
    assert found == sorted(found, reverse=True)
    fold = detail.locator(".wb-fold button").filter(has_text="evaluations, no action").last
    count = int(fold.inner_text().split(" ")[0])
    assert count > 1
    screen.shot("detail-journal")
    before = rows(detail).count()
    fold.click()
    screen.page.wait_for_function(f"document.querySelectorAll('.wb-journal tr[data-seq]').length >= {before + count}")


def test_the_journal_pages_backwards_to_its_first_row(screen: Screen) -> None:
    detail = screen.open("dip", "Journal")
    rows(detail).first.wait_for()
    with Client.open(screen.lab.database) as client:
        assert len(client.journal("dip", limit=10_000)) > 2_000
    screen.page.evaluate(
        """async () => {
            const scroll = document.querySelector('.wb-journal');
            const words = () => document.querySelector('.wb-journal-view [role=status]').textContent;
            while (!words().includes('that is all')) {
                scroll.scrollTop = scroll.scrollHeight;
                await new Promise(done => requestAnimationFrame(done));
            }
        }"""
    )
    assert numbers(detail)[-1] == 1 and "started" in rows(detail).last.inner_text()
    assert screen.page.evaluate("document.querySelectorAll('.wb-journal tr').length") < 2_100, "not all is kept"
    detail.get_by_role("button", name="Back to the newest").click()
    screen.page.wait_for_function("Number(document.querySelector('.wb-journal tr[data-seq]')?.dataset.seq) > 2000")


def test_new_rows_come_without_taking_the_place_away(screen: Screen) -> None:
    detail = screen.open("dip", "Journal")
    detail.get_by_label("every bar").check()
    rows(detail).nth(60).wait_for()
    found = screen.page.evaluate(
        """async () => {
            const scroll = document.querySelector('.wb-journal');
            const row = document.querySelectorAll('.wb-journal tr[data-seq]')[30];
            scroll.scrollTop = row.offsetTop - 40;
            const first = document.querySelector('.wb-journal tr[data-seq]');
            const place = () => row.getBoundingClientRect().top - scroll.getBoundingClientRect().top;
            const at = place();
            while (document.querySelector('.wb-journal tr[data-seq]') === first)
                await new Promise(done => setTimeout(done, 50));
            return Math.abs(place() - at);
        }"""
    )
    assert found < 2.0, "pixels that the row under the eye has moved"
    detail.get_by_label("every bar").uncheck()


def test_the_journal_filters_by_kind_and_by_text(screen: Screen) -> None:
    detail = screen.open("dip", "Journal")
    detail.get_by_label("Kind of row").select_option("FILLED")
    screen.page.wait_for_function(
        "(all => all.length > 20 && all.every(one => one.children[1].textContent === 'filled'))"
        "([...document.querySelectorAll('.wb-journal tr[data-seq]')])"
    )
    with Client.open(screen.lab.database) as client:
        order = client.journal("dip", "FILLED", limit=1)["body"].iloc[0]["cid"]
    detail.get_by_label("Kind of row").select_option("")
    detail.get_by_label("Search the journal").fill(order)
    screen.page.wait_for_function(
        "(all => all.length > 0 && all.length < 5)([...document.querySelectorAll('.wb-journal tr[data-seq]')])"
    )
    assert "filled" in rows(detail).first.inner_text()
    detail.get_by_label("Search the journal").fill("")
    screen.page.wait_for_function("document.querySelectorAll('.wb-journal tr[data-seq]').length > 5")


def test_a_row_opens_to_its_evidence_and_to_the_order_it_caused(screen: Screen) -> None:
    detail = screen.open("dip", "Journal")
    detail.get_by_label("Kind of row").select_option("EVALUATED")
    acted = rows(detail).filter(has_text="_TRUE").first
    acted.wait_for()
    toggle = acted.get_by_role("button", name="evaluated")
    assert toggle.get_attribute("aria-expanded") == "false"
    toggle.click()
    evidence = detail.locator(".wb-evidence")
    evidence.get_by_text("Orders that it caused:").wait_for()
    assert toggle.get_attribute("aria-expanded") == "true"
    text = evidence.inner_text()
    assert "Decisions" in text and "Values of the expressions: 24x7:SAMPLE" in text and "bars" in text
    screen.shot("detail-evidence")
    evidence.get_by_role("button", name="order intent created").click()
    detail.get_by_role("tab", name="Orders", selected=True).wait_for()
    assert "FILLED" in detail.locator("tr.wb-marked").inner_text()
    detail.get_by_role("tab", name="Journal").click()
    detail.get_by_label("Kind of row").select_option("")


def test_orders_trades_and_journal_are_linked(screen: Screen) -> None:
    detail = screen.open("dip", "Orders")
    detail.get_by_role("table", name="Orders of dip").wait_for()
    screen.shot("detail-orders")
    detail.get_by_role("button", name="trade ").first.click()
    trade = detail.locator("tr.wb-marked:visible")
    trade.wait_for()
    text = trade.inner_text()
    assert "LONG" in text and "0.0" in text, "slippage in basis points"
    screen.shot("detail-trades")
    trade.get_by_role("button").first.click()
    order = detail.locator("tr.wb-marked:visible")
    order.get_by_role("button", name="Journal of order").click()
    detail.get_by_role("tab", name="Journal", selected=True).wait_for()
    screen.page.wait_for_function("document.querySelectorAll('.wb-journal tr[data-seq]').length >= 2")
    assert len(detail.get_by_label("Search the journal").input_value()) == 20
    detail.get_by_label("Search the journal").fill("")


def test_diagnostics_can_be_copied_as_text(screen: Screen) -> None:
    screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    detail = screen.open("dip", "Diagnostics")
    detail.get_by_role("table", name="Doctor").wait_for()
    text = detail.locator("[role=tabpanel]:visible").inner_text()
    for words in (
        "warm: needs",
        "Next evaluations",
        "Newest bars",
        "RUNNING, process",
        "revision",
        "runs 1 deployment",
    ):
        assert words in text
    screen.shot("detail-diagnostics")
    detail.get_by_role("button", name="Copy all as text").click()
    detail.get_by_text("copied").wait_for()
    copied = screen.page.evaluate("navigator.clipboard.readText()")
    assert "Warm-up: warm" in copied and "Doctor\n  database: OK" in copied


def test_it_is_there_again_after_the_page_was_loaded_anew(screen: Screen) -> None:
    screen.open("dip", "Orders")
    screen.page.wait_for_function(
        """async url => (await (await fetch(url)).text()).includes('workbench-detail:dip')""",
        arg=f"{screen.lab.url}lab/api/workspaces/default",
    )
    screen.load(anew=False)
    screen.page.locator(".wb-detail").wait_for()
    assert "dip" in screen.page.locator(".wb-detail .wb-header").inner_text()


def test_the_card_and_the_palette_open_the_start_notebook(screen: Screen) -> None:
    root = screen.lab.database.parent / "root"
    screen.page.evaluate("jupyterapp.commands.execute('launcher:create')")
    screen.page.locator(".jp-LauncherCard[data-category='Workbench']:visible").click()
    screen.page.locator(".jp-Notebook").wait_for()  # a new one: this server has none of ours
    (root / "notebooks").mkdir()
    (root / "notebooks" / "01_first_backtest.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )
    screen.page.evaluate("jupyterapp.commands.execute('workbench:start')")
    screen.page.locator(".lm-TabBar-tabLabel", has_text="01_first_backtest.ipynb").wait_for()
    commands = screen.page.evaluate("jupyterapp.commands.listCommands().filter(one => one.startsWith('workbench:'))")
    assert sorted(commands) == [
        f"workbench:{one}" for one in ("arm", "detail", "kill", "open", "pause", "resume", "start")
    ]
