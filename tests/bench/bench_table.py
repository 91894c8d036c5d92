"""What the benchmarks share: repeated measurements, rows of one table, and work in a fresh process.

The machine may be shared: a figure is the median of several repetitions, in seconds of the process's own CPU time
where the work is single-threaded, and peers are measured in turns with us so that both see the same disturbances.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def median_s(
    work: Callable[[], Any], repetitions: int = 7, warm: int = 2, clock: Callable[[], float] = time.process_time
) -> float:
    """Median seconds of some work, after it has run ``warm`` times."""
    for _ in range(warm):
        work()
    seconds = []
    for _ in range(repetitions):
        start = clock()
        work()
        seconds.append(clock() - start)
    return statistics.median(seconds)


def in_turns(works: dict[str, Callable[[], Any]], repetitions: int = 5) -> dict[str, float]:
    """Median seconds of several works that are compared: each once, again and again, after one warm round."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repetitions + 1):
        for name, work in works.items():
            start = time.process_time()
            work()
            seconds[name].append(time.process_time() - start)
    return {name: statistics.median(found[1:]) for name, found in seconds.items()}


def row(what: str, figure: str, wanted: str = "") -> None:
    """Print one row of the table."""
    print(f"\n  {what:<68} {figure:>22}   {wanted}", end="")


def peak_mb() -> float:
    """Most memory this process has held. Of Linux its own figure: the usual one begins with that of the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(held.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def fresh_process(code: str, **environment: str) -> dict[str, float]:
    """Run code in a new Python process that ends by printing a JSON object."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **environment},
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found
