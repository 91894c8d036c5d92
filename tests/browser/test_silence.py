"""What is shown when nothing can be known: no news, no server, no bars; and that it heals by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.browser.fed import FED, message
from tests.browser.lab import ALONE, Lab, deployed, serving
from tests.browser.screen import Screen
from workbench.live.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One deployment and no runner."""
    folder = tmp_path_factory.mktemp("silence")
    database, _ = deployed(folder, ("dip",))
    with serving(folder, database, ALONE) as one:
        yield one


def test_news_that_are_old_are_said_to_be_old_and_nothing_is_running(screen: Screen) -> None:
    said = screen.module(FED + """
        const before = texts();
        clock.now += 12_000;
        live.tell({kind: 'tick', changed: new Set()});
        const silent = texts();
        feed({...given.message, at: new Date(clock.now).toISOString()});
        const after = texts();
        end();
        return {before, silent, after};
    """, {"message": message()})  # fmt: skip
    assert "● RUNNING" in said["before"][0] and "● Workbench  1 running · next bar" in said["before"][1]
    assert "(42 s)" in said["before"][1]
    assert "no news for 12 s" in said["silent"][0] and "■ Workbench  no news for 12 s" in said["silent"][1]
    assert "RUNNING" not in said["silent"][0] and "NO NEWS" in said["silent"][0]
    assert "● RUNNING" in said["after"][0]


def test_a_line_that_breaks_is_opened_again_after_longer_and_longer_waits(screen: Screen) -> None:
    waits = screen.module(FED + """
        const waits = [];
        for (let at = 0; at < 7; at += 1) {
            Socket.all.at(-1).onclose();
            waits.push(live.retryAt - clock.now);
            live.open();
        }
        feed(given.message);
        Socket.all.at(-1).onclose();
        waits.push(live.retryAt - clock.now);
        const quiet = live.link;
        end();
        return {waits, quiet, open: live.socket};
    """, {"message": message()})  # fmt: skip
    assert waits["waits"] == [500, 1000, 2000, 4000, 8000, 10000, 10000, 500]
    assert waits["open"] is None, "nothing is open after the end"


def test_it_closes_while_the_page_is_hidden(screen: Screen) -> None:
    found = screen.module("""
        const {Live} = await load('live.js');
        class Socket { constructor() { Socket.made += 1; } close() { Socket.closed += 1; } }
        Object.assign(Socket, {made: 0, closed: 0});
        const page = Object.assign(new EventTarget(), {hidden: false});
        const live = new Live('ws://nowhere', {Socket, page});
        const seen = [[Socket.made, Socket.closed]];
        for (const hidden of [true, false]) {
            page.hidden = hidden;
            page.dispatchEvent(new Event('visibilitychange'));
            seen.push([Socket.made, Socket.closed]);
        }
        live.dispose();
        page.dispatchEvent(new Event('visibilitychange'));
        seen.push([Socket.made, Socket.closed]);
        return seen;
    """)
    assert found == [[1, 0], [1, 1], [2, 1], [2, 2]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stale": ["dip"]}, "▲ Workbench  1 running · data stale: dip"),
        ({"waiting": ["dip"], "evaluated": 0}, "▲ Workbench  0 running · 1 needs you"),
        ({"state": "RESTARTING", "since": "2026-11-20T10:29:57Z"}, "■ Workbench  runner stopped 3 s ago — restarting"),
        ({"state": "LOOK", "said": "no room"}, "■ Workbench  runner ended, a person must look: no room"),
        ({"runner": ""}, "▲ Workbench  runner is starting"),
        ({"runner": "here pid 77, which is dead"}, "▲ Workbench  runner is starting"),
        ({"runner": "", "state": "ATTACHED"}, "■ Workbench  no runner is running"),
        ({"database": "it is locked"}, "■ Workbench  database: it is locked"),
        ({"kills": ["all, by me: why"]}, "■ Workbench  killed: all, by me: why"),
    ],
)  # fmt: skip
def test_the_status_bar_says_what_is_wrong(screen: Screen, changes: dict[str, object], words: str) -> None:
    said = screen.module(FED + "const said = texts(); end(); return said;", {"message": message(**changes)})
    assert said[1].startswith(words)
    if words.startswith("■") or "starting" in words:
        assert "● RUNNING" not in said[0] or "kills" in changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"runtime_state": "WARMING_UP", "warm_up": "warming up 43/250 bars"}, "warming up 43/250 bars"),
        ({"status": "PAUSED", "is_evaluated": False, "hindrance": "paused by me"}, "protected: stop 95 (the broker)"),
        ({"stale": "no bar of A since 10:20"}, "data stale: no bar of A since 10:20"),
        ({"runtime_state": "PAUSED_UNKNOWN_ORDER", "is_evaluated": False}, "Look at the broker whether it is there"),
        ({"runtime_state": "PAUSED_DIRECTION_MISMATCH"}, "Adopt for exit onlyFlatten and continueStay paused"),
        ({"status": "ERROR", "is_evaluated": False, "hindrance": "no such hash"}, "Put right what is said above"),
        ({"status": "STOPPED", "runtime_state": "STOPPING", "is_evaluated": False}, "Let go"),
    ],
)  # fmt: skip
def test_a_row_says_where_it_stands_and_what_to_do(screen: Screen, changes: dict[str, object], words: str) -> None:
    given = message()
    given["deployments"][0].update(changes)  # type: ignore[index]
    said = screen.module(FED + "const said = texts(); end(); return said;", {"message": given})
    assert words in said[0]


def test_nothing_deployed_says_how_to_begin(screen: Screen) -> None:
    given = {**message(deployments=0), "deployments": [], "exposure": []}
    said = screen.module(FED + "const said = texts(); end(); return said;", {"message": given})
    assert "Nothing deployed yet. Backtest a strategy in a notebook, then wb.deploy(strategy)." in said[0]


def test_a_mismatch_is_resolved_by_one_of_its_three_choices(screen: Screen, lab: Lab) -> None:
    with Client.open(lab.database) as client:
        sets = "runtime_state='PAUSED_DIRECTION_MISMATCH', note='You hold -50 A by hand. This deployment is LONG.'"
        with client.store.write() as connection:
            connection.exec_driver_sql(f"UPDATE deployment_states SET {sets}")
    card = screen.page.locator(".wb-card[data-name='dip']")
    card.wait_for()
    assert "You hold -50 A by hand. This deployment is LONG." in card.inner_text()
    screen.shot("mismatch")
    card.get_by_role("button", name="Adopt for exit only").click()
    assert "takes the position over at its average price" in screen.dialog().inner_text()
    screen.accept("Adopt for exit only", "mine")
    # There is no runner: the command waits for one.
    screen.says(".Toastify", "is obeyed when one starts")
    with Client.open(lab.database) as client, client.store.read() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM commands WHERE verb = 'RESOLVE'").scalars().all()
    assert len(bodies) == 1 and '"adopt"' in bodies[0]


def test_what_is_unclear_is_resumed_only_by_whoever_has_looked(screen: Screen, lab: Lab) -> None:
    with Client.open(lab.database) as client, client.store.write() as connection:
        sets = "runtime_state='PAUSED_UNKNOWN_ORDER', note='order X: sent, never seen'"
        connection.exec_driver_sql(f"UPDATE deployment_states SET {sets}")
    screen.says(".wb-card", "order X: sent, never seen")
    screen.page.locator(".wb-card").get_by_role("button", name="Resume").click()
    dialog = screen.dialog()
    assert "It is PAUSED_UNKNOWN_ORDER: order X: sent, never seen" in dialog.inner_text()
    dialog.get_by_role("button", name="Resume").click()
    dialog.get_by_role("alert").filter(has_text="Look at the broker first, then tick this.").wait_for()
    dialog.get_by_label("I have looked at position and orders at the broker.").check()
    screen.shot("resume")
    screen.accept("Resume")
    screen.says(".Toastify", "RESUME is written.")
    with Client.open(lab.database) as client, client.store.read() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM commands WHERE verb = 'RESUME'").scalars().all()
    assert len(bodies) == 1 and '"acknowledged":true' in bodies[0]


def test_a_server_that_hangs_is_noticed(screen: Screen, lab: Lab) -> None:
    os.kill(lab.process.pid, signal.SIGSTOP)
    try:
        screen.says(".wb-status-text", "■ Workbench  no news for", timeout=25_000)
        assert "RUNNING" not in screen.row("dip").inner_text()
    finally:
        os.kill(lab.process.pid, signal.SIGCONT)
    screen.page.wait_for_function("!document.querySelector('.wb-status-text').textContent.includes('no news')")


def test_a_server_that_is_gone_is_said_to_be_gone(opened: Screen, lab: Lab) -> None:
    lab.process.kill()
    opened.says(".wb-status-text", "The server does not answer, trying again", timeout=25_000)
    assert "NO NEWS" in opened.row("dip").inner_text()
    opened.shot("server-gone")
