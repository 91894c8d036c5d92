"""The verdict of a promotion: six stages, each with its answers; nothing in it is stored that does not follow."""

from __future__ import annotations

import html
import json
import pathlib
from dataclasses import dataclass, field
from typing import Any

from workbench.promotion.checks import Check, all_passed
from workbench.promotion.stages import STAGES, Listed, stage_named


@dataclass(frozen=True)
class StageVerdict:
    """One stage that was run.

    Attributes
    ----------
    name : str
        Of the stage.
    checks : tuple of Check
        Its answers.
    error : str
        What broke the stage itself; empty when nothing did.
    seconds : float
        Of the wall, its kernel included.
    notebook : Path
        Executed, with its outputs.
    """

    name: str
    checks: tuple[Check, ...]
    error: str
    seconds: float
    notebook: pathlib.Path

    @property
    def listed(self) -> Listed:
        """Its number and title."""
        return stage_named(self.name)

    @property
    def passed(self) -> bool:
        """Whether nothing broke, something was asked, and every answer is yes."""
        return not self.error and all_passed(self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """Answers that are no."""
        return tuple(one for one in self.checks if not one.passed)

    @property
    def words(self) -> str:
        """What failed, by how much, and what to try; or that it passed."""
        if self.passed:
            return f"passed, {len(self.checks)} checks in {self.seconds:.1f} s"
        lines = [self.error] if self.error else []
        lines += [" ".join(filter(None, (f"{one.words}.", one.advice))) for one in self.failed]
        return "\n".join(lines or ["nothing was asked"])

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "name": self.name, "passed": self.passed, "error": self.error, "seconds": self.seconds,
            "notebook": self.notebook.name, "checks": [one.plain() for one in self.checks],
        }  # fmt: skip

    @classmethod
    def of(cls, plain: dict[str, Any], folder: pathlib.Path) -> StageVerdict:
        """From what ``plain`` made."""
        checks = tuple(Check.of(one) for one in plain["checks"])
        return cls(plain["name"], checks, plain["error"], plain["seconds"], folder / plain["notebook"])


@dataclass(frozen=True)
class Verdict:
    """The verdict on one strategy, bars, costs and settings.

    Attributes
    ----------
    strategy : str
        Name and version, as far as they could be read.
    key : str
        Hash of all that the verdict depends on.
    style : str
        Of the settings.
    folder : Path
        Of the run: notebooks, verdicts, the report, the database of the paper run.
    stages : tuple of StageVerdict
        Those that were run, in their order.
    cached : bool
        Whether it was answered from the last run of the same.
    """

    strategy: str
    key: str
    style: str
    folder: pathlib.Path
    stages: tuple[StageVerdict, ...]
    cached: bool = field(default=False, compare=False)

    @property
    def passed(self) -> bool:
        """Whether all six stages were run and passed."""
        return [one.name for one in self.stages] == [one.name for one in STAGES] and all(
            one.passed for one in self.stages
        )

    @property
    def failed_stage(self) -> str | None:
        """Name of the first stage that failed; None when none did."""
        return next((one.name for one in self.stages if not one.passed), None)

    @property
    def report(self) -> pathlib.Path:
        """The page that sums it up."""
        return self.folder / "report.html"

    @property
    def seconds(self) -> float:
        """Of all stages together."""
        return sum(one.seconds for one in self.stages)

    @property
    def words(self) -> str:
        """In a line."""
        how = " (answered from the last run of the same)" if self.cached else ""
        if self.passed:
            return f"{self.strategy}: PASSED, six stages in {self.seconds:.1f} s{how}"
        failed = self.failed_stage
        what = f"FAILED at {failed}" if failed else f"not finished after {len(self.stages)} stages"
        return f"{self.strategy}: {what}{how}"

    def to_json(self) -> str:
        """As a file that ``from_json`` reads."""
        plain = {
            "strategy": self.strategy, "key": self.key, "style": self.style, "passed": self.passed,
            "failed_stage": self.failed_stage, "stages": [one.plain() for one in self.stages],
        }  # fmt: skip
        return json.dumps(plain, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, folder: pathlib.Path, cached: bool) -> Verdict:
        """From what ``to_json`` made; ``passed`` is worked out anew from the answers."""
        plain = json.loads(text)
        stages = tuple(StageVerdict.of(one, folder) for one in plain["stages"])
        return cls(plain["strategy"], plain["key"], plain["style"], folder, stages, cached)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        lines = [f"  {one.listed.number} {one.listed.title}: {one.words}" for one in self.stages]
        return "\n".join((self.words, *lines, f"  report: {self.report}"))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{one.listed.number}</td><td style='text-align:left'>{html.escape(one.listed.title)}</td>"
            f"<td style='text-align:left;white-space:pre-wrap'>{html.escape(one.words)}</td></tr>"
            for one in self.stages
        )
        return f"<b>{html.escape(self.words)}</b><table>{rows}</table><p>{html.escape(str(self.report))}</p>"
