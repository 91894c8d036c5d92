"""The form that deploys: it shows the dry run, asks what must be said, and says what came of it.

Whatever goes wrong is said in the form, where it is, and everything that was typed stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.live.client import Client
from workbench.live.consent import AT_ONCE, SHORT
from workbench.live.starting import NOW
from workbench.panels import lines
from workbench.panels.asked import Asked
from workbench.panels.opened import opened
from workbench.strategy import Strategy

_WIDE = ipywidgets.Layout(width="360px")
_AGAIN = (
    "Enter at once? If the entry is true at the last strategy bar, an order goes to the next open without waiting for "
    "a bar."
)
_SHORT = "I know that a short loses without bound when the price rises, and can be bought in"


class DeployForm(ipywidgets.VBox):  # type: ignore[misc] # the library has no types
    """A form for one deployment.

    Parameters
    ----------
    asked : Asked
        What is to be deployed; name, cash and what is ticked come from the form.
    client : Client or None
        Of the database; None for the one that the command line uses.

    Attributes
    ----------
    deployment_id : str
        Of what was deployed; empty until then.
    """

    def __init__(self, asked: Asked, client: Client | None = None) -> None:
        self._asked, self._client, self.deployment_id = asked, client, ""
        self.head, self.facts, self.said = (ipywidgets.HTML() for _ in range(3))
        self.called = ipywidgets.Text(
            asked.name or asked.strategy.name, description="name", continuous_update=False, layout=_WIDE
        )
        self.cash = ipywidgets.FloatText(
            asked.initial_cash, description="capital", continuous_update=False, layout=_WIDE
        )
        self.short = ipywidgets.Checkbox(False, description=_SHORT, indent=False, layout={"width": "auto"})
        self.risk = ipywidgets.HTML()
        self.at_once = ipywidgets.Checkbox(
            asked.is_at_once, description="enter at once (asks again)", indent=False, layout={"width": "auto"}
        )
        self.button = ipywidgets.Button(description="Deploy", button_style="primary")
        self.yes = ipywidgets.Button(description="Enter at once", button_style="warning")
        self.no = ipywidgets.Button(description="Back")
        self.again = ipywidgets.VBox(
            [ipywidgets.HTML(lines.line("look", _AGAIN)), ipywidgets.HBox([self.yes, self.no])]
        )
        self.fields = (self.called, self.cash, self.short, self.at_once, self.button)
        super().__init__()
        self.add_class("wbn-form")
        self._listen()
        self.refresh()

    def refresh(self) -> None:
        """Ask for the dry run anew, of what the form holds now."""
        self._hide_again()
        self.said.value = lines.line("plain", "dry run …")
        found = self._tried(self.asked().preview)
        self.button.disabled = found is None or not found["can_deploy"]
        if found is not None:
            self._show(found)
        self._lay_out()

    def asked(self) -> Asked:
        """What the form holds now."""
        start = self._asked.start
        if self.at_once.value:
            start = NOW
        elif self._asked.is_at_once:
            start = None
        words = [word for word, box in ((SHORT, self.short), (AT_ONCE, self.at_once)) if box.value]
        return replace(
            self._asked, start=start, name=self.called.value.strip(), initial_cash=self.cash.value, acknowledged=words
        )

    # --- what is shown -----------------------------------------------------------------------------------------------

    def _show(self, found: dict[str, Any]) -> None:
        self.head.value = lines.heading(found)
        self.facts.value = lines.facts(found)
        self.said.value = lines.refusals(found)

    def _lay_out(self) -> None:
        sells_short = self._asked.strategy.direction != "LONG"
        self.risk.value = lines.line("look", self._risk()) if sells_short else ""
        warned = [self.risk, self.short] if sells_short else []
        entry = ipywidgets.HTML(lines.line("plain", f"Entry: {_entry(self._asked.strategy)}"))
        above = [ipywidgets.HTML(lines.STYLE), self.head, self.called, self.cash, entry]
        parts = [*above, self.facts, *warned, self.at_once, self.said]
        if not self.deployment_id:
            parts += [self.again] if self._asks_again else [self.button]
        self.children = parts

    def _risk(self) -> str:
        made = self._asked.strategy
        limit = made.daily_loss_limit_frac
        bound = f"Its daily loss limit is {100 * limit:g} %." if limit else "It has no daily loss limit."
        return (
            f"This strategy sells short (direction {made.direction}): a short loses without bound when the price "
            f"rises, the shares can be called back, and a gap jumps over a stop. {bound}"
        )

    # --- what is done ------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        for field in (self.called, self.cash, self.short, self.at_once):
            field.observe(lambda _: self.refresh(), "value")
        self.button.on_click(lambda _: self._press())
        self.yes.on_click(lambda _: self._deploy())
        self.no.on_click(lambda _: self.refresh())

    def _press(self) -> None:
        if self.at_once.value:
            self._asks_again = True
            self._lay_out()
        else:
            self._deploy()

    def _deploy(self) -> None:
        """Deploy what the form holds, and show where it stands; what is refused is said, and may be mended."""
        self._hide_again()
        asked = self.asked()
        self.button.disabled = True
        self.said.value = lines.line("plain", "deploying …")
        made = self._tried(asked.deploy)
        self.button.disabled = False
        if made is not None:
            self.deployment_id = made
            for field in self.fields:
                field.disabled = True
            name = asked.name or asked.strategy.name
            status = self._tried(lambda client: client.status(name))
            if status is not None:
                self.said.value = lines.deployed(status)
        self._lay_out()

    def _hide_again(self) -> None:
        self._asks_again = False

    def _tried(self, call: Callable[[Client], Any]) -> Any:
        """What a call gives; None with the reason in the form when it cannot be done."""
        try:
            with opened(self._client) as client:
                return call(client)
        except WorkbenchError as error:
            self.said.value = lines.line("wrong", str(error))
            return None


def _entry(made: Strategy) -> str:
    """When it enters, with what its parameters stand for."""
    params = ", ".join(f"{name} = {value}" for name, value in made.params.items())
    entry = " or short: ".join(one for one in (made.entry, made.short_entry) if one)
    return f"{entry} with {params}" if params else entry
