"""A page of JupyterLab as a person uses it, and what its console complained of."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

from tests.browser.lab import Lab

#: Where pictures are kept to be looked at.
SHOTS = pathlib.Path(os.environ.get("WORKBENCH_SHOTS", "output/browser"))
#: Milliseconds that anything on a page may take on a busy machine.
PATIENCE_MS = 30_000


class Screen:
    """A page that was opened and has news."""

    def __init__(self, browser: Any, lab: Lab) -> None:
        self.lab = lab
        self.page = browser.new_page(viewport={"width": 1280, "height": 820})
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.load()

    def load(self, anew: bool = True) -> None:
        """Open the page; ``anew`` forgets what was open."""
        self.page.goto(self.lab.page(anew=anew))
        self.page.wait_for_selector(".jp-LabShell", timeout=60_000)
        self.page.wait_for_function("window.jupyterapp && jupyterapp.commands.hasCommand('workbench:open')")
        self.page.evaluate("jupyterapp.restored.then(() => jupyterapp.commands.execute('workbench:open'))")
        self.page.wait_for_selector(".wb-foot:has-text('last updated')")

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location}")

    def theme(self, dark: bool) -> None:
        """Change the theme, and wait until it is there."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.page.wait_for_selector(f"body[data-jp-theme-light='{str(not dark).lower()}']", state="attached")

    def row(self, name: str) -> Any:
        """A deployment in the sidebar."""
        return self.page.locator(f".wb-panel .wb-row[data-name='{name}']")

    def names(self) -> list[str]:
        """Deployments in the sidebar, from top to bottom."""
        found: list[str] = self.page.locator(".wb-panel .wb-row").evaluate_all("all => all.map(x => x.dataset.name)")
        return found

    def open(self, name: str, tab: str = "Summary") -> Any:
        """The detail of a deployment, at a tab."""
        self.page.evaluate("name => jupyterapp.commands.execute('workbench:detail', {name})", name)
        detail = self.page.locator(".wb-detail:visible")
        detail.get_by_role("tab", name=tab).click()
        return detail

    def says(self, selector: str, text: str, timeout: int = PATIENCE_MS) -> None:
        """Wait until something on the page holds a text."""
        self.page.wait_for_function(
            "([all, text]) => [...document.querySelectorAll(all)].some(one => one.textContent.includes(text))",
            arg=[selector, text], timeout=timeout,
        )  # fmt: skip

    def runs(self, count: int) -> None:
        """Wait until the runner has come up and evaluates so many."""
        self.says(".wb-runner", f"● {count} running", timeout=120_000)

    def dialog(self) -> Any:
        """The dialog that is open."""
        one = self.page.locator(".jp-Dialog")
        one.wait_for()
        return one

    def accept(self, label: str, why: str = "") -> None:
        """Press a button of the dialog, which then is gone."""
        one = self.dialog()
        if why:
            one.get_by_label("Why?").fill(why)
        one.get_by_role("button", name=label, exact=True).click()
        one.wait_for(state="detached")

    def shot(self, name: str) -> None:
        """Keep a picture."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def module(self, code: str, given: Mapping[str, Any] | None = None) -> Any:
        """Run code with ``load(name)``, which gives a module of ours, and ``given``; what it returns."""
        base = f"{self.lab.url}lab/extensions/workbench-lab/js/"
        text = "async ([base, given]) => { const load = name => import(base + name); " + code + " }"
        return self.page.evaluate(text, [base, dict(given or {})])
