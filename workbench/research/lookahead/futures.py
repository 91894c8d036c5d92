"""Other futures: bars that might have followed (a random walk), on the stamps of those that did."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

#: A market that does not move at all is given this much, as deviation of the log return of a bar.
LEAST_DEVIATION = 1e-3


def other_future(block: Float64, i: int, draw: np.random.Generator) -> Float64:
    """The bars with everything after bar ``i`` made up.

    Parameters
    ----------
    block : float64[5, n]
        Open, high, low, close, volume.
    i : int
        The last bar that stays.
    draw : numpy.random.Generator
        Source of chance.

    Returns
    -------
    float64[5, n]
        A new block. Closes are a random walk from close i, half as wild to twice as wild as the data, that begins with
        a move up or down larger than any in the data; volumes are drawn from the data's and changed.
    """
    new = block.copy()
    count = block.shape[1] - 1 - i
    if count <= 0:
        return new
    deviation = largest = LEAST_DEVIATION
    if block.shape[1] > 2:
        returns = np.diff(np.log(block[3]))
        deviation, largest = max(deviation, float(np.std(returns))), max(largest, float(np.abs(returns).max()))
    steps = deviation * draw.uniform(0.5, 2.0) * draw.standard_normal((2, count))
    # Who looks at the next bar only must not be able to miss it.
    steps[0, 0] = largest * draw.uniform(1.0, 4.0) * draw.choice([-1.0, 1.0])
    # Far futures stay within what a float holds well.
    close = block[3, i] * np.exp(np.clip(np.cumsum(steps[0]), -20.0, 20.0))
    opens = np.concatenate([block[3, i : i + 1], close[:-1]]) * np.exp(0.3 * steps[1])
    reach = 1.0 + deviation * np.abs(draw.standard_normal((2, count)))
    new[0, i + 1 :], new[3, i + 1 :] = opens, close
    new[1, i + 1 :] = np.maximum(opens, close) * reach[0]
    new[2, i + 1 :] = np.minimum(opens, close) / reach[1]
    new[4, i + 1 :] = np.floor(draw.choice(block[4], count) * draw.lognormal(0.0, 0.5, count)) + 1.0
    return new
