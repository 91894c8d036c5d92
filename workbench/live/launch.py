"""What a runner is started with, as a person writes it: the same words for the command line and for a service."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import ConfigError
from workbench.live.service import Pace, Say, Service
from workbench.live.sources import FolderSource, ReplaySource, Source
from workbench.live.wall import Ending

_FOLDER = "folder:"


@dataclass(frozen=True)
class Launch:
    """How a runner is asked for.

    Attributes
    ----------
    database : str
        Path or URL.
    feed : str or None
        ``folder:PATH``: bars come from files that something else writes, by the wall's clock.
    replay_from : date, str or None
        Stored bars from this date on, in virtual time.
    bars : sequence of str
        Where stored bars are: files, folders, ``INSTRUMENT=FILE``; nothing means the store.
    speed : str
        Of virtual time: ``max``, or how many virtual seconds a second.
    zone : str or None
        Of clock times without offset in files.
    """

    database: str
    feed: str | None = None
    replay_from: object = None
    bars: Sequence[str] = ()
    speed: str = "max"
    zone: str | None = None

    def service(self, say: Say, ending: Ending) -> Service:
        """What ``serve`` needs.

        Raises
        ------
        ConfigError
            The options contradict each other, or one cannot be read.
        """
        return Service(self.database, self._source(), say, self._pace(), ending)

    def _source(self) -> Source:
        if (self.feed is None) == (self.replay_from is None):
            raise ConfigError(
                "say where bars come from, by one of two: --feed folder:PATH (files that something else writes, by the "
                "wall's clock) or --replay-from DATE (stored bars, in virtual time)."
            )
        if self.feed is None:
            return ReplaySource(self.bars, self.zone)
        if not self.feed.startswith(_FOLDER) or self.feed == _FOLDER:
            raise ConfigError(f"--feed {self.feed!r} does not exist. There is folder:PATH, a folder of files of bars.")
        if self.bars or self.speed != "max":
            raise ConfigError("--bars and --speed are for --replay-from: a feed brings its own bars, when they come.")
        return FolderSource(self.feed.removeprefix(_FOLDER), self.zone)

    def _pace(self) -> Pace:
        if self.replay_from is None:
            return Pace()
        if self.speed == "max":
            return Pace(self.replay_from)
        try:
            speed = float(self.speed)
        except ValueError:
            speed = math.nan
        if not (math.isfinite(speed) and speed > 0.0):
            raise ConfigError(
                f"--speed {self.speed!r} is neither max nor a number above 0, such as 60 for an hour a minute."
            )
        return Pace(self.replay_from, speed)
