"""As a user writes it: what the strategy is not."""

from __future__ import annotations

import os

import workbench as wb


def test_it_has_a_stop() -> None:
    assert wb.Strategy.from_toml(os.environ["WORKBENCH_STRATEGY"]).stop_loss_frac is not None
