"""Stages one after the other in this process, without notebooks: which one fails first."""

from __future__ import annotations

import pathlib
import tempfile

from tests.promotion.cases import Planted
from workbench.promotion.case import Case
from workbench.promotion.given import given_of
from workbench.promotion.stage import Stage
from workbench.promotion.stages import STAGES

CASH = 1_000_000.0


def judged(planted: Planted) -> tuple[str | None, str]:
    """The first stage that fails, with what it says; None where all six pass."""
    with tempfile.TemporaryDirectory() as folder:
        return _judged(planted, pathlib.Path(folder))


def _judged(planted: Planted, folder: pathlib.Path) -> tuple[str | None, str]:
    source: str | pathlib.Path = planted.text
    if planted.is_python:
        source = folder / "dip.py"
        source.write_text(planted.text, encoding="utf-8")
    given = given_of(source, planted.bars(), planted.costs, CASH, planted.settings, planted.tests)
    case = Case(given, folder)
    given.save(folder)
    for listed in STAGES:
        stage = Stage(listed, case).run()
        if not stage.passed:
            return listed.name, "\n".join(one.words for one in stage.checks if not one.passed)
    return None, ""
