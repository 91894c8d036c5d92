"""What a function of the user says of the bars of a promotion, asked in its own process and kept beside the notebooks.

Stage 1 asks it once about all bars; what it says is a tape from then on (``research.signals.tape``), which the other
stages read. Those that must ask again do so in processes of their own.
"""

from __future__ import annotations

import io
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.home import write_atomically
from workbench.promotion.given import Given
from workbench.promotion.sandbox import Caller
from workbench.research.signals.tape import on_tape, strategy_of
from workbench.strategy import Strategy

Codes = npt.NDArray[np.uint8]

_FIELDS, _CODES = "signals.json", "signals.npz"
_UNNAMED = ":UNNAMED"


def calling(given: Given, hash_seed: int = 0) -> Caller:
    """The function of a promotion in a new process; to be used in ``with``."""
    return Caller(given.subject.kind, given.subject.content, given.settings.time.cell_s, hash_seed)


def keep(folder: pathlib.Path, fields: Mapping[str, Any], codes: Mapping[str, Codes]) -> None:
    """Write down what the function said."""
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **dict(codes))
    write_atomically(folder / _CODES, out.getvalue())
    write_atomically(folder / _FIELDS, json.dumps(fields).encode())


def kept_strategy(folder: pathlib.Path, given: Given) -> Strategy:
    """The strategy that reads the tape."""
    return tape_strategy(_kept(folder, _FIELDS, lambda path: json.loads(path.read_text(encoding="utf-8"))), given.data)


def kept_codes(folder: pathlib.Path) -> dict[str, Codes]:
    """What the function said of all bars, by instrument."""

    def read(path: pathlib.Path) -> dict[str, Codes]:
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}

    return _kept(folder, _CODES, read)  # type: ignore[no-any-return]


def tape_strategy(fields: Mapping[str, Any], data: Mapping[str, Bars]) -> Strategy:
    """The strategy that reads the tape, from what the function's file says.

    Raises
    ------
    ConfigError
        Fields and bars do not fit.
    """
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return strategy_of(plain, named(data, plain), str(plain["name"]))


def named(data: Mapping[str, Bars], fields: Mapping[str, Any]) -> dict[str, Bars]:
    """Bars by instrument, where the function's file names the one that nobody else has named."""
    instruments = fields.get("instruments", ())
    if len(data) == 1 and len(instruments) == 1 and next(iter(data)).endswith(_UNNAMED):
        return {str(instruments[0]): next(iter(data.values()))}
    return dict(data)


def taped_data(strategy: Strategy, data: Mapping[str, Bars], codes: Mapping[str, Codes]) -> dict[str, Bars]:
    """Bars of the strategy's instruments with what was said in place of the volume."""
    bars = named(data, {"instruments": strategy.instruments})
    return {name: on_tape(item, codes[key]) for (name, item), key in zip(bars.items(), data, strict=True)}


def _kept(folder: pathlib.Path, name: str, read: Any) -> Any:
    try:
        return read(folder / name)
    except (OSError, ValueError) as error:
        raise ConfigError("the function has not been asked yet: stage 1 does that.") from error
