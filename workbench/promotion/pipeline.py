"""``wb.promote``: six stages one after the other, each an executed notebook in the folder of the run.

How it works: what is promoted is written into a folder; a stage's notebook reads it, asks, and writes its verdict as
JSON beside itself. A verdict carries the key of what it is about, so that a run that was killed goes on at the stage
where it was, and a run of the same is answered from the last one.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, Unpack

from filelock import FileLock

from workbench.costs import CostModel
from workbench.engine.fitting import AnyBars
from workbench.errors import ConfigError
from workbench.market.home import home_folder, write_atomically
from workbench.promotion.checks import Check
from workbench.promotion.executing import execute
from workbench.promotion.given import Given, given_of
from workbench.promotion.report import report_html
from workbench.promotion.stages import STAGES, Listed
from workbench.promotion.verdict import StageVerdict, Verdict
from workbench.research.signals import Signals
from workbench.strategy import Strategy

Say = Callable[[str], None]

_VERDICT = "verdict.json"


class How(TypedDict, total=False):
    """How a promotion is run; nothing here changes its verdict."""

    folder: str | os.PathLike[str] | None
    every_stage: bool
    again: bool
    say: Say | None


def promote(
    strategy: Strategy | Signals | str | os.PathLike[str],
    bars: AnyBars,
    costs: CostModel | None = None,
    initial_cash: float = 1_000_000.0,
    settings: Any = None,
    tests: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    **how: Unpack[How],
) -> Verdict:
    """Put a strategy through six stages: syntax, unit tests, backtest, paper trading, risk, performance.

    It stops at the first stage that fails. What is wrong with the strategy is in the verdict; only what no stage could
    judge is raised.

    Parameters
    ----------
    strategy : Strategy, Signals, path or str
        The strategy, a function made by ``wb.signals``, or the path or text of a file (``.toml``, ``.py``), which need
        not be a sound one. A function runs in a process of its own, never in this one.
    bars : Bars or mapping of str to Bars
        Base bars; the last part is held out for paper trading.
    costs : CostModel, optional
        By default those of a usual broker of the exchange with 2 bps of slippage.
    initial_cash : float
        Sizing reference, money.
    settings : Settings, mapping, str or path, optional
        Thresholds: tables by name, the name of a style, or a TOML file; see ``promotion.settings``.
    tests : path or sequence of paths, optional
        Your own tests, for pytest; the strategy's file is named by the variable ``WORKBENCH_STRATEGY``.
    **how
        ``folder`` of the run, by default one of its own in ``promotions`` of the project's files; ``every_stage``, to
        go on after a failure; ``again``, to run what was answered before too; ``say``, given a line when a stage begins
        and ends, by default printed.

    Returns
    -------
    Verdict
        ``passed``, ``failed_stage``, ``stages``, ``report``.

    Raises
    ------
    ConfigError
        A file is missing, bars are none, settings are wrong, or the folder holds another promotion.
    """
    given = given_of(strategy, bars, costs, initial_cash, settings, tests)
    key = given.key
    name = given.subject.name
    target = _folder_of(how.get("folder"), name, key)
    every_stage = how.get("every_stage", False)
    target.mkdir(parents=True, exist_ok=True)
    # Two who promote the same: the second waits, and is answered from what the first found.
    with FileLock(target / ".lock"):
        _refuse_other(target, key)
        if how.get("again"):
            _forget(target)
        elif (last := _last(target, key, every_stage)) is not None:
            return last
        given.save(target)
        run = _Run(given, key, target, how.get("say", print) or (lambda _: None))
        stages = run.stages(every_stage)
        verdict = Verdict(name, key, given.settings.style, target, tuple(stages))
        write_atomically(verdict.report, report_html(verdict, given).encode())
        write_atomically(target / _VERDICT, verdict.to_json().encode())
    return verdict


class _Run:
    """The stages of one promotion."""

    def __init__(self, given: Given, key: str, folder: pathlib.Path, say: Say) -> None:
        self._given, self._key, self._folder, self._say = given, key, folder, say

    def stages(self, every_stage: bool) -> list[StageVerdict]:
        """Run them until one fails; those that were run before a kill are not run again."""
        found: list[StageVerdict] = []
        for listed in STAGES:
            found.append(self._before(listed) or self._run(listed))
            self._say(f"{listed.number}/{len(STAGES)} {listed.title}: {found[-1].words}")
            # Without a strategy there is nothing to ask any more.
            if not found[-1].passed and (not every_stage or listed.name == "syntax"):
                break
        return found

    def _before(self, listed: Listed) -> StageVerdict | None:
        """What a run that was killed had found."""
        told = _read(self._told(listed))
        if told.get("key") != self._key or "wall_s" not in told:
            return None
        return self._verdict(listed, told, "", told["wall_s"])

    def _run(self, listed: Listed) -> StageVerdict:
        limits = self._given.settings.time
        path = self._told(listed)
        path.unlink(missing_ok=True)
        self._say(f"{listed.number}/{len(STAGES)} {listed.title}: {listed.asks}")
        began = time.monotonic()
        error = execute(listed, self._folder, limits.cell_s, limits.stage_s)
        seconds = time.monotonic() - began
        told = _read(path)
        if told.get("key") != self._key:
            return self._verdict(listed, {}, error or "its notebook wrote no verdict", seconds)
        if not error:
            write_atomically(path, json.dumps({**told, "wall_s": seconds}, indent=1).encode())
        return self._verdict(listed, told, error, seconds)

    def _verdict(self, listed: Listed, told: dict[str, Any], error: str, seconds: float) -> StageVerdict:
        checks = tuple(Check.of(one) for one in told.get("checks", ()))
        return StageVerdict(listed.name, checks, error, seconds, self._folder / f"{listed.file}.ipynb")

    def _told(self, listed: Listed) -> pathlib.Path:
        return self._folder / f"{listed.file}.json"


def _folder_of(folder: str | os.PathLike[str] | None, name: str, key: str) -> pathlib.Path:
    if folder is not None:
        return pathlib.Path(folder).expanduser().absolute()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "strategy"
    return home_folder() / "promotions" / f"{plain}-{key[:12]}"


def _refuse_other(folder: pathlib.Path, key: str) -> None:
    """A folder holds one promotion: what another one found is not to be mixed with it."""
    held = _read(folder / "given.json").get("key")
    if held not in (None, key):
        raise ConfigError(f"{folder} holds the promotion of something else. Name another folder, or leave it out.")


def _last(folder: pathlib.Path, key: str, every_stage: bool) -> Verdict | None:
    """The verdict of the last run of the same, if it went as far as this one would."""
    path = folder / _VERDICT
    if not path.exists() or _read(path).get("key") != key:
        return None
    found = Verdict.from_json(path.read_text(encoding="utf-8"), folder, cached=True)
    broke = any(one.error for one in found.stages)
    went_far = len(found.stages) == len(STAGES) or found.failed_stage == "syntax"
    return None if broke or (every_stage and not went_far) else found


def _forget(folder: pathlib.Path) -> None:
    for path in (folder / _VERDICT, *(folder / f"{one.file}.json" for one in STAGES)):
        path.unlink(missing_ok=True)


def _read(path: pathlib.Path) -> dict[str, Any]:
    """A file of ours; empty where there is none, or where it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
