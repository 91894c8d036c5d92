"""``python -m tests.kills sqlite|postgresql KILLS [SEED]``."""

from __future__ import annotations

import sys

from tests.kills.run import database, killed


def main(kind: str, kills: int, seed: int) -> int:
    with database(kind) as (url, folder):
        tally = killed(url, folder, kills, seed, lambda text: print(text, flush=True))
    print(f"{kind}: {tally.kills} SIGKILLs, {tally.deployments} deployments, {tally.fills} fills, {tally.rows} rows of "
          f"journals, {len(tally.violations)} violations")
    for text in tally.violations[:20]:
        print(text)
    return 1 if tally.violations or tally.kills < kills else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1))
