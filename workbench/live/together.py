"""Deployments that move through an instant together: two calls of the kernels for all of them, or for one alone.

The runner, a restart and a replay all move deployments by this. What is fed and what is closed are two calls, because
between them what a part of an order left behind is booked, and the gates say which signals each step may see.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from workbench.engine.desk import grown
from workbench.engine.many_instants import Group, Shown, close_many, told_dtype
from workbench.expressions.instant import NUMBERS, feed_many
from workbench.live.deployed import BAR, Bar, Deployed, digest_of
from workbench.live.schedule import Interval


class Outcome(NamedTuple):
    """What an instant did to one deployment.

    Attributes
    ----------
    is_step : bool
        Whether it was a strategy close.
    is_written : bool
        Whether the engine wrote anything.
    is_held, cash, position_value : bool, float, float
        The account after it.
    is_evaluated : bool
        Whether a strategy bar of some instrument closed.
    is_traded : bool
        Whether some instrument had a base bar.
    digest : str
        Hash of its base bars.
    """

    is_step: bool
    is_written: bool
    is_held: bool
    cash: float
    position_value: float
    is_evaluated: bool
    is_traded: bool
    digest: str


class Together:
    """Deployments that share a calendar and a base timeframe, in one session.

    Parameters
    ----------
    deployments : sequence of Deployed
        All in the same session; to be made anew when one enters another.
    """

    def __init__(self, deployments: Sequence[Deployed]) -> None:
        self._all = tuple(deployments)
        self._day = self._all[0].day
        assert all(one.day is self._day for one in self._all), "deployments in different sessions"
        steppers = [stepper for one in self._all for stepper in one.steppers]
        self._steppers = np.array([one.table.ctypes.data for one in steppers], np.int64)
        desks = np.array([one.one.table.ctypes.data for one in self._all], np.int64)
        self._kinds = np.ascontiguousarray(np.transpose([one.times.flags for one in self._all]))
        first = np.cumsum([0, *(len(one.names) for one in self._all)], dtype=np.int64)
        number = {name: k for k, name in enumerate(sorted({name for one in self._all for name in one.names}))}
        self._number = number
        #: Rows of ``_bars`` of each deployment.
        self._seen = [tuple([number[name] for name in one.names]) for one in self._all]
        self._group = Group(desks, first, np.array([row for rows in self._seen for row in rows], np.int64))
        self._bars = np.full((len(number), 5), np.nan)
        self._flags = np.zeros(len(self._group.rows), np.uint8)
        self._numbers = np.full((len(self._group.rows), NUMBERS), np.nan)
        self._told: Any = np.zeros(len(self._all), told_dtype)
        self._digests: dict[tuple[int, ...], tuple[str, bool]] = {}
        self._spans = list(zip(first[:-1].tolist(), first[1:].tolist(), strict=True))
        self._flagged: list[int] = []
        self._answers: list[tuple[Any, ...]] = []

    def moves(self, deployments: Sequence[Deployed]) -> bool:
        """Whether these are the deployments that it moves, in that order."""
        return len(deployments) == len(self._all) and all(map(is_, deployments, self._all))

    def feed(self, interval: Interval, bars: Mapping[str, Bar]) -> None:
        """Let an interval's bars pass through the expressions of all; nothing is decided.

        Parameters
        ----------
        interval : Interval
            Of the session.
        bars : mapping of str to Bar
            Base bars by instrument; those of others are not looked at.
        """
        if interval.day != self._day.day:
            raise AssertionError("an interval of another session: enter it first")
        self._bars[:] = np.nan
        for name, bar in bars.items():
            row = self._number.get(name)
            if row is not None:
                self._bars[row] = bar
        self._digests.clear()
        feed_many(self._steppers, interval.at, self._bars, self._group.rows, self._flags, self._numbers)
        self._flagged = self._flags.tolist()
        for one in self._all:
            one.passed_ns = interval.close_ns

    def hold_back(self, i: int, names: Collection[str], bits: int) -> None:
        """Take signals of some instruments of a deployment away, between feeding and closing."""
        first, _ = self._spans[i]
        for k, name in enumerate(self._all[i].names):
            if name in names:
                self._flags[first + k] &= 255 - bits

    def close(self, interval: Interval, which: Sequence[int], masks: Sequence[int]) -> None:
        """Base close of the interval that was fed and, at a strategy close, the step.

        Parameters
        ----------
        interval : Interval
            The one that was fed.
        which : sequence of int
            Numbers of the deployments of which decisions have begun.
        masks : sequence of int
            Bits of ``Signal`` that each of those may see.
        """
        instant = np.array([interval.open_ns, interval.close_ns, interval.day], np.int64)
        shown = Shown(instant, self._bars, self._flags, self._numbers)
        allowed = np.zeros(len(self._all), np.uint8)
        allowed[which] = masks
        left = np.array(which, np.int64)
        while len(left):
            close_many(self._group, left, shown, self._kinds[interval.at], allowed, self._told)
            left = left[self._told["answer"][left] < 0]
            for i in left:
                self._all[i].one.use(grown(self._all[i].desk))
        self._answers = self._told.tolist()

    def digest(self, i: int) -> str:
        """Hash of the base bars that a deployment was fed."""
        return self._looked(i)[0]

    def outcome(self, i: int) -> Outcome:
        """What the close did to a deployment that took part in it."""
        answer, written, n_positions, cash, position_value = self._answers[i]
        digest, is_traded = self._looked(i)
        a, b = self._spans[i]
        is_evaluated = any(flag & BAR for flag in self._flagged[a:b])
        return Outcome(
            answer == 1, written > 0, n_positions > 0, cash, position_value, is_evaluated, is_traded, digest
        )  # fmt: skip

    def _looked(self, i: int) -> tuple[str, bool]:
        rows = self._seen[i]
        if rows not in self._digests:
            prices = self._bars[list(rows)]
            self._digests[rows] = digest_of(prices), not bool(np.isnan(prices[:, 3]).all())
        return self._digests[rows]
