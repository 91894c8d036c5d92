"""What we hold beside what the broker says we hold: pure (design §3, step 6).

Nothing is corrected by guessing. A difference pauses the deployment and is shown; exits and stops go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from workbench.tolerance import equal


class Difference(NamedTuple):
    """One instrument of which we and the broker hold different quantities (signed units)."""

    instrument: str
    ours: float
    broker: float

    def __str__(self) -> str:
        return f"{self.instrument}: {self.ours:g} by our fills, {self.broker:g} at the broker"


def differences(ours: Mapping[str, float], broker: Mapping[str, float]) -> list[Difference]:
    """Instruments on which the two do not agree, by name; absent means nothing held.

    Parameters
    ----------
    ours : mapping of str to float
        Signed units by our executions.
    broker : mapping of str to float
        Signed units by the broker's report.
    """
    names = sorted({*ours, *broker})
    found = (Difference(name, ours.get(name, 0.0), broker.get(name, 0.0)) for name in names)
    return [one for one in found if not equal(one.ours, one.broker)]
