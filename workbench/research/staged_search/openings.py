"""How many strategies the same bars have been shown out of sample: whoever looks again has used them up.

A part that chose nothing is a test for one strategy. Searched again after a look at it, with other stages or another
statistic, it has begun to choose. So every locked strategy is put on record, by bars, before its run out of sample;
the same one again does not count.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping

from workbench.market.bars import Bars
from workbench.market.home import home_folder, write_atomically
from workbench.strategy import Strategy


def opened(where: bool | str | os.PathLike[str], data: Mapping[str, Bars], strategy: Strategy) -> int:
    """Put a strategy on record.

    Parameters
    ----------
    where : bool or path
        As ``keep``: the project's home, a folder, or False for no record.
    data : mapping of str to Bars
        All bars, of both parts.
    strategy : Strategy
        The locked one.

    Returns
    -------
    int
        Different strategies that have been run out of sample on these bars, this one included; 1 without a record. A
        damaged record counts as none.
    """
    if where is False:
        return 1
    folder = home_folder() / "searches" if where is True else pathlib.Path(where)
    bars = {name: item.hash for name, item in sorted(data.items())}
    key = hashlib.blake2b(json.dumps(bars).encode(), digest_size=16).hexdigest()
    path = folder / f"out_of_sample_{key}.json"
    known = _read(path)
    if strategy.hash not in known:
        known[strategy.hash] = f"{strategy.name} {strategy.version}"
        write_atomically(path, json.dumps({"bars": bars, "strategies": known}, indent=1).encode())
    return len(known)


def _read(path: pathlib.Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["strategies"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
