"""``python -m tests.kills WHAT COUNT [SEED]``: what real processes and real databases are put through.

| | |
|---|---|
| ``sqlite KILLS [SEED]``, ``postgresql KILLS [SEED]`` | SIGKILL the runner, until it has traded all its bars |
| ``races KILLS [SEED]`` | the kill switch against entries that are being sent |
| ``runners-sqlite ROUNDS [SEED]``, ``runners-postgresql ...`` | two runners, one of which stands still and goes on |
"""

from __future__ import annotations

import sys

from tests.kills.races import raced
from tests.kills.run import database, killed
from tests.kills.runners import taken_over


def say(text: str) -> None:
    print(text, flush=True)


def kills(kind: str, count: int, seed: int) -> bool:
    """SIGKILLs of the process on one kind of database; whether all was well."""
    with database(kind) as (url, folder):
        tally = killed(url, folder, count, seed, say)
    say(
        f"{kind}: {tally.kills} SIGKILLs, {tally.deployments} deployments, {tally.fills} fills, {tally.rows} rows of "
        f"journals, {len(tally.violations)} violations"
    )
    _tell(tally.violations)
    return not tally.violations and tally.kills >= count


def races(count: int, seed: int) -> bool:
    """The kill switch against entries; whether none came after its word."""
    found = raced(count, seed, say)
    say(
        f"{len(found.races)} kills among {found.entries} entries, {found.met} met entries on their way, "
        f"{sum(one.is_locked for one in found.races)} met a locked database; from kill to "
        f"gate p50 {found.latency_ms(0.5):.1f} ms, p99 {found.latency_ms(0.99):.1f} ms, most "
        f"{found.latency_ms(1.0):.1f} ms; {found.unsettled} said that an entry may still arrive; "
        f"{len(found.late)} batches of entries after the word of a kill"
    )
    _tell(found.late)
    return not found.late


def runners(kind: str, count: int, seed: int) -> bool:
    """Two runners on one kind of database; whether the one that was taken over did nothing more."""
    with database(kind) as (url, folder):
        found = taken_over(url, folder, count, seed, say)
    say(
        f"{kind}: {found.taken_over} of {found.rounds} times taken over, {found.fills} fills, "
        f"{len(found.violations)} violations"
    )
    _tell(found.violations)
    return not found.violations and found.taken_over == found.rounds


def _tell(violations: list[str]) -> None:
    for text in violations[:20]:
        say(text)


def main(what: str, count: int, seed: int = 1) -> int:
    """Do what the line says; the exit code is 1 when something was not as it must be."""
    if what == "races":
        return int(not races(count, seed))
    if what.startswith("runners-"):
        return int(not runners(what.removeprefix("runners-"), count, seed))
    return int(not kills(what, count, seed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:4])))
