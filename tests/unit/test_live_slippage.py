"""P4: live differs from paper only in where fills come from, and the report says by how much, order by order."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.operated import Operated, folder
from workbench.brokers import paper
from workbench.cli.app import app
from workbench.engine.desk import config_record
from workbench.engine.records import Records
from workbench.live.slippage import Order, Priced, model_price

__all__ = ["folder"]

#: Basis points by which the other broker is worse than the model, for the trader, in every fill.
WORSE = 3.0


def run(folder: pathlib.Path, **changes: Any) -> Operated:
    desk = Operated(folder)
    desk.deploy(**changes)
    desk.start().run()
    return desk


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let fills come from somewhere else: each a little worse than the model says."""
    fill = paper.PaperBroker._fill

    def worse(self: Any, account: Any, order: Any, bar: Any, price: float) -> None:
        fill(self, account, order, bar, price * (1.0 + order.request.side * WORSE / 1e4))

    monkeypatch.setattr(paper.PaperBroker, "_fill", worse)


def test_P4_a_fill_of_a_paper_deployment_is_the_models_to_the_last_bit(folder: pathlib.Path) -> None:
    frame = run(folder, trailing_stop_frac=0.004, stop_loss_frac=0.002, take_profit_frac=0.003).client.slippage("dip")
    assert set(frame["kind"]) == {"open", "stop", "target"} and len(frame) > 6
    assert frame["fill_price"].equals(frame["model_price"])
    assert (frame[["difference_bps", "cost_bps", "cost"]] == 0.0).all(axis=None)


def test_P4_the_report_says_by_how_much_fills_differ_from_the_model(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch)
    desk = run(folder)
    frame = desk.client.slippage("dip")
    assert set(frame["side"]) == {"BUY", "SELL"} and len(frame) == len(desk.client.fills("dip")) > 3
    assert np.allclose(frame["cost_bps"], WORSE)
    assert np.allclose(frame["difference_bps"], np.where(frame["side"] == "BUY", WORSE, -WORSE))
    assert np.allclose(frame["cost"], frame["model_price"] * frame["qty"] * WORSE / 1e4)
    done = CliRunner().invoke(app, ["slippage", "dip", "--database", str(desk.store.path)], env={"COLUMNS": "300"})
    assert done.exit_code == 0 and "3.00 bps of what was traded" in done.output, done.output


def test_P4_what_is_decided_does_not_know_where_fills_come_from(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    signals = {"stop_loss_frac": None, "take_profit_frac": None}
    on_paper = run(folder / "a", **signals)
    elsewhere(monkeypatch)
    live = run(folder / "b", **signals)
    first = on_paper.client.orders("dip").drop(columns=["order_id", "qty"])
    assert len(first) > 4
    assert first.equals(live.client.orders("dip").drop(columns=["order_id", "qty"]))
    decided = [
        [(row["instant"], row["body"].get("decisions"), row["body"]["values"]) for row in desk.rows("EVALUATED")]
        for desk in (on_paper, live)
    ]
    assert decided[0] == decided[1]
    assert not on_paper.client.fills("dip")["price"].equals(live.client.fills("dip")["price"])


def test_P4_nothing_that_filled_is_an_empty_report(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    frame = desk.client.slippage("dip")
    assert len(frame) == 0 and list(frame.columns)[:2] == ["ts", "instrument"]
    done = CliRunner().invoke(app, ["slippage", "dip", "--database", str(desk.store.path)])
    assert done.exit_code == 0 and "Nothing of dip has filled yet" in done.output


BARS = [Priced(0, 10, 100.0, 101.0, 99.0), Priced(10, 20, 98.0, 98.5, 97.0), Priced(30, 40, 103.0, 104.0, 102.0)]


@pytest.fixture
def config(folder: pathlib.Path) -> Records:
    """Slippage of ten basis points."""
    from tests.operated import strategy

    return config_record(strategy(), 0.001)


@pytest.mark.parametrize(
    ("order", "filled_ns", "expected"),
    [
        (Order("open", 1, 0.0, 10), 12, 98.0 * 1.001),
        (Order("open", 1, 0.0, 20), 35, 103.0 * 1.001),  # a gap: the next bar there is
        (Order("open", -1, 0.0, 31), 50, None),
        (Order("stop", -1, 99.5, 0), 5, 99.5 * 0.999),
        (Order("stop", -1, 99.5, 0), 15, 98.0 * 0.999),  # F4: through the stop at the open
        (Order("stop", -1, 96.0, 0), 15, None),
        (Order("stop", 1, 100.5, 0), 5, 100.5 * 1.001),
        (Order("target", -1, 102.5, 0), 35, 103.0),
        (Order("target", -1, 100.5, 0), 5, 100.5),
        (Order("target", -1, 100.5, 0), 25, None),  # no bar
    ],
)
def test_P4_the_price_of_the_model(config: Records, order: Order, filled_ns: int, expected: float | None) -> None:
    assert model_price(order, filled_ns, BARS, config) == expected
