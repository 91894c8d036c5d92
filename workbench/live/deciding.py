"""The two ways in which a deployment moves: what a broker reported is booked, and an interval closes.

The runner and the replay of a journal both call these, so that what is proved is what ran.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from workbench.journal import tables
from workbench.live.deployed import BAR, digest_of, values_of
from workbench.live.gates import Mask
from workbench.live.heard import Heard
from workbench.live.page import Page
from workbench.live.said import Said
from workbench.live.schedule import Interval


def report(said: Said, one: Heard, interval: Interval, gone: Collection[int] = ()) -> None:
    """Book an order that is done; one that ended without a fill is forgotten, and the next close decides anew.

    Parameters
    ----------
    said : Said
        Of the deployment.
    one : Heard
        What the broker did.
    interval : Interval
        Whose bars it did it on.
    gone : collection of int
        Orders that the broker has ended by itself: they need no telling.
    """
    standing = said.standing
    deployed = standing.deployed
    k = deployed.number[one.instrument]
    if one.executions:
        booked = deployed.report((k, one.order, one.ns, one.qty, one.price, one.charges), interval.day)
        assert booked, f"the engine knows no order {one.order} of {one.instrument}"
    elif deployed.withdraw(k, one.order, interval.open_ns):
        said.ended(one.order, one.instrument, interval.open_ns)
    taken = deployed.taken()
    said.actions(taken["actions"], one, gone)
    said.trades(taken["trades"])
    if not one.executions:
        standing.known.pop(one.order, None)


def drop(said: Said, k: int, interval: Interval) -> bool:
    """D8: drop the entry of an instrument whose own bar opened while an exit that it named still works."""
    dropped = said.standing.deployed.drop_waiting(k, interval.open_ns)
    said.actions(said.standing.deployed.taken()["actions"])
    return dropped


def decide(page: Page, said: Said, interval: Interval, flags: npt.NDArray[np.uint8], mask: Mask) -> None:
    """Base close and, at a strategy close, the step; what they say goes on the page.

    Parameters
    ----------
    page : Page
        Where to.
    said : Said
        Of the deployment, on that page.
    interval : Interval
        Whose bars were fed.
    flags : uint8[instruments]
        Bits of ``Signal``.
    mask : Mask
        Signals that the step may see.
    """
    standing = said.standing
    deployed = standing.deployed
    stepped = deployed.close(interval, flags & np.uint8(mask.bits))
    taken = deployed.taken()
    body: dict[str, object] = {"open": interval.open_ns, "bars": digest_of(deployed.prices)}
    if decisions := said.decisions(taken["decisions"]):
        body["decisions"] = decisions
    if mask.word:
        body["held_back"] = mask.word
    if stepped:
        body["values"] = values_of(deployed)
        standing.evaluated_ns = interval.close_ns
        standing.counts["bars"] += bool((flags & BAR).any())
    kind = "EVALUATED" if stepped else "BAR_CLOSED_RECEIVED"
    standing.write(page, interval.close_ns, said.at_ns, kind, body)
    said.actions(taken["actions"])
    said.notes(taken["notes"])
    if deployed.traded:
        page.add(tables.equity_points, _point(said, interval))


def _point(said: Said, interval: Interval) -> dict[str, object]:
    account = said.standing.deployed.desk.account[0]
    return {
        "deployment_id": said.standing.id,
        "ts_ns": interval.close_ns,
        "cash": float(account["cash"]),
        "position_value": float(account["position_value"]),
        "held": bool(account["n_positions"]),
    }
