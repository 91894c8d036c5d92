"""Arrays handed to a kernel by address, many of them in one table of integers.

Unpacking two dozen arrays from their Python objects costs more than what a live runner does with them at a bar. Whoever
makes such a table keeps the arrays alive, contiguous and where they are for as long as it is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array


def laid_out(arrays: Iterable[npt.NDArray[Any]]) -> list[int]:
    """Address and length of each array, one after the other."""
    out: list[int] = []
    for array in arrays:
        assert array.flags.c_contiguous, "a kernel sees what lies behind the address, element after element"
        out += [array.ctypes.data, len(array)]
    return out


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
