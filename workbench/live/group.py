"""Deployments whose instants come together, for they share a calendar and a base timeframe."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.live.schedule import Interval, Schedule
from workbench.live.standing import Standing, Status
from workbench.live.together import Together


@dataclass
class Group:
    """Deployments that share a calendar and a base timeframe: their instants come together."""

    schedule: Schedule
    standings: dict[str, Standing] = field(default_factory=dict)
    together: Together | None = None
    _followed: frozenset[str] | None = None

    def __post_init__(self) -> None:
        self.timeframe = str(self.schedule.timeframe)  # of the base bars

    def followed(self) -> frozenset[str]:
        """Instruments of its deployments but those that were stopped when they were taken on."""
        if self._followed is None:
            running = (one for one in self.standings.values() if one.status is not Status.STOPPED)
            self._followed = frozenset(name for one in running for name in one.deployed.names)
        return self._followed

    def take_on(self, standing: Standing) -> None:
        """Another deployment."""
        self.standings[standing.id] = standing
        self._followed = None

    def let_go(self, ident: str) -> None:
        """One deployment less."""
        del self.standings[ident]
        self._followed = None

    def next_interval(self) -> Interval | None:
        """The first interval that some running deployment has not passed."""
        passed = [one.deployed.passed_ns for one in self.standings.values() if one.status is not Status.STOPPED]
        return self.schedule.after(min(passed)) if passed else None
