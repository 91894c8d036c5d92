"""Everybody can read and use the panels: contrast in both themes, names of controls, tables for screen readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.fed import FED, message
from tests.browser.lab import ALONE, Lab, deployed, replayed, serving
from tests.browser.screen import Screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TABS = ("Summary", "Equity", "Journal", "Orders", "Trades", "Diagnostics")

#: Text nodes whose contrast with what is behind them is below 4.5, as [text, ratio, colour, background].
FAINT = """selector => {
    const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number);
    const over = ([r, g, b, a = 1], under) => [r, g, b].map((one, at) => a * one + (1 - a) * under[at]);
    const light = rgb => {
        const line = one => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = rgb.map(one => line(one / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = node => {
        const layers = [];
        for (let one = node; one; one = one.parentElement) layers.push(numbers(getComputedStyle(one).backgroundColor));
        return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
    };
    const faint = [];
    let seen = 0;
    for (const root of document.querySelectorAll(selector)) {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text; text = texts.nextNode()) {
            const node = text.parentElement;
            if (!text.data.trim() || !node.getClientRects().length || node.closest('svg, option, .wb-unseen')) continue;
            seen += 1;
            const [under, colour] = [behind(node), numbers(getComputedStyle(node).color)];
            const [low, high] = [light(under), light(over(colour, under))].sort((a, b) => a - b);
            const ratio = (high + 0.05) / (low + 0.05);
            if (ratio < 4.5) faint.push([text.data.slice(0, 40), ratio.toFixed(2), String(colour), String(under)]);
        }
    }
    return [seen, faint];
}"""

#: Controls without a name, and tables without a caption or with headers without a scope.
UNNAMED = """() => {
    const named = node => node.ariaLabel || node.labels?.length || node.textContent.trim();
    const all = '.wb :is(button, input, select, textarea, [role=tablist], [role=region])';
    const controls = [...document.querySelectorAll(all)];
    const tables = [...document.querySelectorAll('.wb table')];
    return [
        ...controls.filter(one => !named(one) || one.tabIndex < -1).map(one => one.outerHTML.slice(0, 200)),
        ...tables.filter(one => !one.caption?.textContent.trim()).map(one => one.outerHTML.slice(0, 200)),
        ...tables.flatMap(one => [...one.querySelectorAll('th')]).filter(one => !one.scope).map(one => one.outerHTML),
    ];
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two deployments that traded two days, and no runner."""
    folder = tmp_path_factory.mktemp("access")
    database, bars = deployed(folder, ("dip", "second"))
    replayed(database, bars, "2023-01-11")
    with serving(folder, database, ALONE) as one:
        yield one


def faint(screen: Screen, selector: str) -> tuple[int, list[Any]]:
    seen, found = screen.page.evaluate(FAINT, selector)
    return seen, found


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_everywhere(screen: Screen, dark: bool) -> None:
    screen.theme(dark)
    total = 0
    for tab in TABS:
        detail = screen.open("dip", tab)
        detail.locator("[role=tabpanel]:visible :is(table, svg)").first.wait_for()
        seen, found = faint(screen, ".wb")
        assert found == [], f"in {tab}"
        total += seen
    assert total > 500
    screen.shot(f"access-{'dark' if dark else 'light'}")
    screen.page.get_by_role("button", name="Kill switch").click()
    screen.dialog()
    assert faint(screen, ".jp-Dialog .wb")[1] == []
    screen.accept("Cancel")


@pytest.mark.parametrize("dark", [False, True])
def test_every_state_stands_out(screen: Screen, dark: bool) -> None:
    screen.theme(dark)
    given = message()
    states: tuple[dict[str, object], ...] = (
        {},
        {"status": "ERROR", "hindrance": "broken"},
        {"runtime_state": "PAUSED_DIRECTION_MISMATCH"},
        {"mode": "live"},
        {"status": "STOPPED", "hindrance": "stopped"},
        {"stale": "no bar"},
        {"is_evaluated": False, "hindrance": "killed by me"},
    )
    given["deployments"] = [
        {**given["deployments"][0], "name": f"n{number}", **changes}  # type: ignore[index]
        for number, changes in enumerate(states)
    ]
    screen.module(FED + """
        hosts[0].style.cssText = 'position: fixed; inset: 0 auto 30px 0; width: 300px; z-index: 99; overflow: auto';
        window.fed = {end};
    """, {"message": given})  # fmt: skip
    seen, found = faint(screen, "body > .wb-panel")
    screen.shot(f"states-{'dark' if dark else 'light'}")
    screen.page.evaluate("window.fed.end()")
    assert found == [] and seen > 60


def test_every_control_has_a_name_and_every_table_a_caption(screen: Screen) -> None:
    for tab in TABS:
        detail = screen.open("dip", tab)
        detail.locator("[role=tabpanel]:visible :is(table, svg)").first.wait_for()
        assert screen.page.evaluate(UNNAMED) == []


def test_tabs_tell_what_they_are(screen: Screen) -> None:
    detail = screen.open("dip", "Orders")
    found = detail.evaluate(
        """node => [...node.querySelectorAll('[role=tab]')].map(one => {
            const panel = document.getElementById(one.getAttribute('aria-controls'));
            return [one.ariaSelected, one.tabIndex, panel.hidden, panel.getAttribute('aria-labelledby') === one.id];
        })"""
    )
    assert found == [
        [str(tab == "Orders").lower(), 0 if tab == "Orders" else -1, tab != "Orders", True] for tab in TABS
    ]


def test_colour_is_never_alone(screen: Screen) -> None:
    """Whatever has the colour of a state has its mark or its words too."""
    marks = screen.page.evaluate("[...document.querySelectorAll('.wb-state, .wb-runner')].map(one => one.textContent)")
    assert len(marks) >= 3 and all(text[0] in "●▲■○" and len(text) > 4 for text in marks)


def test_what_is_read_aloud_does_not_change_every_second(screen: Screen) -> None:
    """Live regions say a change of state, and never count."""
    changes = screen.page.evaluate(
        """() => new Promise(done => {
            let changes = 0;
            const watch = new MutationObserver(all => { changes += all.length; });
            for (const one of document.querySelectorAll('.wb-status [role=status], .wb-panel [role=status]'))
                watch.observe(one, {childList: true, characterData: true, subtree: true});
            const foot = document.querySelector('.wb-panel .wb-foot');
            let ticks = 0;
            const tick = () => { ticks += 1; if (ticks === 4) done(changes); };
            new MutationObserver(tick).observe(foot, {childList: true});
        })"""
    )
    assert changes == 0
