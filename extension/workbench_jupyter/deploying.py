"""Deploying over HTTP: a strategy as TOML and bars that the server can read, by the words of ``workbench deploy``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench_jupyter.plain import plain

if TYPE_CHECKING:  # a server starts without the engine
    from workbench.live.client import Client
    from workbench_jupyter.bodies import Wanted


def previewed(client: Client, _: dict[str, str], sent: Wanted) -> dict[str, Any]:
    """What deploying it would do and meet; nothing is written."""
    given = _given(sent)
    return dict(plain(client.preview(**given)))


def deployed(client: Client, _: dict[str, str], sent: Wanted) -> dict[str, Any]:
    """The status of what was deployed."""
    given = _given(sent)
    client.deploy(**given)
    return dict(plain(client.status(given["name"])))


def _given(sent: Wanted) -> dict[str, Any]:
    """What ``Client.deploy`` takes."""
    from workbench.cli.options import cost_model, moment
    from workbench.cli.sources import Reading, named_bars
    from workbench.live.starting import is_now
    from workbench.strategy import Strategy

    strategy = Strategy.from_toml(sent.strategy)
    reading = Reading(strategy.calendar, sent.timeframe, sent.repair, sent.basis, sent.zone)
    loaded = named_bars(sent.bars, strategy.instruments, reading, strategy.timeframe)
    return {
        "strategy": strategy,
        "history": {name: one.bars for name, one in loaded.items()},
        "costs": cost_model(sent.costs),
        "initial_cash": sent.cash,
        "start": sent.start if is_now(sent.start) else moment(sent.start, "start"),
        "name": sent.name or strategy.name,
        "acknowledged": tuple(sent.acknowledged),
    }
