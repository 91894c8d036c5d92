"""The browser, and the servers that several tests look at."""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.lab import Lab, deployed, feed, serving
from tests.browser.screen import Screen


def chromium() -> str:
    """The browser of this machine; tests skip without one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("there is no Chromium here: apt-get install chromium")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with api.sync_playwright() as playwright:
        safe = ["--no-sandbox", "--disable-dev-shm-usage", "--js-flags=--expose-gc"]  # in a container, as root
        one = playwright.chromium.launch(executable_path=path, headless=True, args=safe)
        yield one
        one.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two deployments, and a runner that replays bars slowly."""
    folder: pathlib.Path = tmp_path_factory.mktemp("lab")
    database, bars = deployed(folder, ("dip", "second"))
    with serving(folder, database, feed(bars)) as one:
        yield one


@pytest.fixture(scope="module")
def opened(browser: Any, lab: Lab) -> Iterator[Screen]:
    one = Screen(browser, lab)
    yield one
    one.page.close()


@pytest.fixture
def screen(opened: Screen) -> Iterator[Screen]:
    """The page of the module's server; whatever a test does there, its console has nothing to complain of."""
    opened.complaints.clear()
    yield opened
    assert opened.complaints == []
