"""``python -m tests.simulation SEEDS=0:2000 CLASS=LABEL_ONLY AMBIGUITY=0.01 WORKERS=2``; 1 when one is violated."""

from __future__ import annotations

import os
import sys
import tempfile


def main(arguments: list[str]) -> int:
    """Play what the arguments say; the exit code."""
    # A calendar of the user's own must not change what a seed means.
    os.environ["WORKBENCH_HOME"] = tempfile.mkdtemp(prefix="simulation-")
    from tests.simulation.run import complaints, run, table
    from workbench.brokers.port import Idempotency

    given = dict(one.split("=", 1) for one in arguments if one.split("=", 1)[1:] != [""])
    first, _, stop = given.get("SEEDS", "0:300").partition(":")
    seeds = range(int(first), int(stop or int(first) + 1))
    idempotency = Idempotency[given["CLASS"]] if "CLASS" in given else None
    workers = int(given.get("WORKERS", min(os.cpu_count() or 1, max(1, len(seeds) // 60))))
    report = run(seeds, idempotency, float(given.get("AMBIGUITY", "1")), workers)
    print(table(report))
    if report.failures:
        print(complaints(report.failures, stories=len(seeds) == 1))
        print(f"{len(report.failures)} of {report.schedules} schedules violate an invariant")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
