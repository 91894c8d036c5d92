"""The command line as a whole: help, exit codes, messages, what is loaded, and the command in a process of its own."""

from __future__ import annotations

import io
import os
import pathlib
import resource
import subprocess
import sys

import pytest
from rich.console import Console

from tests.command_line import expect, made_up, run, write_csv, write_strategy
from workbench.cli import failures, screen
from workbench.cli.failures import debug_first, message_of
from workbench.cli.screen import plain, printable, show_table
from workbench.errors import ConfigError, DataError, ExpressionError, HaltError, StrategyError

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMANDS = [
    ("backtest",), ("sweep",), ("staged",), ("evaluate",), ("indicators",), ("demo",), ("version",), ("data", "import"),
    ("data", "validate"), ("data", "list"), ("calendar", "import"), ("calendar", "show"),
]  # fmt: skip


def in_a_process(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -m workbench`` with arguments."""
    command = [sys.executable, "-m", "workbench", *map(str, args)]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=240, cwd=ROOT, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    text = expect(0, *command, "--help")
    assert text.startswith("Usage: workbench " + " ".join(command))
    assert "--help" in text


def test_help_names_the_commands_examples_and_exit_codes() -> None:
    text = expect(0, "--help")
    words = ("backtest", "data", "calendar", "evaluate", "indicators", "demo", "version", "Examples:", "Exit codes")
    assert not [word for word in words if word not in text]


def test_every_line_of_help_fits() -> None:
    texts = [expect(0, *command, "--help") for command in [(), *COMMANDS]]
    assert max(len(line) for text in texts for line in text.splitlines()) <= 112


def test_no_arguments_show_help() -> None:
    assert "Usage: workbench" in run().output
    assert "Usage: workbench data" in run("data").output


def test_an_unknown_command_is_refused_with_a_suggestion() -> None:
    assert "'backtest'" in expect(2, "backtst")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['workbench', '--help']\nfrom workbench.cli import app\n"
        "try:\n    app()\nexcept SystemExit:\n    print('\\n'.join(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "workbench.cli.app" in loaded
    assert not {"numpy", "pandas", "numba", "pyarrow", "exchange_calendars", "lark", "rich.console"} & loaded


def test_python_m_workbench_runs_a_backtest(tmp_path: pathlib.Path) -> None:
    strategy = write_strategy(tmp_path)
    bars = write_csv(tmp_path / "AAA_5m.csv", made_up())
    trades = tmp_path / "out" / "trades.csv"
    done = in_a_process("backtest", strategy, "--bars", bars, "--output", trades, WORKBENCH_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "hash " in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert trades.read_text().startswith("instrument,direction,qty,entry_ts")


def test_python_m_workbench_refuses_with_a_short_message(tmp_path: pathlib.Path) -> None:
    done = in_a_process("backtest", tmp_path / "none.toml", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "none.toml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a"), 2), (DataError("a"), 2), (StrategyError("a"), 2), (ExpressionError("a"), 2),
        (HaltError("a"), 1), (ValueError("a"), 1), (KeyError("a"), 1), (OSError(28, "No space left"), 1),
    ],
)  # fmt: skip
def test_an_error_becomes_an_exit_code_and_a_message(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def fails(_: object) -> None:
        raise error

    monkeypatch.setattr("workbench.cli.about.say", fails)
    text = expect(code, "version")
    foreseen = isinstance(error, (ConfigError, HaltError))
    assert text.startswith("error: " if foreseen else "unexpected failure: ")
    assert ("--debug" in text) is not foreseen


@pytest.mark.parametrize("args", [("--debug", "version"), ("version", "--debug")])
def test_debug_shows_the_traceback_wherever_it_stands(monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]) -> None:
    def fails(_: object) -> None:
        raise KeyError("gone")

    monkeypatch.setattr("workbench.cli.about.say", fails)
    outcome = run(*args)
    assert outcome.exit_code == 1
    assert "Traceback" in outcome.output
    assert "KeyError" in outcome.output


def test_debug_is_taken_before_two_dashes_only() -> None:
    assert debug_first(["a", "--debug", "b"]) == ["--debug", "a", "b"]
    assert debug_first(["a", "--", "--debug"]) == ["a", "--", "--debug"]
    assert debug_first(["a"]) == ["a"]


def test_messages_of_files_name_options() -> None:
    said = message_of(DataError("x. zone='Asia/Kolkata'. repair='drop' drops; columns={'open': ...}; max_jump_ratio"))
    assert said == "x. --zone Asia/Kolkata. --repair drop drops; --columns open=...; --max-jump-ratio"
    assert message_of(DataError("in order: columns=('date', 'time').")) == "in order: --columns date,time."
    assert message_of(ConfigError("zone='a'")) == "zone='a'"


def test_text_of_a_user_is_shown_letter_for_letter(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "[red]a[/x] \x1b[31mb\tc :smile:"
    show_table("[bold]t", ("[i]", ">[/]"), [(evil, None)])
    failures.say_failure(ConfigError(evil))
    shown = capsys.readouterr()
    spelt = "[red]a[/x] \\x1b[31mb\\tc :smile:"
    assert spelt in shown.out
    assert spelt in shown.err
    assert "[bold]t" in shown.out
    assert "\x1b" not in shown.out + shown.err


@pytest.mark.parametrize("width", [200, 80, 20])
def test_nothing_in_a_table_is_cut_off(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=width, markup=False)
    monkeypatch.setattr(screen, "results", lambda: shown)
    path, reason = "a/long/path/that/has/no/spaces_5m.parquet", "one two three four five six seven eight nine ten"
    show_table("a title longer than narrow terminals", ("file", ">bars", "~reason"), [(path, "9,193", reason)])
    words = shown.file.getvalue().split()  # type: ignore[attr-defined]
    assert {path, "9,193", *reason.split()} <= set(words)


@pytest.mark.bench
def test_help_is_quick() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert in_a_process("--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"workbench --help: {seconds:.2f} s of processor time")
    assert seconds < 0.4


def test_printable_keeps_letters_spaces_and_line_breaks() -> None:
    assert printable("ä −1\u202f%\n日本") == "ä −1\u202f%\n日本"
    assert printable("\udcff\x00") == "\\udcff\\x00"
    assert plain(1.5).plain == "1.5"


def test_progress_and_signs_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(terminal: bool, total: int) -> str:
        shown = Console(file=io.StringIO(), force_terminal=terminal, width=80)
        monkeypatch.setattr(screen, "errors", lambda: shown)
        with screen.progress(total, "Reading") as begin:
            for k in range(total):
                begin(f"[red]file{k}\x1b")
        with screen.busy("Running"):
            pass
        return shown.file.getvalue()  # type: ignore[attr-defined,no-any-return]

    assert told(False, 3) == ""
    text = told(True, 3)
    assert "Reading [red]file2\\x1b" in text
    assert "2/3" in text
    assert "Running" in text
    assert "Reading" not in told(True, 1)


def test_version_names_the_version_and_on_request_the_engine() -> None:
    from workbench import __version__
    from workbench.jit import engine_hash

    assert expect(0, "version") == f"workbench {__version__}\n"
    assert expect(0, "--version") == f"workbench {__version__}\n"
    assert f"engine {engine_hash()}" in expect(0, "version", "--all")


def test_demo_hands_the_folder_over_and_shows_what_it_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    from rich.table import Table

    from workbench.research import demo

    def stands_in(folder: pathlib.Path, say: object) -> None:
        table = Table("figure")
        table.add_row("1.23")
        say(f"[bold]done[/bold] in {folder}")  # type: ignore[operator]
        say(table)  # type: ignore[operator]

    monkeypatch.setattr(demo, "run_demo", stands_in)
    text = expect(0, "demo", tmp_path / "[red]d")
    assert f"done in {tmp_path}/[red]d" in text
    assert "1.23" in text


def test_an_installation_without_the_demo_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "workbench.research.demo", None)
    assert "no demo" in expect(2, "demo")
