"""As a user writes it: what the strategy is meant to be."""

from __future__ import annotations

import os

import workbench as wb


def test_it_is_long_only() -> None:
    assert wb.Strategy.from_toml(os.environ["WORKBENCH_STRATEGY"]).direction == "LONG"
