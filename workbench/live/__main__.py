"""``python -m workbench.live``: the runner as a process of its own, for a service or a terminal.

Exit codes: 0 asked to end, or at the end of stored bars; 2 a person must look; 3 another runner has taken over.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

from workbench.errors import ConfigError
from workbench.live.exit_codes import Exit
from workbench.live.launch import Launch
from workbench.live.places import default_database
from workbench.live.process import serve
from workbench.live.tie import tie
from workbench.live.wall import Ending, written_time


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments say; returns the exit code."""
    given = _parser().parse_args(arguments)
    launch = Launch(given.database, given.feed, given.replay_from, given.bars, given.speed, given.zone)
    with Ending() as ending:
        if given.tied:
            tie(sys.stdin.fileno(), ending.ask)
        try:
            return serve(launch.service(say, ending))
        except ConfigError as error:
            say(f"error: {error}")
            return Exit.LOOK


def say(text: str) -> None:
    """One line on standard output, with the time; a reader that is gone does not end a runner."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{written_time()} {text}\n")
        sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workbench.live", description="Run what is deployed.")
    parser.add_argument(
        "--database",
        default=default_database(),
        help="path of an SQLite file, or postgresql://...; WORKBENCH_DATABASE, else workbench.db in the home folder",
    )
    parser.add_argument("--feed", metavar="folder:PATH", help="files of bars that something else writes")
    parser.add_argument("--replay-from", metavar="DATE", help="stored bars from this date on, in virtual time")
    parser.add_argument("--bars", nargs="*", default=[], metavar="SOURCE", help="files or folders; else the store")
    parser.add_argument("--speed", default="max", metavar="max|60", help="virtual seconds a second")
    parser.add_argument("--tied", action="store_true", help="end when standard input is closed, as by who started it")
    parser.add_argument("--zone", metavar="ZONE", help="of clock times without offset in files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
