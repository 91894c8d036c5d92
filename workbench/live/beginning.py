"""The first row of a journal: everything that a deployment is, so that the rest can be replayed from there (P3)."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from workbench.jit import engine_hash
from workbench.live.days import plain
from workbench.live.given import Given


def beginning(given: Given, history: str) -> dict[str, Any]:
    """What a replay needs besides bars and fills, in plain data; ``history`` is the hash of bars before the start."""
    return {
        "owner": given.owner,
        "name": given.name,
        "mode": given.mode,
        "strategy": given.strategy_hash,
        "costs": given.costs.hash,
        **plain(given.calendar),
        "timeframe": str(given.timeframe),
        "instruments": [dataclasses.asdict(one) for one in given.instruments],
        "initial_cash": given.initial_cash,
        "history_from_ns": given.history_from_ns,
        "start_ns": given.start_ns,
        "settings": dict(given.settings),
        "history": history,
        "engine": engine_hash(),
    }


class History:
    """Hash of the bars that passed before decisions began, interval by interval."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)

    def add(self, digest: str) -> None:
        """One interval, by the hash of its bars."""
        self._digest.update(digest.encode())

    def text(self) -> str:
        """Of everything so far."""
        return self._digest.hexdigest()
