"""What the runner does between a bar and an order when something is not as it should be (design §3, D9, X2, B5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.paper_run import rows
from tests.turns import MINUTE, Desk, made, paused
from workbench.errors import RetryableError
from workbench.journal import tables
from workbench.live.feed import ClosedBar


def test_paused_deployment_enters_nothing_and_says_why() -> None:
    desk = Desk(made([95.0] * 3 + [101.0] * 5))
    desk.turns(3)
    paused(desk)
    desk.turns(6)
    assert desk.fills() == []
    assert [body["held_back"] for body in desk.bodies("EVALUATED") if "held_back" in body] == ["PAUSED"] * 6
    assert desk.replays()


def test_paused_deployment_keeps_its_stop() -> None:
    desk = Desk(made([101.0, 101.0, 101.0, 101.0, 95.0, 95.0]), stop_loss_frac=0.02)
    desk.turns(3)
    assert desk.fills() == [(1, 101.0, "ENTRY_SIGNAL")]
    paused(desk)
    desk.turns(4)
    assert desk.fills()[1:] == [(-1, 98.95, "STOP_LOSS")]
    assert desk.replays()


def test_paused_deployment_is_not_sold_by_its_exit_signal() -> None:
    desk = Desk(made([101.0] * 3 + [80.0] * 4))
    desk.turns(3)
    paused(desk)
    desk.turns(5)
    assert [side for side, _, _ in desk.fills()] == [1]


def test_X2_paused_deployment_is_flattened_by_force() -> None:
    closes = [101.0] * 75
    desk = Desk(made(closes), product="MIS")
    desk.turns(5)
    paused(desk)
    desk.turns(72)
    assert desk.fills()[-1] == (-1, 101.0, "FORCED_FLATTEN")
    assert desk.standing.deployed.desk.account[0]["n_positions"] == 0


def test_an_entry_that_was_committed_but_not_sent_expires_when_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(made([95.0] * 3 + [101.0] * 5))
    desk.turns(4)
    send = desk.runner._hand_over

    def after_a_pause(saids: Any, sends: bool = True) -> None:
        paused(desk)
        send(saids, sends)

    monkeypatch.setattr(desk.runner, "_hand_over", after_a_pause)
    desk.turns(2)
    assert desk.fills() == []
    assert [body["why"] for body in desk.bodies("ORDER_EXPIRED")] == ["PAUSED"]
    assert [row["state"] for row in rows(desk.store, "intents", desk.ident, "number")] == ["EXPIRED"]
    with desk.store.read() as connection:
        assert not connection.execute(tables.paper_orders.select()).all()
    assert desk.replays()


@pytest.mark.parametrize("why", ["PAUSED", "LATE"])
def test_an_entry_that_was_committed_and_not_sent_expires_after_an_end_too(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the paper broker took is kept with its answer, so that an intent without one never left the house."""
    desk = Desk(made([95.0] * 3 + [101.0] * 5))
    desk.turns(4)

    def ends(*_: Any) -> None:
        raise RetryableError("the process is gone")

    monkeypatch.setattr(desk.runner, "_hand_over", ends)
    with pytest.raises(RetryableError):
        desk.turns(2)
    assert [row["state"] for row in rows(desk.store, "intents", desk.ident, "number")] == ["PLANNED"]
    desk.restart()
    if why == "PAUSED":
        paused(desk)
    else:
        desk.clock.wait_until(desk.clock.now_ns() + 6 * MINUTE)
    desk.turns(1)
    assert [body["why"] for body in desk.bodies("ORDER_EXPIRED")] == [why]
    assert rows(desk.store, "intents", desk.ident, "number")[0]["state"] == "EXPIRED"
    assert desk.standing.state == "FLAT"
    assert desk.replays()


def test_stale_bars_open_no_position() -> None:
    desk = Desk(made([95.0] * 3 + [101.0] * 3 + [95.0, 101.0, 80.0, 80.0, 101.0, 101.0]))
    desk.turns(4)
    desk.clock.wait_until(desk.clock.now_ns() + 20 * MINUTE)
    desk.turns(12)
    words = [body.get("held_back", "") for body in desk.bodies("EVALUATED")]
    assert "STALE_DATA" in words
    assert words[-1] == ""
    assert desk.replays()


@pytest.mark.parametrize("same", [True, False])
def test_B5_a_bar_that_comes_again_changes_nothing(same: bool) -> None:
    desk = Desk(made([95.0] * 6))
    desk.turns(3)
    first = rows_of_bars(desk)[0]
    again = ClosedBar("NSE:INFY", "5m", first["ts_ns"], *([first[name] for name in PRICES]))
    desk.runner.inbox.take([again if same else again._replace(close=95.02)])
    desk.turns(2)
    told = desk.bodies("BAR_REVISED")
    assert [body["close"] for body in told] == ([] if same else [95.02])
    assert len([row for row in rows_of_bars(desk) if row["ts_ns"] == first["ts_ns"]]) == (1 if same else 2)
    assert desk.replays()


def test_B5_a_bar_that_comes_too_late_is_told_and_not_used() -> None:
    bars = made([95.0] * 4 + [101.0] + [95.0] * 4)
    desk = Desk(bars)
    feed, held = desk.runner.feed, list[ClosedBar]()
    take = feed.take

    def taken(now_ns: int) -> list[ClosedBar]:
        out = list(take(now_ns))
        held.extend(one for one in out if one.close == 101.0)
        return [one for one in out if one.close != 101.0]

    feed.take = taken  # type: ignore[method-assign]
    desk.turns(7)
    desk.runner.inbox.take(held)
    desk.turns(2)
    assert [body["close"] for body in desk.bodies("LATE_BAR")] == [101.0]
    assert desk.fills() == []
    assert "NO_BAR" in [body["decisions"][0][1] for body in desk.bodies("EVALUATED")]
    assert desk.replays()


PRICES = ("open", "high", "low", "close", "volume")


def rows_of_bars(desk: Desk) -> list[dict[str, Any]]:
    with desk.store.read() as connection:
        return [dict(row) for row in connection.execute(tables.bars.select().order_by(tables.bars.c.ts_ns)).mappings()]


def test_one_job_a_deployment_and_bar() -> None:
    desk = Desk(made([95.0] * 10))
    for _ in range(11):
        desk.turns(1)
        desk.restart()
    keys = [row["key"] for row in rows(desk.store, "jobs", desk.ident, "key")]
    assert len(keys) == len(set(keys)) == 10
    assert len(desk.bodies("EVALUATED")) == 10


def test_every_order_was_an_intent_first() -> None:
    desk = Desk(made([101.0] * 4 + [80.0] * 3), stop_loss_frac=0.5)
    desk.turns(8)
    intents = {row["cid"] for row in rows(desk.store, "intents", desk.ident, "number")}
    with desk.store.read() as connection:
        sent = {row.cid for row in connection.execute(tables.paper_orders.select())}
    assert sent <= intents
    assert len(sent) == 3


def test_a_position_that_the_broker_does_not_have_pauses_visibly() -> None:
    desk = Desk(made([101.0] * 6))
    desk.turns(4)
    assert len(desk.fills()) == 1
    with desk.store.write() as connection:
        connection.execute(tables.paper_accounts.update().values(positions='{"NSE:INFY": [7.0, 0, 0]}'))
    desk.restart()
    desk.turns(2)
    assert desk.standing.state == "PAUSED_RECONCILE"
    assert desk.standing.note == "NSE:INFY: 10 by our fills, 7 at the broker"
    assert desk.bodies("RECONCILIATION_ACTION") == [{"differences": [["NSE:INFY", 10.0, 7.0]]}]


def test_what_agrees_is_not_paused() -> None:
    desk = Desk(made([101.0] * 6))
    desk.turns(4)
    desk.restart()
    desk.turns(2)
    assert desk.standing.state == "IN_POSITION"
    assert desk.bodies("RECONCILIATION_ACTION") == []
