"""Two hundred deployments, ten thousand rows, an hour of news, and text that would like to be more than text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.fed import FED, message
from tests.browser.lab import ALONE, Lab, serving
from tests.browser.many import COUNT, EVIL, HOSTILE, LONG, ROWS, SHOWN, crowded
from tests.browser.screen import Screen
from workbench.live.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("many")
    with serving(folder, crowded(folder), ALONE) as one:
        yield one


def unhurt(screen: Screen) -> None:
    """Nothing that was written into the database has become more than text."""
    found = screen.page.evaluate(
        """() => [window.hurt, ...document.querySelectorAll(
            '.wb :is(img, script, iframe, object, a, style, [onload], [onerror], [ontoggle])')]
            .map(one => one && String(one.outerHTML || one))"""
    )
    assert found == [None]


def test_two_hundred_deployments_are_painted_within_a_second(screen: Screen) -> None:
    assert len(screen.names()) == COUNT
    screen.shot("two-hundred")
    said = screen.module("""
        const {emptyModel, merge} = await load('model.js');
        const {apiOfPage} = await load('api.js');
        const {api} = apiOfPage(given.base);
        const message = {kind: 'all', ...await api('overview')};
    """ + FED.replace("feed(given.message);", "") + """
        hosts[0].style.cssText = 'position: fixed; inset: 0 auto 0 0; width: 300px; z-index: 99';
        clock.now = Date.parse(message.at);
        const began = performance.now();
        feed(message);
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
        const painted = performance.now() - began;
        const rows = hosts[0].querySelectorAll('.wb-row').length;
        const again = performance.now();
        feed({...message, kind: 'changes', gone: [], deployments: message.deployments.map(one => ({...one, pnl: 1}))});
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
        const redrawn = performance.now() - again;
        end();
        return {painted, redrawn, rows};
    """, {"base": screen.lab.url, "message": message()})  # fmt: skip
    print(f"{COUNT} deployments: first paint {said['painted']:.0f} ms, all of them anew {said['redrawn']:.0f} ms")
    assert said["rows"] == COUNT
    assert said["painted"] < 1000.0 and said["redrawn"] < 1000.0


def test_an_hour_of_news_leaves_nothing_behind(screen: Screen) -> None:
    session = screen.page.context.new_cdp_session(screen.page)

    def measured() -> tuple[int, float]:
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        counters = session.send("Memory.getDOMCounters")
        return counters["nodes"], screen.page.evaluate("performance.memory.usedJSHeapSize") / 2**20

    screen.module(FED + "window.fed = {feed, clock, end, live};", {"message": message()})
    run = """([given, messages]) => {
        const {feed, clock} = window.fed;
        for (let at = 0; at < messages; at += 1) {
            clock.now += 1000;
            const one = {...given.deployments[0], pnl: at, seq: at, last_evaluation: new Date(clock.now).toISOString()};
            const name = `other ${at % 50}`;
            const gone = at % 50 === 49 ? Array.from({length: 49}, (_, number) => `other ${number}`) : [];
            const at_ = new Date(clock.now).toISOString();
            feed({...given, kind: 'changes', at: at_, gone, deployments: [one, {...one, name}]});
        }
    }"""
    screen.page.evaluate(run, [message(), 400])  # what is made once has been made
    nodes, heap = measured()
    screen.page.evaluate(run, [message(), 3600])
    nodes_after, heap_after = measured()
    screen.page.evaluate("window.fed.end(); delete window.fed")
    print(f"3,600 messages: {nodes} nodes before and {nodes_after} after, heap {heap:.1f} and {heap_after:.1f} MiB")
    assert abs(nodes_after - nodes) < 300
    assert heap_after - heap < 3.0


def test_a_journal_of_ten_thousand_rows_pages_without_growing(screen: Screen) -> None:
    detail = screen.open(LONG, "Journal")
    detail.locator(".wb-journal tr[data-seq]").first.wait_for()
    detail.get_by_label("every bar").check()
    pages = screen.page.evaluate(
        """async rows => {
            const scroll = document.querySelector('.wb-journal');
            const last = () => Number([...document.querySelectorAll('.wb-journal tr[data-seq]')].at(-1).dataset.seq);
            let most = 0;
            while (last() > rows - 3000) {
                scroll.scrollTop = scroll.scrollHeight;
                await new Promise(done => requestAnimationFrame(done));
                most = Math.max(most, document.querySelectorAll('.wb-journal tr').length);
            }
            return most;
        }""",
        ROWS,
    )
    assert pages < 1_200, "rows that are kept in the page"
    detail.get_by_label("Kind of row").select_option("FILLED")
    screen.page.wait_for_function(
        "(all => all.length >= 100 && all.every(one => one.children[1].textContent === 'filled'))"
        "([...document.querySelectorAll('.wb-journal tr[data-seq]')])"
    )
    detail.get_by_label("Kind of row").select_option("")
    detail.get_by_label("every bar").uncheck()
    screen.page.evaluate("jupyterapp.commands.execute('application:close')")


def test_hostile_text_is_text_in_the_sidebar(screen: Screen) -> None:
    card = screen.page.locator(".wb-card")
    card.wait_for()
    assert SHOWN in card.inner_text() and EVIL in card.inner_text()
    screen.page.get_by_label("Filter deployments").fill("<img")
    assert screen.names() == [EVIL]
    assert SHOWN in screen.page.locator(".wb-row").inner_text()
    screen.shot("hostile-sidebar")
    screen.page.locator(".wb-row").get_by_role("button", name="Stop").click()
    assert EVIL in screen.dialog().inner_text()
    screen.accept("Cancel")
    unhurt(screen)


@pytest.mark.parametrize("tab", ["Summary", "Equity", "Journal", "Orders", "Trades", "Diagnostics"])
def test_hostile_text_is_text_in_every_tab(screen: Screen, tab: str) -> None:
    detail = screen.open(EVIL, tab)
    panel = detail.locator("[role=tabpanel]:visible")
    if tab == "Equity":
        marks = panel.locator(".wb-chart svg .mark-symbol.role-mark path")
        marks.first.wait_for()
        marks.first.hover()
        screen.page.locator("#vg-tooltip-element.visible").wait_for()
        assert "<img src=x" in screen.page.locator("#vg-tooltip-element").inner_text()
        assert screen.page.locator("#vg-tooltip-element img, #vg-tooltip-element script").count() == 0
    elif tab == "Journal":
        toggles = panel.locator("tr[data-seq] button")
        toggles.first.wait_for()
        for number in range(toggles.count()):
            toggles.nth(number).click()
        screen.page.wait_for_function("document.querySelectorAll('.wb-evidence').length === 7")
    screen.says(".wb-tabpanel:not([hidden]), .wb-warnings", "<img src=x onerror=")
    screen.shot(f"hostile-{tab.lower()}")
    unhurt(screen)


def test_hostile_words_of_the_kill_switch_and_of_answers_are_text(screen: Screen, lab: Lab) -> None:
    screen.page.get_by_role("button", name="Kill switch").click()
    screen.accept("Kill", HOSTILE[:900])
    # No runner is there; the switch is down, and what it says is text.
    screen.says(".wb-status-text", "no runner is running")
    screen.page.get_by_label("Filter deployments").fill("d000")
    screen.says(".wb-row[data-name='d000']", "killed by server token: <img src=x")
    screen.says(".Toastify", "The kill switch is down (everything of local, by server token: <img")
    unhurt(screen)
    with Client.open(lab.database) as client:
        client.arm("test", wait_s=0.0)
    screen.page.get_by_label("Filter deployments").fill("")


MOUNT = """
    const {mount} = await load('notebook.js');
    const node = document.createElement('div');
    node.className = 'mounted';
    node.style.cssText = 'position: fixed; inset: 20px 20px 40px 400px; overflow: auto; z-index: 99; background: white';
    document.body.append(node);
    window.dispose = mount(given.what, node, {baseUrl: given.base, name: given.name});
"""


@pytest.fixture
def mounted(screen: Screen) -> Iterator[Any]:
    """What shows a view as a widget in a notebook does, and takes it away."""

    def mount(what: str, name: str = "") -> Any:
        screen.module(MOUNT, {"what": what, "base": screen.lab.url, "name": name})
        return screen.page.locator(".mounted")

    yield mount
    left = screen.page.evaluate(
        "() => { window.dispose(); const node = document.querySelector('.mounted');"
        " const left = node.childElementCount; node.remove(); return left }"
    )
    assert left == 0, "nothing is left when a view is gone"


@pytest.mark.parametrize(
    ("what", "words"), [("deployments", SHOWN), ("journal", "<img src=x"), ("exposure", "Exposure")]
)
def test_hostile_text_is_text_in_a_notebook(screen: Screen, mounted: Any, what: str, words: str) -> None:
    view = mounted(what, EVIL)
    screen.says(".mounted", words)
    if what == "journal":
        view.locator("tr[data-seq] button").last.click()
        view.locator(".wb-evidence").wait_for()
    screen.shot(f"mounted-{what}")
    unhurt(screen)


def test_a_notebook_asks_in_place_and_really_pauses(screen: Screen, lab: Lab, mounted: Any) -> None:
    view = mounted("deployments")
    view.get_by_label("Filter deployments").fill("d007")
    view.get_by_role("button", name="Pause d007").click()
    form = view.locator("form.wb-inline")
    assert "No evaluation and no new order until you resume." in form.inner_text()
    screen.shot("mounted-asks")
    screen.page.keyboard.press("Escape")
    form.wait_for(state="detached")
    assert screen.page.evaluate("document.activeElement.ariaLabel") == "Pause d007"
    view.get_by_role("button", name="Stop d007").click()
    form.get_by_label("Why?").fill("enough")
    form.get_by_role("button", name="Stop", exact=True).click()
    screen.says(".mounted", "is obeyed when one starts")
    with Client.open(lab.database) as client, client.store.read() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM commands WHERE verb = 'STOP'").scalars().all()
    assert len(bodies) == 1 and "enough" in bodies[0]
