"""What we mean to tell a broker, and how far each meaning has come (the state machine of an intent).

::

    HELD ──exits filled──▶ PLANNED ──▶ SUBMITTING ──▶ ACKED
     │                        │             ├────────▶ REJECTED    the broker proved that it did not take it
     └──own bar opened──▶ EXPIRED ◀─────────┤ (too late, or blocked before it was sent)
                                            └────────▶ UNKNOWN ──▶ ACKED | REJECTED | OPERATOR

PLANNED was provably never sent; SUBMITTING becomes that again when its only word did not leave. SUBMITTING and UNKNOWN
may have been: what is allowed next depends on the broker (``after_silence``). Nothing is concluded from silence alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from workbench.brokers.port import Idempotency, OrderReport, Request


class IntentState(Enum):
    """How far an intent has come."""

    HELD = "HELD"
    PLANNED = "PLANNED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    ACKED = "ACKED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    OPERATOR = "NEEDS_OPERATOR"


#: States in which something is still to be done.
OPEN = (IntentState.HELD, IntentState.PLANNED, IntentState.SUBMITTING, IntentState.UNKNOWN)


@dataclass
class Intent:
    """One intent as the executor holds it.

    Attributes
    ----------
    number : int
        Place in the order of sending, by deployment.
    request : Request
        What the broker is asked.
    state : IntentState
        How far it has come.
    since_ns : int
        When it was sent last; 0 if never.
    """

    number: int
    request: Request
    state: IntentState
    since_ns: int = 0


class Next(Enum):
    """What to do with an intent of which nobody knows whether it arrived."""

    SEND_AGAIN = "SEND_AGAIN"
    ADOPT = "ADOPT"
    WAIT = "WAIT"
    OPERATOR = "OPERATOR"


def after_silence(
    idempotency: Idempotency, action: str, found: Sequence[OrderReport] | None, waited_ns: int, visible_ns: int
) -> Next:
    """What may be done with an intent in SUBMITTING or UNKNOWN.

    Parameters
    ----------
    idempotency : Idempotency
        What asking twice does at this broker.
    action : str
        SUBMIT, MOVE, CANCEL or TRANSFER; all but the first may be said twice and harm nobody.
    found : sequence of OrderReport, or None
        What the broker shows under its client id; None if it could not be asked.
    waited_ns : int
        Since it was sent.
    visible_ns : int
        How long an order may stay invisible at this broker.

    Returns
    -------
    Next
    """
    if action != "SUBMIT":
        return Next.SEND_AGAIN
    if found:
        return Next.ADOPT
    if idempotency is Idempotency.UNIQUE_FOREVER:
        return Next.SEND_AGAIN
    if found is None or waited_ns < visible_ns:
        return Next.WAIT
    # An order that is invisible for so long was probably never made. Probably is no proof, and a second one is money.
    return Next.OPERATOR
