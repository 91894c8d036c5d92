"""What is done for a route: a method of the client as it is, or a few lines more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench_jupyter.plain import plain, rows_of

if TYPE_CHECKING:  # a server starts without the engine
    import pandas as pd

    from workbench.live.client import Client
    from workbench.live.killswitch import Flag

Call = Callable[["Client", dict[str, str], Any], Any]


def table(read: str) -> Call:
    """A table of the client's."""

    def call(client: Client, names: dict[str, str], _: Any) -> Any:
        return rows_of(getattr(client, read)(**names))

    return call


def asked(verb: str) -> Call:
    """A command to the runner: everything that was sent is an argument."""

    def call(client: Client, names: dict[str, str], sent: Any) -> Any:
        return getattr(client, verb)(**names, **sent.model_dump())._asdict()

    return call


def status(client: Client, names: dict[str, str], _: Any) -> Any:
    """Everything that is known of a deployment."""
    return plain(client.status(**names))


def journal(client: Client, names: dict[str, str], sent: Any) -> Any:
    """A page of a journal."""
    return rows_of(client.journal(names["name"], **sent.model_dump()))


def equity(client: Client, names: dict[str, str], sent: Any) -> Any:
    """An account's course, or about so many points of it."""
    found = client.equity(names["name"])
    return rows_of(found if sent.most is None else _thinned(found, sent.most), "ts_close")


def kill(client: Client, _: dict[str, str], sent: Any) -> Any:
    """Kill everything of the owner, and close it if that is asked."""
    from workbench.live.emergency import kill_and_flatten

    return (kill_and_flatten(client, sent.why) if sent.flatten else client.kill(sent.why))._asdict()


def killed_alone(flag: Flag, sent: Any, failed: Exception) -> Any:
    """What is so when a kill is on the disk and the database cannot be opened."""
    from workbench.live.client import told_later

    reply = told_later(flag.words(), failed)
    if getattr(sent, "flatten", False):
        reply = reply._replace(text=f"{reply.text} No position is being closed.")
    return reply._asdict()


def set_limit(client: Client, names: dict[str, str], sent: Any) -> Any:
    """Set a limit; all of them then."""
    client.set_limit(names["name"], sent.value)
    return rows_of(client.limits())


def strategies(client: Client, _: dict[str, str], __: Any) -> Any:
    """What was deployed."""
    from workbench.live.pinned import strategies_of

    with client.store.read() as connection:
        return plain(strategies_of(connection, client.owner))


def calendar(_: Client, names: dict[str, str], __: Any) -> Any:
    """What a calendar says of today and of the sessions to come."""
    import time

    from workbench.errors import ConfigError, NotFound
    from workbench.live.coming import calendar_facts
    from workbench.market.calendar import resolve_calendar

    try:
        found = resolve_calendar(names["name"])
    except ConfigError as error:
        raise NotFound(str(error)) from error
    return plain(calendar_facts(found, time.time_ns()))


def _thinned(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """The points that keep the shape of equity and drawdown: no peak and no loss is smoothed away."""
    import numpy as np

    from workbench.research.thinning import extremes

    if len(frame) <= most:
        return frame
    kept = [extremes(frame[name].to_numpy(np.float64), most // 2) for name in ("equity", "drawdown_frac")]
    return frame.iloc[np.union1d(*kept)]
