"""Fixtures shared by every test: where the real data is, a calendar that knows NSE's special sessions, loaders."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable

import pandas as pd
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep calendars and bars of the tests away from the user's."""
    os.environ["WORKBENCH_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def data_dir() -> pathlib.Path:
    """Folder of real market data; tests that need it are skipped where it is absent."""
    folder = pathlib.Path(os.environ.get("WORKBENCH_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set WORKBENCH_DATA to a folder with nse, us, fx, calendars")
    return folder


def nse_calendar_csv(listed: dict[str, object]) -> str:
    """The special sessions of ``nse_bse_calendar.json`` as an uploadable calendar for NSE and BSE."""
    lines = ["date,exchange,session_type,open_time,close_time,notes"]
    for special in listed["special_sessions"]:  # type: ignore[attr-defined]
        for opens, closes in special["sessions_ist"] or ():
            lines += [f"{special['date']},{exchange},SPECIAL,{opens},{closes},{special['kind'].split(',')[0]}"
                      for exchange in ("NSE", "BSE")]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def nse(data_dir: pathlib.Path, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """NSE with its special sessions (Muhurat, Budget, drills), imported into a home of its own."""
    from workbench.market.calendar import import_calendar

    home = tmp_path_factory.mktemp("nse-home")
    listed = json.loads((data_dir / "calendars" / "nse_bse_calendar.json").read_text())
    path = home / "special.csv"
    path.write_text(nse_calendar_csv(listed))
    return import_calendar(path, home=home)["NSE"]


@pytest.fixture(scope="session")
def real_frame(data_dir: pathlib.Path) -> Callable[[str], pd.DataFrame]:
    """Loader of a real file as a DataFrame with index ``ts``: ``real_frame("nse/RELIANCE_5m")``."""

    def load(name: str) -> pd.DataFrame:
        path = data_dir / f"{name}.parquet"
        if not path.exists():
            pytest.skip(f"no real file {path}")
        return pd.read_parquet(path).set_index("ts")

    return load


@pytest.fixture(scope="session")
def real_bars(real_frame, nse):  # type: ignore[no-untyped-def]
    """Loader of a real file as Bars, kept: ``real_bars("nse/RELIANCE_5m", repair="drop")``.

    The calendar follows the folder. Some real files hold a bad row or prints after an early close: those need repair.
    """
    from workbench.market.bars import Bars
    from workbench.market.calendar import resolve_calendar

    kept: dict[tuple[str, str | None], Bars] = {}

    def load(name: str, repair: str | None = None) -> Bars:
        if (name, repair) not in kept:
            folder = name.split("/", maxsplit=1)[0]
            calendar = nse if folder.startswith("nse") else resolve_calendar("FX" if folder == "fx" else "XNYS")
            kept[name, repair] = Bars(real_frame(name), name.rpartition("_")[2], calendar, repair=repair)
        return kept[name, repair]

    return load
