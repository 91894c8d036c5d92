"""The user's own tests, run by pytest in a process of their own."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from workbench.promotion.checks import Check, said

#: Where tests find the strategy that is promoted.
VARIABLE = "WORKBENCH_STRATEGY"
_SHOWN = 1_500


def user_tests(paths: Sequence[str], strategy_file: pathlib.Path, limit_s: float) -> Check:
    """Run tests; every one must pass, and there must be one.

    Parameters
    ----------
    paths : sequence of str
        Files or folders.
    strategy_file : pathlib.Path
        Named to the tests by the variable ``WORKBENCH_STRATEGY``.
    limit_s : float
        Longest they may take, seconds.
    """
    needed = "all of the user's tests pass"
    if importlib.util.find_spec("pytest") is None:
        return said("user_tests", False, "pytest is not installed", needed, "pip install pytest")
    with tempfile.TemporaryDirectory() as folder:
        told = pathlib.Path(folder) / "told.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={told}", *paths]
        try:
            done = subprocess.run(  # noqa: S603 - the user's own tests, as the user asks
                command, capture_output=True, text=True, timeout=limit_s, cwd=folder, check=False,
                env={**os.environ, VARIABLE: str(strategy_file)},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return said("user_tests", False, f"not done after {limit_s:g} s", needed, "Make them quicker.")
        ran, failed = _counts(told)
    passed = done.returncode == 0 and ran > 0 and failed == 0
    measured = f"{ran} ran, {failed} failed"
    if not passed:
        measured += f"\n{(done.stdout + done.stderr)[-_SHOWN:].strip()}"
    return said("user_tests", passed, measured, needed, "Mend the strategy, or the test that is wrong.")


def _counts(told: pathlib.Path) -> tuple[int, int]:
    """Tests that ran, and those of them that failed; none where pytest told nothing."""
    try:
        suites = ET.parse(told).getroot().iter("testsuite")  # noqa: S314 - pytest has just written it
    except (OSError, ET.ParseError):
        return 0, 0
    found = [{name: int(one.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")} for one in suites]
    ran = sum(one["tests"] - one["skipped"] for one in found)
    return ran, sum(one["failures"] + one["errors"] for one in found)
