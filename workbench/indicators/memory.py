"""How kernels reach the memory of nodes: by its address, not as an array object.

Numba counts references of every array it hands to a function, with an atomic instruction each time: three
times the work of the indicator itself. The address of the first cell costs nothing. Where bounds are to be
checked (``NUMBA_BOUNDSCHECK=1``) or nothing is compiled (``NUMBA_DISABLE_JIT=1``) the array itself is handed on.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba.core import types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from workbench.jit import njit

#: The flat float64 cells that hold the memory of nodes, as the caller sees them.
Memory = npt.NDArray[np.float64]


@intrinsic  # type: ignore[untyped-decorator]
def _address(typingctx: Any, array: Any) -> Any:
    """Address of the first cell of a contiguous float64 array; the caller keeps the array alive."""
    if not (isinstance(array, types.Array) and array.layout == "C" and array.dtype == types.float64):
        return None
    signature = types.CPointer(types.float64)(array)  # type: ignore[attr-defined]

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, arguments[0]).data
        return impl_ret_borrowed(context, builder, signature.return_type, data)

    return signature, codegen


if numba.config.BOUNDSCHECK or numba.config.DISABLE_JIT:

    @njit
    def cells(state: Memory) -> Memory:
        """The memory of nodes as kernels take it: here the array itself, so that bounds are checked."""
        return state

else:

    @njit
    def cells(state: Memory) -> Memory:
        """The memory of nodes as kernels take it: the address of the first cell of a contiguous float64 array."""
        address: Memory = _address(state)
        return address
