"""How many strategies the same bars have been shown out of sample: whoever looks again has used them up.

A part that chose nothing is a test for one strategy. Searched again after a look at it, with other stages or another
statistic, it has begun to choose. So every locked strategy is put on record, by bars, with what it returned out of
sample. The same one again does not count, nor does one that is the same rule in other words.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib

from workbench.market.home import home_folder, write_atomically
from workbench.research.result import Result


def opened(where: bool | str | os.PathLike[str], result: Result) -> int:
    """Put a run out of sample on record.

    Parameters
    ----------
    where : bool or path
        As ``keep``: the project's home, a folder, or False for no record.
    result : Result
        Of the locked strategy, over the bars of both parts, from where out of sample begins.

    Returns
    -------
    int
        Different strategies that have been run out of sample on these bars, this one included; 1 without a record. A
        damaged record counts as none.
    """
    if where is False:
        return 1
    folder = home_folder() / "searches" if where is True else pathlib.Path(where)
    bars = {name: item.hash for name, item in sorted(result.bars.items())}
    key = hashlib.blake2b(json.dumps(bars).encode(), digest_size=16).hexdigest()
    path = folder / f"out_of_sample_{key}.json"
    known, strategy = _read(path), result.strategy
    sessions = result.sessions
    returned = hashlib.blake2b(sessions.date.tobytes() + sessions.returns.tobytes(), digest_size=16).hexdigest()
    if strategy.hash not in known and returned not in (one["returned"] for one in known.values()):
        known[strategy.hash] = {"name": f"{strategy.name} {strategy.version}", "returned": returned}
        write_atomically(path, json.dumps({"bars": bars, "strategies": known}, indent=1).encode())
    return len(known)


def _read(path: pathlib.Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["strategies"]
        return {key: {"name": one["name"], "returned": one["returned"]} for key, one in known.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
