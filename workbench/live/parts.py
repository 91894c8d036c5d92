"""What has filled in part: a part that is held must be protected, and what protects must fit it.

What has not filled of an entry, a stop or a target by the close of its bar is taken back; what has is booked a bar
later, whatever the broker has told by then. An exit by market goes on until it is done.
"""

from __future__ import annotations

from workbench.live.deciding import report
from workbench.live.heard import Heard
from workbench.live.said import Said
from workbench.live.schedule import Interval
from workbench.live.standing import Known


def book_parts(said: Said, interval: Interval) -> None:
    """At the close of a bar: take back what has not filled, and book what was taken back a bar before."""
    standing = said.standing
    for order in sorted(standing.parts):
        if order not in standing.parts:
            continue  # what was booked before it has closed its position
        known = standing.known[order]
        if order in standing.cut:
            report(said, Heard(order, known.instrument, tuple(standing.parts.pop(order))), interval)
        elif _may_be_cut(known):
            said.cut(order, interval.close_ns)


def take_rests_back(said: Said) -> None:
    """A part that is heard of when its bar has closed: what has not filled is taken back now, not a bar later."""
    standing, passed_ns = said.standing, said.standing.deployed.passed_ns
    for order in sorted(standing.parts):
        has_closed = any(event.ns < passed_ns for event in standing.parts[order])
        if has_closed and order not in standing.cut and _may_be_cut(standing.known[order]):
            said.cut(order, passed_ns)


def _may_be_cut(known: Known) -> bool:
    return known.reason == "ENTRY_SIGNAL" or known.kind != "open"
