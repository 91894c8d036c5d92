"""How good a set's surroundings are."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.research.sweep.space import Set


def plateau_scores(sets: Sequence[Set], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of each set the least value among itself and its neighbours, float64[sets].

    A neighbour has the next smaller or larger value that any set has of one parameter (the next in the order given,
    where values have no order), and all the others equal. A neighbour that was not run says nothing; one whose value is
    undefined (NaN) makes the score NaN: what is beside it cannot be told.
    """
    number = {one: at for at, one in enumerate(sets)}
    scores = np.array(values, np.float64)
    for at in range(len(sets[0]) if sets else 0):
        present = list(dict.fromkeys(one[at] for one in sets))
        with contextlib.suppress(TypeError):  # values without an order keep that in which they were given
            present.sort()
        place = {value: i for i, value in enumerate(present)}
        for i, one in enumerate(sets):
            for step in (-1, 1):
                j = place[one[at]] + step
                if not 0 <= j < len(present):
                    continue
                other = number.get((*one[:at], present[j], *one[at + 1 :]))
                if other is not None:
                    scores[i] = np.nan if np.isnan(scores[i]) else np.minimum(scores[i], values[other])
    return scores
