"""What a person sees and does in the sidebar and the status bar."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.lab import Lab, running
from workbench.live.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

#: Where pictures are kept to be looked at.
SHOTS = pathlib.Path(os.environ.get("WORKBENCH_SHOTS", "output/browser"))
EVIL = "<img src=x onerror=\"document.title='hurt'\"><script>document.title='hurt'</script>"


def chromium() -> str:
    """The browser of this machine; tests skip without one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("there is no Chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with api.sync_playwright() as playwright:
        safe = ["--no-sandbox", "--disable-dev-shm-usage"]  # in a container, as root
        one = playwright.chromium.launch(executable_path=path, headless=True, args=safe)
        yield one
        one.close()


class Screen:
    """A page of JupyterLab, and what its console complained of."""

    def __init__(self, browser: Any, lab: Lab, dark: bool = False) -> None:
        self.page = browser.new_page(viewport={"width": 1200, "height": 800})
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.page.goto(lab.page())
        self.page.wait_for_selector(".jp-Launcher", timeout=60_000)
        if dark:
            self.page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
            self.page.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
        self.page.click("[data-id='workbench-sidebar']")
        self.page.wait_for_selector(".wb-row")

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location}")

    def row(self, name: str) -> Any:
        return self.page.locator(f".wb-row[data-name='{name}']")

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def accept(self, label: str, why: str = "") -> None:
        dialog = self.page.locator(".jp-Dialog")
        dialog.wait_for()
        if why:
            dialog.locator("input").fill(why)
        dialog.get_by_role("button", name=label, exact=True).click()
        dialog.wait_for(state="detached")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running(tmp_path_factory.mktemp("lab")) as one:
        yield one


@pytest.fixture
def screen(browser: Any, lab: Lab) -> Iterator[Screen]:
    one = Screen(browser, lab)
    yield one
    one.page.close()


def statuses(lab: Lab) -> dict[str, str]:
    with Client.open(lab.database) as client:
        rows = client.deployments()
    return dict(zip(rows["name"], rows["status"], strict=True))


def test_the_sidebar_fills_and_nothing_complains(screen: Screen) -> None:
    screen.page.wait_for_function("document.querySelector('.wb-runner').textContent.includes('2 of 2 evaluated')")
    assert [one.get_attribute("data-name") for one in screen.page.locator(".wb-row").all()] == ["dip", "second"]
    assert "RUNNING" in screen.row("dip").inner_text()
    assert "2 of 2 evaluated" in screen.page.locator(".wb-status").inner_text()
    screen.shot("sidebar")
    assert screen.complaints == []


def test_the_filter_leaves_what_fits(screen: Screen) -> None:
    screen.page.fill(".wb-filter", "sec")
    assert [one.get_attribute("data-name") for one in screen.page.locator(".wb-row").all()] == ["second"]
    assert "1 of 2 deployments" in screen.page.locator(".wb-foot").inner_text()


def test_pause_says_what_it_keeps_and_really_pauses(screen: Screen, lab: Lab) -> None:
    screen.row("dip").get_by_role("button", name="Pause dip").click()
    assert "Stops, targets and the forced flatten stay" in screen.page.locator(".jp-Dialog").inner_text()
    screen.shot("pause")
    screen.accept("pause", "lunch")
    screen.row("dip").get_by_role("button", name="Resume dip").wait_for()
    assert statuses(lab) == {"dip": "PAUSED", "second": "RUNNING"}
    assert "PAUSED" in screen.row("dip").inner_text()
    screen.row("dip").get_by_role("button", name="Resume dip").click()
    screen.accept("resume")
    screen.row("dip").get_by_role("button", name="Pause dip").wait_for()
    assert statuses(lab)["dip"] == "RUNNING"


def test_a_dialog_that_is_dismissed_changes_nothing(screen: Screen, lab: Lab) -> None:
    screen.row("dip").get_by_role("button", name="Pause dip").click()
    screen.accept("Cancel")
    screen.page.wait_for_timeout(1500)
    assert statuses(lab)["dip"] == "RUNNING"


def test_the_kill_switch_needs_its_confirmation_and_its_words_are_text(screen: Screen, lab: Lab) -> None:
    screen.page.get_by_role("button", name="Kill switch").click()
    assert "Positions are not closed" in screen.page.locator(".jp-Dialog").inner_text()
    screen.accept("Kill")  # without a reason
    with Client.open(lab.database) as client:
        assert client.health()["kills"] == []
    screen.page.get_by_role("button", name="Kill switch").click()
    screen.accept("Kill", EVIL)
    screen.page.wait_for_function("document.querySelector('.wb-runner').textContent.includes('killed')")
    screen.page.wait_for_function("document.querySelectorAll('.wb-row').length === 2")
    assert "<script>" in screen.row("dip").inner_text() and "<img" in screen.page.locator(".wb-runner").inner_text()
    assert "NOT EVALUATED" in screen.row("dip").inner_text(), "nothing says RUNNING that is not evaluated"
    screen.shot("killed")
    assert screen.page.title() != "hurt" and screen.page.locator(".wb-panel img, .wb-panel script").count() == 0
    with Client.open(lab.database) as client:
        client.arm("looked at")
    screen.page.wait_for_function("!document.querySelector('.wb-runner').textContent.includes('killed')")
    assert screen.complaints == []


def test_a_runner_that_dies_is_shown_and_heals(screen: Screen, lab: Lab) -> None:
    with Client.open(lab.database) as client:
        pid = int(client.health()["runner"].split(" pid ")[1].split(" ")[0])
    os.kill(pid, signal.SIGKILL)
    screen.page.wait_for_function("document.querySelector('.wb-runner').classList.contains('wb-red')", timeout=4_000)
    screen.page.wait_for_function("document.querySelector('.wb-list').textContent.includes('NOT EVALUATED')")
    assert "● RUNNING" not in screen.page.locator(".wb-list").inner_text()
    screen.shot("runner-dead")
    screen.page.wait_for_function("document.querySelector('.wb-runner').classList.contains('wb-green')", timeout=60_000)


@pytest.mark.parametrize("dark", [False, True])
def test_it_works_below_another_address(browser: Any, tmp_path: pathlib.Path, dark: bool) -> None:
    with running(tmp_path, ("only",), "/deep/er%20/") as lab:
        screen = Screen(browser, lab, dark)
        screen.page.wait_for_function("document.querySelector('.wb-runner').textContent.includes('1 of 1 evaluated')")
        screen.shot(f"base-url-{'dark' if dark else 'light'}")
        assert screen.complaints == []
        screen.page.close()
