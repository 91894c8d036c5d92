"""What a deployment is, as its row says: never changed while it runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from workbench.costs import CostModel
from workbench.errors import ConfigError
from workbench.market.calendar import Calendar, resolve_calendar
from workbench.market.instruments import Instrument
from workbench.market.timeframe import Timeframe
from workbench.strategy import Strategy


@lru_cache(maxsize=1024)
def _strategy(content: str) -> Strategy:
    """A strategy by its text; deployments of one version share it and its program."""
    return Strategy.from_toml(content)


@lru_cache(maxsize=64)
def _costs(content: str) -> CostModel:
    """A cost model by its text; deployments mostly share one."""
    return CostModel.from_dict(json.loads(content))


@dataclass(frozen=True)
class Given:
    """One deployment as it was asked for.

    Attributes
    ----------
    id, owner, name : str
        Its id, whose it is, what they call it.
    strategy : Strategy
        What it trades, pinned.
    mode : str
        paper or live.
    calendar : Calendar
        Of its exchange.
    timeframe : Timeframe
        Of its base bars.
    costs : CostModel
        Charges and slippage of the paper broker, and what sizing expects.
    instruments : tuple of Instrument
        Sorted by name, as they were when it was deployed.
    initial_cash : float
        Sizing reference (S1), money.
    history_from_ns : int
        Opening instant of the first bar that counts (B8).
    start_ns : int
        Decisions begin with the first strategy bar that opens at or after it; 0 means with the first bar.
    settings : mapping
        Of the deployment, as it was asked for.
    strategy_hash : str
        Of the strategy's content.
    """

    id: str
    owner: str
    name: str
    strategy: Strategy
    mode: str
    calendar: Calendar
    timeframe: Timeframe
    costs: CostModel
    instruments: tuple[Instrument, ...]
    initial_cash: float
    history_from_ns: int
    start_ns: int
    settings: Mapping[str, Any]
    strategy_hash: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its instruments, sorted."""
        return tuple(one.name for one in self.instruments)

    @property
    def account(self) -> str:
        """Its account at the paper broker."""
        return self.id

    @classmethod
    def of(cls, row: Mapping[Any, Any], content: str) -> Given:
        """From a row of ``deployments`` and the text of its strategy.

        Raises
        ------
        ConfigError
            The row cannot be read, or names what is not here.
        """
        try:
            return cls._of(row, content)
        except ConfigError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ConfigError(f"deployment {row['name']}: its row in the database is damaged: {error!r}.") from error

    @classmethod
    def _of(cls, row: Mapping[Any, Any], content: str) -> Given:
        return cls(
            id=row["id"],
            owner=row["owner"],
            name=row["name"],
            strategy=_strategy(content),
            mode=row["mode"],
            calendar=resolve_calendar(row["calendar"]),
            timeframe=Timeframe.parse(row["timeframe"]),
            costs=_costs(row["costs"]),
            instruments=tuple(Instrument(**one) for one in json.loads(row["instruments"])),
            initial_cash=row["initial_cash"],
            history_from_ns=row["history_from_ns"],
            start_ns=row["start_ns"],
            settings=json.loads(row["settings"]),
            strategy_hash=row["strategy_hash"],
        )


class Unreadable(NamedTuple):
    """A deployment whose row cannot be read: its id, its name, and why."""

    id: str
    name: str
    why: str


def readable(rows: Iterable[Mapping[Any, Any]]) -> tuple[list[Given], list[Unreadable]]:
    """Deployments of rows with the text of their strategies, and those that cannot be read."""
    found, damaged = list[Given](), list[Unreadable]()
    for row in rows:
        try:
            found.append(Given.of(row, row["content"]))
        except ConfigError as error:
            damaged.append(Unreadable(row["id"], row["name"], str(error)))
    return found, damaged
