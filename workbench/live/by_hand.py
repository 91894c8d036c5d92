"""What a person does to positions: close them, or hand them from one deployment to another (rules D1, D4, F8).

A person's exit is an order like another: an intent, sent by the executor, filled by the broker, with the reason
MANUAL_FLATTEN. The runner and the replay of a journal both call these, so that what is proved is what ran.

Closing is asked for until it is done: an exit that was refused, or ended short, is sent again at the next close.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from workbench.engine.desk import grown
from workbench.live.deployed import Deployed
from workbench.live.mismatch import takes_over
from workbench.live.said import Said
from workbench.live.schedule import schedule_of
from workbench.live.standing import Standing
from workbench.live.stopping import is_entry

#: In ``Standing.counts``, before the name of an instrument that a person wants closed: when it was asked first.
ASKED = "flatten "
#: In ``Standing.counts``: there is such an instrument.
FLATTENING = "flattening"


class Terms(NamedTuple):
    """On what a position changes hands.

    Attributes
    ----------
    side : int
        +1 long, -1 short.
    qty, price : float
        Units, and the average price at which they were entered.
    atr : float or None
        For a stop in multiples of it (F2).
    """

    side: int
    qty: float
    price: float
    atr: float | None


def flatten(said: Said, names: Iterable[str], ns: int, body: Mapping[str, Any]) -> None:
    """Take back the entries of instruments, send the exits of their positions, and ask again until they are flat.

    What a broker has filled in part is taken back first, and leaves when it is booked.

    Parameters
    ----------
    said : Said
        Of the deployment.
    names : iterable of str
        Instruments.
    ns : int
        When it was asked: an exit fills at an open after that (X1).
    body : mapping
        Who asks and why, for the journal.
    """
    standing, wanted = said.standing, sorted(names)
    standing.counts[FLATTENING] = 1
    for name in wanted:
        standing.counts.setdefault(ASKED + name, ns)
    parts = {name: _in_parts(standing, name) for name in wanted}
    # What is on its way from another deployment leaves when it is here.
    now = [name for name in wanted if not parts[name] and not takes_over(standing)]
    standing.write(said.page, ns, said.at_ns, "FLATTEN_REQUESTED", {**body, "instruments": now})
    leave(said, now, ns)
    for order in sorted(order for orders in parts.values() for order in orders):
        if order not in standing.cut:
            said.cut(order, ns)


def go_on_flattening(said: Said, ns: int) -> None:
    """At a close: send again what should be on its way and is not, and forget what is flat.

    Not at a close that passes late, from before it was asked: an exit must not fill at an open of then.
    """
    standing = said.standing
    asked = [key.removeprefix(ASKED) for key in standing.counts if key.startswith(ASKED)]
    for name in asked:
        if _is_flat(standing, name):
            del standing.counts[ASKED + name]
    if not any(ASKED + name in standing.counts for name in asked):
        del standing.counts[FLATTENING]
    left = [name for name in asked if standing.counts.get(ASKED + name, ns) <= ns]
    left = [name for name in left if not _is_flat(standing, name) and not _is_leaving(standing, name)]
    if left:
        flatten(said, left, ns, {"who": "", "why": "asked for, and not flat yet"})


def forget(standing: Standing) -> None:
    """Ask no more for what is not flat yet: the strategy goes on with it. What was sent stays sent."""
    for key in [key for key in standing.counts if key.startswith((ASKED, FLATTENING))]:
        del standing.counts[key]


def leave(said: Said, names: Iterable[str], ns: int) -> None:
    """Send the exits of instruments, and take their entries back."""
    deployed = said.standing.deployed
    session = session_of(deployed, ns)
    for name in names:
        call = partial(deployed.one.leave, deployed.number[name], ns, session)
        _again(deployed, call)
        said.actions(deployed.taken()["actions"])


def hand_over(said: Said, name: str, ns: int, price: float) -> None:
    """Send the exit by which a position leaves for another deployment, at a price and without the market."""
    said.transfer_price = price
    leave(said, [name], ns)
    said.transfer_price = None


def take_over(said: Said, name: str, ns: int, terms: Terms) -> bool:
    """Send the entry by which a position comes from another deployment; whether the instrument was free for it."""
    deployed = said.standing.deployed
    atr = math.nan if terms.atr is None else terms.atr
    when = (ns, session_of(deployed, ns))
    call = partial(deployed.one.take_over, deployed.number[name], when, terms.side, terms.qty, atr)
    taken = _again(deployed, call) == 1
    said.transfer_price = terms.price
    said.actions(deployed.taken()["actions"])
    said.transfer_price = None
    return taken


def terms_of(body: Mapping[str, Any]) -> Terms:
    """As a row of the journal tells them."""
    return Terms(*(body[name] for name in Terms._fields))


def session_of(deployed: Deployed, ns: int) -> int:
    """Number of the session in which what is sent at an instant can fill."""
    coming = schedule_of(deployed.given.calendar, deployed.given.timeframe).after(ns)
    return deployed.day.day if coming is None else coming.day


def _is_flat(standing: Standing, name: str) -> bool:
    """Whether an instrument holds nothing, and nothing is on its way that may change that."""
    row = standing.deployed.desk.positions[standing.deployed.number[name]]
    return bool(row["qty"] == 0.0 and row["pending_side"] == 0) and not _in_parts(standing, name)


def _is_leaving(standing: Standing, name: str) -> bool:
    """Whether an exit works, what filled in part waits to be booked, or the position is still to come."""
    if takes_over(standing):
        return True
    row = standing.deployed.desk.positions[standing.deployed.number[name]]
    return bool(row["exit_reason"] != 0) or any(order in standing.cut for order in _in_parts(standing, name))


def _in_parts(standing: Standing, name: str) -> list[int]:
    """Entries, stops and targets of an instrument that have filled in part."""
    known = {order: standing.known[order] for order in standing.parts}
    return [order for order, one in known.items() if one.instrument == name and (is_entry(one) or one.kind != "open")]


def _again(deployed: Deployed, call: Callable[[], int]) -> int:
    """Call the engine, with larger buffers if one is too full."""
    while (answer := int(call())) < 0:
        deployed.one.use(grown(deployed.desk))
    return answer
