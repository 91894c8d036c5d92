"""What every test may use: the folder of real data, and how hard hypothesis looks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# A first call compiles or loads a kernel, so that a deadline would measure the cache and not the code.
settings.register_profile("workbench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("workbench"), derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "workbench"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real bars, from WORKBENCH_DATA or beside the checkout; the test is skipped where there is none."""
    folder = Path(os.environ.get("WORKBENCH_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set WORKBENCH_DATA to the folder that holds nse, us and fx")
    return folder
