"""A strategy cannot be changed in place, and says how to make another (rule N3)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from workbench.strategy import FixedQty, Strategy

FIELDS: dict[str, Any] = {
    "name": "dip", "version": "1.0.0", "instruments": ("NSE:TCS",), "timeframe": "15m", "calendar": "NSE",
    "product": "MIS", "entry": "close > open", "sizing": FixedQty(10),
}  # fmt: skip


def test_N3_an_assignment_is_refused_with_the_way_to_change() -> None:
    strategy: Any = Strategy(**FIELDS)
    for change, said in (
        (lambda: setattr(strategy, "stop_loss_frac", 0.02), "strategy.replace(stop_loss_frac=0.02)"),
        (lambda: setattr(strategy, "entry", "close > open AND " * 50), "strategy.replace(entry=...)"),
        (lambda: delattr(strategy, "exit"), "strategy.replace(exit=None)"),
        (
            lambda: setattr(strategy, "stop_los_frac", 0.02),
            "no field 'stop_los_frac' (did you mean 'stop_loss_frac'?)",
        ),
        (lambda: setattr(strategy.sizing, "qty", 20), "strategy.replace(sizing=...)"),
    ):
        with pytest.raises(AttributeError) as error:
            change()
        assert isinstance(error.value, dataclasses.FrozenInstanceError)
        assert said in str(error.value)
    assert strategy == Strategy(**FIELDS)
