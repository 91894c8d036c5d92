"""One instant from Python: the call that a live runner makes at every bar.

The compiled step takes two dozen arrays, and unpacking each of them from its Python object costs more than the step
itself. ``OneInstant`` holds the arrays and hands their addresses over as one table of integers, from which the
kernel makes the same arrays again. It is the same ``advance_instant`` that the loop of a backtest calls.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from workbench.engine import records
from workbench.engine.costs import rates_dtype
from workbench.engine.loop import advance_instant, room
from workbench.engine.records import Desk, Market, Signals, Times
from workbench.jit import njit

CONFIG, INSTRUMENT, RATES = records.config_dtype, records.instrument_dtype, rates_dtype
ACCOUNT, POSITION, SCRATCH = records.account_dtype, records.position_dtype, records.scratch_dtype
ACTION, FILL, TRADE = records.action_dtype, records.fill_dtype, records.trade_dtype
DECISION, NOTE = records.decision_dtype, records.note_dtype


@intrinsic  # type: ignore[untyped-decorator]
def array_at(typing_context: Any, address: Any, shape: Any, dtype: Any) -> Any:
    """The C-contiguous array at an address; the caller keeps what is there alive."""
    kind = types.Array(dtype.dtype, shape.count, "C")

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = make_array(kind)(context, builder)
        cell = context.get_data_type(kind.dtype)
        size = context.get_constant(types.intp, context.get_abi_sizeof(cell))
        lengths = cgutils.unpack_tuple(builder, arguments[1])
        strides = [size]
        for length in reversed(lengths[1:]):
            strides.insert(0, builder.mul(strides[0], length))
        data = builder.inttoptr(arguments[0], cell.as_pointer())
        populate_array(array, data=data, shape=lengths, strides=strides, itemsize=size, meminfo=None)
        return array._getvalue()  # noqa: SLF001 (how numba hands a built value over)

    return kind(types.int64, shape, dtype), build


@njit
def desk_at(table):  # type: ignore[no-untyped-def]
    """The desk whose arrays' addresses and lengths begin the table."""
    return Desk(
        array_at(table[0], (table[1],), CONFIG),
        array_at(table[2], (table[3],), INSTRUMENT),
        array_at(table[4], (table[5],), RATES),
        array_at(table[6], (table[7],), ACCOUNT),
        array_at(table[8], (table[9],), POSITION),
        array_at(table[10], (table[11],), SCRATCH),
        array_at(table[12], (table[13],), ACTION),
        array_at(table[14], (table[15],), FILL),
        array_at(table[16], (table[17],), TRADE),
        array_at(table[18], (table[19],), DECISION),
        array_at(table[20], (table[21],), NOTE),
    )


@njit
def advance_at(table):  # type: ignore[no-untyped-def]
    """Advance by the one instant in the table; 1 if it was a strategy close, 0 if not, -1 if a buffer is full."""
    desk = desk_at(table)
    n = len(desk.positions)
    times = Times(
        array_at(table[22], (1,), np.int64),
        array_at(table[23], (1,), np.int64),
        array_at(table[24], (1,), np.int32),
        array_at(table[25], (1,), np.uint8),
    )
    market = Market(
        times,
        array_at(table[26], (1, n), np.float64),
        array_at(table[27], (1, n), np.float64),
        array_at(table[28], (1, n), np.float64),
        array_at(table[29], (1, n), np.float64),
    )
    signals = Signals(
        array_at(table[30], (1, n), np.uint8),
        array_at(table[31], (table[33], n), np.float64),
        array_at(table[32], (table[34], n), np.float64),
    )
    if not room(desk):
        return -1
    return advance_instant(desk, market, 0, signals, 0)


class OneInstant:
    """A desk and room for one instant, ready to be advanced again and again.

    Write the instant into ``market`` and what the expressions say into ``signals``, in place, and call ``advance``.

    Parameters
    ----------
    desk : Desk
        Its arrays are used, not copied.
    ranked, with_atr : bool
        Whether the strategy has a rank, and a stop in multiples of ATR.
    """

    def __init__(self, desk: Desk, ranked: bool = False, with_atr: bool = False) -> None:
        n = len(desk.positions)
        when = Times(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int32), np.zeros(1, np.uint8))
        self.market = Market(when, *(np.full((1, n), np.nan) for _ in range(4)))
        self.signals = Signals(
            np.zeros((1, n), np.uint8), np.full((int(ranked), n), np.nan), np.full((int(with_atr), n), np.nan)
        )
        self.use(desk)

    def use(self, desk: Desk) -> None:
        """Go on with another desk of the same instruments: a restored one, or the same with larger buffers."""
        self.desk = desk
        numbers: list[int] = []
        for array in desk:
            numbers += [array.ctypes.data, len(array)]
        numbers += [array.ctypes.data for array in (*self.market.times, *self.market[1:], *self.signals)]
        numbers += [len(self.signals.rank), len(self.signals.atr)]
        self._table = np.array(numbers, np.int64)

    def advance(self) -> int:
        """Fills, base close and, at a strategy close, the step, for the instant written into ``market``.

        Returns
        -------
        int
            1 at a strategy close, 0 at another instant, -1 when an output buffer is too full and nothing was done.
        """
        if numba.config.DISABLE_JIT:
            return advance_instant(self.desk, self.market, 0, self.signals, 0) if room(self.desk) else -1
        return int(advance_at(self._table))
