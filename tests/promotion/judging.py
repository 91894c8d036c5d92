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
    given = given_of(planted.text, planted.bars(), planted.costs, CASH, planted.settings, planted.tests)
    with tempfile.TemporaryDirectory() as folder:
        case = Case(given, pathlib.Path(folder))
        given.save(case.folder)
        for listed in STAGES:
            stage = Stage(listed, case).run()
            if not stage.passed:
                return listed.name, "\n".join(one.words for one in stage.checks if not one.passed)
    return None, ""
