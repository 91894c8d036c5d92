"""``workbench promote``: exit codes and what is said, with nothing that needs a server."""

from __future__ import annotations

import pathlib

import pytest
from typer.testing import CliRunner

from tests.promotion import markets
from tests.promotion.cases import DIP, text_of
from workbench.cli import app


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """With bars, where the command is typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WORKBENCH_HOME", raising=False)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    bars = markets.reverting(1, begin="2022-01-01", end="2022-03-31")
    bars.frame.reset_index().to_parquet("SAMPLE_15m.parquet")
    return tmp_path


def test_what_is_no_strategy_has_not_passed(folder: pathlib.Path) -> None:
    (folder / "bad.toml").write_text("name = ")
    done = CliRunner().invoke(app, ["promote", "bad.toml", "--ci", "--junit", "told.xml"])
    assert done.exit_code == 1 and "FAILED at syntax" in done.stdout and "report: " in done.stdout
    assert "not valid TOML" in done.stderr and (folder / "told.xml").exists()
    (page,) = (folder / ".workbench" / "promotions").glob("*/report.html")
    assert "Failed at syntax" in page.read_text()


def test_what_is_given_wrongly_is_2(folder: pathlib.Path) -> None:
    (folder / "dip.toml").write_text(text_of(DIP))
    for line, words in (
        (["promote", "none.toml"], "no such file"),
        (["promote", "dip.toml", "--bars", "SAMPLE_15m.parquet", "--settings", "trends"], "no style"),
        (["promote", "dip.toml", "--bars", "SAMPLE_15m.parquet", "--costs", "zeroda"], "zerodha"),
    ):
        done = CliRunner().invoke(app, line)
        assert done.exit_code != 0 and words in (done.stderr + str(done.exception)), line


def test_a_function_says_which_bars_it_wants(folder: pathlib.Path) -> None:
    (folder / "dip.py").write_text("import workbench as wb\n@wb.signals\ndef dip(bars): return None\n")
    done = CliRunner().invoke(app, ["promote", "dip.py", "--bars", "SAMPLE_15m.parquet"])
    assert done.exit_code != 0
    assert "does not say instruments and calendar and timeframe" in done.stderr + str(done.exception)
