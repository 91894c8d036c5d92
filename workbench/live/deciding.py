"""The two ways in which a deployment moves: what a broker reported is booked, and an interval closes.

The runner and the replay of a journal both call these, so that what is proved is what ran.
"""

from __future__ import annotations

from collections.abc import Collection

from workbench.journal import tables
from workbench.live.deployed import NOTHING, values_of
from workbench.live.heard import Heard
from workbench.live.page import Page
from workbench.live.said import Said
from workbench.live.schedule import Interval
from workbench.live.together import Outcome


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


def warm(said: Said, interval: Interval, digest: str) -> None:
    """Write down that bars were fed before decisions begin (B8); ``digest`` is their hash."""
    body = {"open": interval.open_ns, "bars": digest}
    said.standing.write(said.page, interval.close_ns, said.at_ns, "BAR_WARMED", body)


def decide(
    page: Page, said: Said, interval: Interval, outcome: Outcome, held_back: str, stale: Collection[str] = ()
) -> None:
    """Write down what a base close and, at a strategy close, the step said.

    Parameters
    ----------
    page : Page
        Where to.
    said : Said
        Of the deployment, on that page.
    interval : Interval
        Whose bars were fed.
    outcome : Outcome
        What it did to the deployment.
    held_back : str
        Why the step did not see some signals; empty if it saw all.
    stale : collection of str
        Instruments whose signals to enter it did not see, for their bars are missing.
    """
    standing = said.standing
    deployed = standing.deployed
    taken = deployed.taken() if outcome.is_written else NOTHING
    body: dict[str, object] = {"open": interval.open_ns, "bars": outcome.digest}
    if len(taken["decisions"]):
        body["decisions"] = said.decisions(taken["decisions"])
    if held_back:
        body["held_back"] = held_back
    if stale:
        body["stale"] = sorted(stale)
    if outcome.is_step:
        body["values"] = values_of(deployed)
        standing.evaluated_ns = interval.close_ns
        standing.counts["bars"] += outcome.is_evaluated
    kind = "EVALUATED" if outcome.is_step else "BAR_CLOSED_RECEIVED"
    standing.write(page, interval.close_ns, said.at_ns, kind, body)
    if outcome.is_written:
        said.actions(taken["actions"])
        said.notes(taken["notes"])
    if outcome.is_traded:
        point = {
            "deployment_id": standing.id,
            "ts_ns": interval.close_ns,
            "cash": outcome.cash,
            "position_value": outcome.position_value,
            "held": outcome.is_held,
        }
        page.add(tables.equity_points, point)
