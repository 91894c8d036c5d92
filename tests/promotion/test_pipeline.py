"""``wb.promote``: executed notebooks in a folder, answered from the last run, gone on with after a kill."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.sign import NotebookNotary

import workbench as wb
from tests.promotion import markets
from tests.promotion.cases import DIP, text_of
from workbench.errors import ConfigError
from workbench.market.home import home_folder
from workbench.promotion import executing
from workbench.promotion.executing import execute, scrubbed
from workbench.promotion.junit import write_junit
from workbench.promotion.places import found_file
from workbench.promotion.stages import STAGES
from workbench.promotion.verdict import Verdict

#: No TOML, and named by somebody who means harm.
BROKEN = 'name = "<script>alert(1)</script>"\nversion = ?\n'
HARM = "<script>alert"


@pytest.fixture(autouse=True)
def own_jupyter(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures and kernels' files are not those of whoever runs the tests."""
    for kind in ("DATA", "RUNTIME", "CONFIG"):
        monkeypatch.setenv(f"JUPYTER_{kind}_DIR", str(tmp_path_factory.mktemp(kind.lower()[:2])))


def quiet(folder: pathlib.Path, source: Any = BROKEN, **how: Any) -> Verdict:
    bars = markets.reverting(1, begin="2022-01-01", end="2022-06-30")
    return wb.promote(source, bars, folder=folder, say=None, **how)


def test_what_is_no_strategy_is_a_verdict_and_no_error(tmp_path: pathlib.Path) -> None:
    verdict = quiet(tmp_path / "run")
    assert not verdict.passed and not verdict and verdict.failed_stage == "syntax"
    (stage,) = verdict.stages
    assert stage.failed[0].name == "parse" and "line 2" in stage.words and "Mend" in stage.words
    assert "FAILED at syntax" in repr(verdict) and verdict.strategy == "<script>alert(1)</script>"
    page = verdict.report.read_text()
    assert "Failed at syntax" in page and "not valid TOML" in page
    for shown in (page, verdict._repr_html_()):
        assert HARM not in shown and "&lt;script&gt;alert" in shown
    write_junit(verdict, tmp_path / "told.xml")
    told = (tmp_path / "told.xml").read_text()
    assert '<testsuite name="syntax"' in told and 'failures="1"' in told and "not valid TOML" in told
    notebook: Any = nbformat.read(stage.notebook, as_version=4)  # type: ignore[no-untyped-call]
    shown = json.dumps(notebook.cells[-2]["outputs"])
    assert "Syntax: FAILED" in shown and not any(one.get("outputs") for one in notebook.cells[:1])
    notary: Any = NotebookNotary()  # type: ignore[no-untyped-call]
    assert notary.check_signature(notebook), "opened in JupyterLab, it shows what it showed"
    notary.store.close()


@pytest.mark.soak
def test_the_same_is_answered_from_the_last_run(tmp_path: pathlib.Path) -> None:
    first = quiet(tmp_path / "run")
    written = first.stages[0].notebook.stat().st_mtime_ns
    again = quiet(tmp_path / "run")
    assert again.cached and again == first and "answered from the last run" in again.words
    assert first.stages[0].notebook.stat().st_mtime_ns == written
    (first.folder / "verdict.json").write_text('{"key": ')
    anew = quiet(tmp_path / "run")
    assert not anew.cached and anew.stages == first.stages, "what a stage found is kept, and the rest is made anew"
    last = quiet(tmp_path / "run", again=True)
    assert not last.cached and last.stages[0].notebook.stat().st_mtime_ns > written
    with pytest.raises(ConfigError, match="holds the promotion of something else"):
        quiet(tmp_path / "run", text_of(DIP))


def test_wrong_arguments_are_errors(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match="no style"):
        quiet(tmp_path, settings="trends")
    with pytest.raises(ConfigError, match=r"risk\.max_drawdown_frac"):
        quiet(tmp_path, settings={"risk": {"max_drawdown_frac": 15}})
    with pytest.raises(ConfigError, match="no such file"):
        quiet(tmp_path, tests="nowhere")
    with pytest.raises(ConfigError, match="no such file"):
        quiet(tmp_path, "nowhere.toml")
    with pytest.raises(ConfigError, match="bars is"):
        wb.promote(text_of(DIP), {}, folder=tmp_path)


@pytest.fixture
def stage_that(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts another notebook of one cell in the place of those of the stages."""

    def put(source: str) -> None:
        plain = json.loads(found_file("1_syntax.ipynb").read_text())
        plain["cells"] = [{**plain["cells"][2], "source": source}]
        (tmp_path / "other.ipynb").write_text(json.dumps(plain))
        monkeypatch.setattr(executing, "found_file", lambda _: tmp_path / "other.ipynb")

    return put


def test_a_kernel_sees_no_secret(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, stage_that: Callable[[str], None]
) -> None:
    assert scrubbed({"PATH": "/bin", "WORKBENCH_DATABASE": "x", "AWS_SECRET": "x"}) == {"PATH": "/bin"}
    stage_that("import os\nprint(sorted(os.environ.items()))")
    monkeypatch.setenv("WORKBENCH_DATABASE", "postgresql://me:canary-4711@host/db")
    assert execute(STAGES[0], tmp_path, 60.0, 60.0) == ""
    shown = (tmp_path / "1_syntax.ipynb").read_text()
    assert "PATH" in shown and "canary-4711" not in shown
    assert str(home_folder()) in shown, "calendars are looked for where they are"


@pytest.mark.soak
def test_what_hangs_is_killed_with_what_it_started(tmp_path: pathlib.Path, stage_that: Callable[[str], None]) -> None:
    stage_that("import pathlib, subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
               "pathlib.Path('child').write_text(str(child.pid))\nchild.wait()")  # fmt: skip
    assert "not done after 6 s" in execute(STAGES[0], tmp_path, 600.0, 6.0)
    pid = int((tmp_path / "child").read_text())
    end = time.monotonic() + 10.0
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "what it started still runs"
        time.sleep(0.1)


SCRIPT = """\
import sys
import workbench as wb
from tests.promotion import markets
from tests.promotion.cases import DIP, text_of
wb.promote(text_of(DIP), markets.reverting(1), folder=sys.argv[1], say=lambda line: print(line, flush=True))
"""


@pytest.mark.soak
def test_one_that_was_killed_goes_on_at_its_stage(tmp_path: pathlib.Path) -> None:
    folder, root = tmp_path / "run", pathlib.Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)], stdout=subprocess.PIPE, text=True, cwd=root, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("3/6 Backtest: Is"):
                break
        os.killpg(process.pid, signal.SIGKILL)
    before = {one.file: (folder / f"{one.file}.json").read_bytes() for one in STAGES[:2]}
    verdict = wb.promote(text_of(DIP), markets.reverting(1), folder=folder, say=None)
    assert verdict.passed and not verdict.cached and [one.name for one in verdict.stages] == [s.name for s in STAGES]
    assert before == {one.file: (folder / f"{one.file}.json").read_bytes() for one in STAGES[:2]}
    assert (folder / "paper.db").exists()
