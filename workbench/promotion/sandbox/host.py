"""The process in which a user's function is called: asked over standard input, answering over what was its output.

Nothing of what the function returns leaves it but codes of signals, and words about what went wrong.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from workbench.promotion.sandbox import walls

#: Longest text about what went wrong.
_WORDS = 2_000


def main() -> None:
    """Load the function that the first message holds, then answer."""
    apart = walls.without_network()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # What the function prints is nobody's answer.
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    import numpy as np
    import pandas as pd

    from workbench.promotion.sandbox.messages import heard, packed

    given = heard(sys.stdin.buffer)
    if given is None:
        return
    import cloudpickle  # noqa: F401 - what was pickled needs it

    import workbench.research.signals.tape  # noqa: F401 - while nothing is in the way yet

    pd.DataFrame({"a": [1.0, 2.0]}).rolling(2).mean()  # loads what pandas loads late
    np.random.default_rng(1)
    walls.limited(int(given["seconds"]))
    files_apart = walls.put_up()
    try:
        function, fields = _loaded(str(given["kind"]), given["function"].tobytes())
    except BaseException as error:  # noqa: BLE001 - whatever it raises is an answer
        _tell(answers, packed({"wrong": _said(error)}))
        return
    _tell(answers, packed({"fields": json.dumps(fields), "network": apart, "files": files_apart}))
    while (asked := heard(sys.stdin.buffer)) is not None:
        try:
            found = _answered(function, asked)
        except BaseException as error:  # noqa: BLE001 - likewise
            _tell(answers, packed({"wrong": _said(error)}))
        else:
            _tell(answers, packed({"codes": found}))


def _loaded(kind: str, content: bytes) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function and its fields, from a pickle or from a source file."""
    from workbench.research.signals import Signals

    if kind == "pickle":
        import cloudpickle

        found = cloudpickle.loads(content)
    else:
        names: dict[str, Any] = {"__name__": "strategy"}
        exec(compile(content.decode(), "strategy.py", "exec"), names)  # noqa: S102 - this process is there for it
        those = {id(one): one for one in names.values() if isinstance(one, Signals)}
        if len(those) != 1:
            raise ValueError(f"the file has {len(those)} functions with @wb.signals; one is asked")
        (found,) = those.values()
    return found.function, {"name": found.name, **found.fields}


def _answered(function: Callable[..., Any], asked: dict[str, Any]) -> Any:
    """Codes for every bar of the whole, or of the last bar of each of some histories."""
    import numpy as np
    import pandas as pd

    from workbench.market.columns import FIELDS
    from workbench.research.signals.tape import codes_of

    index = pd.DatetimeIndex(asked["ts"], dtype="datetime64[ns, UTC]", name="ts")
    frame = pd.DataFrame(dict(zip(FIELDS, asked["block"], strict=True)), index=index)
    if "first" in asked:
        frame = frame.iloc[int(asked["first"]) :]
    if "upto" not in asked:
        return codes_of(function(frame.copy()), frame.index.asi8)  # type: ignore[attr-defined]
    found = np.zeros(len(asked["upto"]), np.uint8)
    for k, i in enumerate(asked["upto"].tolist()):
        part = frame.iloc[: i + 1]
        found[k] = codes_of(function(part.copy()), part.index.asi8)[-1]  # type: ignore[attr-defined]
    return found


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_WORDS]


def _tell(answers: BinaryIO, content: bytes) -> None:
    while content:
        content = content[answers.write(content) :]


if __name__ == "__main__":
    main()
