"""One stage, as its notebook runs it: asks, shows, and writes its verdict beside the notebook."""

from __future__ import annotations

import html
import importlib
import json
import os
import pathlib
import time
from typing import Any, Self, cast

from workbench.market.home import write_atomically
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, all_passed
from workbench.promotion.given import Given
from workbench.promotion.stages import Listed, stage_named


class Stage:
    """A stage of the promotion in a folder; made by ``open``, asked by ``run``.

    Attributes
    ----------
    listed : Listed
        Number, name, title.
    case : Case
        What is promoted.
    checks : list of Check
        The answers, once it was run.
    """

    def __init__(self, listed: Listed, case: Case) -> None:
        self.listed, self.case = listed, case
        self.checks: list[Check] = []
        self._asked: Any = importlib.import_module(f"workbench.promotion.stages.{listed.name}")

    @classmethod
    def open(cls, folder: str | os.PathLike[str], name: str) -> Self:
        """A stage by name, on what ``wb.promote`` wrote into a folder."""
        path = pathlib.Path(folder)
        return cls(stage_named(name), Case(Given.load(path), path))

    @property
    def passed(self) -> bool:
        """Whether something was asked, and every answer is yes."""
        return all_passed(self.checks)

    def run(self) -> Self:
        """Ask everything, and write the verdict."""
        began = time.monotonic()
        self.checks = list(self._asked.checks(self.case))
        plain = {
            "key": self.case.given.key,
            "passed": self.passed,
            "checks": [one.plain() for one in self.checks],
            "seconds": time.monotonic() - began,
        }
        path = self.case.folder / f"{self.listed.file}.json"
        write_atomically(path, json.dumps(plain, indent=1, allow_nan=False).encode())
        return self

    def figures(self) -> None:
        """Show what the stage looked at; nothing of a strategy that could not be read."""
        import IPython.display

        if self.listed.number == 1 and not self.passed:
            return
        show = cast("Any", IPython.display.display)
        for one in self._asked.figures(self.case):
            show(one)

    def __repr__(self) -> str:
        answers = (f"{'yes' if one.passed else 'NO '} {one.words}" for one in self.checks)
        return "\n".join((f"{self.listed.title}: {'passed' if self.passed else 'FAILED'}", *answers))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'passed' if one.passed else '<b>FAILED</b>'}</td><td>{html.escape(one.name)}</td>"
            f"<td style='text-align:left;white-space:pre-wrap'>{html.escape(one.measured)}</td>"
            f"<td style='text-align:left'>{html.escape(one.needed)}</td>"
            f"<td style='text-align:left'>{html.escape(one.advice)}</td></tr>"
            for one in self.checks
        )
        heads = "".join(f"<th>{one}</th>" for one in ("", "check", "measured", "needed", "what to try"))
        verdict = "passed" if self.passed else "FAILED"
        return f"<b>{self.listed.title}: {verdict}</b><table><tr>{heads}</tr>{rows}</table>"
