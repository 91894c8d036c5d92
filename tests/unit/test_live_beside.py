"""Starting beside an existing position: the lasting warning, the pause, the three choices, and what must be said."""

from __future__ import annotations

import pathlib
from typing import Any

import pandas as pd
import pytest

from tests.operated import CASH, COSTS, START, Operated, folder
from tests.unit.test_live_flatten import said, whole
from workbench.errors import ConfigError
from workbench.live.asking import Verb
from workbench.live.beside import MISMATCH, Beside, Held, against
from workbench.live.client import Client
from workbench.strategy import Strategy

__all__ = ["folder"]


def shorts(**changes: Any) -> Strategy:
    """One that sells short."""
    given: dict[str, Any] = {
        "product": "MIS", "direction": "SHORT", "stop_loss_frac": 0.01, "take_profit_frac": 0.05,
        "daily_loss_limit_frac": 0.05, "entry": "RSI(5) > 55", "exit": "RSI(5) < 45", **changes,
    }  # fmt: skip
    return Strategy(
        name="fade", version="1.0.0", instruments=("NSE:AAA",), timeframe="15m", calendar="NSE", **given
    )  # fmt: skip


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """A long deployment, running."""
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


def deploy_short(desk: Operated, owner: str = "local", **changes: Any) -> None:
    client = Client(desk.store, owner, clock=desk.clock)
    start = pd.Timestamp(max(desk.clock.now_ns(), pd.Timestamp(START, tz="UTC").value), tz="UTC")
    client.deploy(shorts(**changes), desk.data["NSE:AAA"], COSTS, CASH, start, "fade", ("short",))


def beside_a_long_one(desk: Operated, **changes: Any) -> Operated:
    """A short deployment that begins while the long one holds something, both running."""
    desk.run_to_position()
    deploy_short(desk, **changes)
    return desk.start()


# --- the warning ------------------------------------------------------------------------------------------------------


def test_the_warning_lasts_as_long_as_the_position_and_is_in_the_journal(desk: Operated) -> None:
    held = desk.run_to_position().deployed.desk.positions[0]
    desk.deploy("second")
    assert desk.client.status("second")["existing"][0]["qty"] == held["qty"], "told before it is taken on"
    desk.start()
    existing = desk.client.status("second")["existing"]
    assert existing == [
        {
            "instrument": "NSE:AAA", "qty": held["qty"], "price": held["entry_price"], "deployments": ["dip"],
            "combined_qty": held["qty"], "combined_notional": held["qty"] * held["mark"],
        }
    ]  # fmt: skip
    assert "Beside this deployment you hold long" in desk.client.status("second")["warnings"][0]
    row = desk.rows("EXISTING_POSITION", "second")[0]["body"]
    assert row["beside"][0]["price"] == held["entry_price"]
    assert desk.standing("second").state != MISMATCH, "the same direction is told, and stops nobody"
    assert desk.run(lambda: bool(desk.standing("second").held_qty()))
    both = desk.client.status("second")["existing"]
    if both:
        own = desk.standing("second").held_qty()["NSE:AAA"]
        assert both[0]["combined_qty"] == pytest.approx(both[0]["qty"] + own)
    assert desk.run(lambda: not desk.standing("dip").held_qty())
    assert desk.client.status("second")["warnings"] == []
    assert whole(desk, "second")


def test_what_another_owner_holds_is_nobodys_business(desk: Operated) -> None:
    desk.run_to_position()
    deploy_short(desk, owner="other")
    desk.start()
    assert desk.standing("fade", "other").state != MISMATCH
    status = Client(desk.store, "other", clock=desk.clock).status("fade")
    assert status["existing"] == [] and status["warnings"] == []


@pytest.mark.parametrize(
    ("direction", "quantities", "expected"),
    [
        ("LONG", [5.0], []),
        ("LONG", [-5.0], [-5.0]),
        ("SHORT", [5.0], [5.0]),
        ("BOTH", [-5.0], []),
        ("LONG", [5.0, -5.0], []),
        ("LONG", [-8.0, 3.0], [-8.0]),
        ("SHORT", [-8.0, 3.0], []),
    ],
)
def test_X5_only_a_net_of_the_other_direction_is_against_it(
    direction: str, quantities: list[float], expected: list[float]
) -> None:
    held = tuple(Held("NSE:A", qty, 10.0, 11.0, f"d{k}", True) for k, qty in enumerate(quantities))
    assert [one.qty for one in against([Beside("NSE:A", held)], direction)] == expected


def test_what_a_stopped_deployment_kept_is_told_and_stops_nobody() -> None:
    one = Beside("NSE:A", (Held("NSE:A", -5.0, 10.0, 11.0, "old", False),))
    assert not one.against("LONG") and one.words() == "short 5 NSE:A at 10 (old, which is stopped)"


def test_the_average_price_is_that_of_the_side_of_the_net() -> None:
    held = (Held("NSE:A", 6.0, 10.0, 1.0, "a", True), Held("NSE:A", 2.0, 14.0, 1.0, "b", True))
    assert Beside("NSE:A", held).price == 11.0
    opposite = Held("NSE:A", -1.0, 99.0, 1.0, "c", True)
    assert Beside("NSE:A", (*held, opposite)).price == 11.0 and Beside("NSE:A", (*held, opposite)).qty == 7.0


# --- the pause --------------------------------------------------------------------------------------------------------


def test_a_mismatch_of_direction_begins_paused_and_says_why(desk: Operated) -> None:
    desk.run_to_position()
    deploy_short(desk)
    assert "It begins paused: you hold long" in desk.client.status("fade")["warnings"][1], "told before it is taken on"
    desk = desk.start()
    status = desk.client.status("fade")
    assert status["runtime_state"] == MISMATCH and not status["is_evaluated"]
    for word in ("you hold long", "NSE:AAA", "(dip)", "SHORT", "workbench resolve fade adopt"):
        assert word in status["hindrance"], word
    assert desk.rows("PAUSED", "fade")[0]["body"]["why"] == "DIRECTION_MISMATCH"
    since = desk.clock.now_ns()
    desk.start()
    desk.run(lambda: desk.clock.now_ns() > since + 2 * 3600 * 10**9)
    evaluated = [row["body"].get("held_back") for row in desk.rows("EVALUATED", "fade")]
    assert evaluated and set(evaluated) == {"PAUSED"} and not len(desk.client.orders("fade"))
    assert whole(desk, "fade")


def test_it_cannot_simply_be_resumed_while_the_position_is_there(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    done, words = said(desk, Verb.RESUME, {"acknowledged": True}, "fade")
    assert not done and "workbench resolve fade adopt" in words
    assert desk.run(lambda: not desk.standing("dip").held_qty())
    done, words = said(desk, Verb.RESUME, {}, "fade")
    assert not done and "--acknowledged" in words
    assert said(desk, Verb.RESUME, {"acknowledged": True}, "fade")[0]
    assert desk.client.status("fade")["is_evaluated"] and whole(desk, "fade")


# --- the three choices ------------------------------------------------------------------------------------------------


def test_to_adopt_moves_the_position_without_the_market_and_only_exits(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    dip, fade = desk.standing("dip"), desk.standing("fade")
    held = dip.deployed.desk.positions[0].copy()
    fills = len(desk.client.fills("dip"))
    done, words = said(desk, Verb.RESOLVE, {"who": "asha", "choice": "adopt"}, "fade")
    assert done and "takes over" in words and "Whoever held it is paused" in words
    desk.runner.turn()
    assert not dip.held_qty() and fade.held_qty() == {"NSE:AAA": held["qty"]}
    taken = fade.deployed.desk.positions[0]
    assert taken["entry_price"] == held["entry_price"] and taken["entry_charges"] == 0.0
    assert taken["stop"] < taken["entry_price"] and len(fade.known) == 2, "a long position is protected as one"
    given_away = desk.client.fills("dip").iloc[fills:].to_dict("records")
    assert [(one["price"], one["charges"], one["reason"]) for one in given_away] == [
        (held["entry_price"], 0.0, "MANUAL_FLATTEN")
    ]
    assert not dip.known and desk.client.status("dip")["status"] == "PAUSED"
    assert desk.runner.venue.positions(dip.id) == {}
    assert desk.runner.venue.positions(fade.id) == {"NSE:AAA": held["qty"]}
    assert desk.rows("POSITION_ADOPTED", "fade")[0]["body"]["from"] == ["dip"]
    assert desk.rows("POSITION_HANDED_OVER", "dip")[0]["body"]["to"] == "fade"
    desk.run()
    assert (desk.client.fills("fade")["reason"] == "ENTRY_SIGNAL").sum() == 1, "nothing is entered any more"
    assert not fade.held_qty() and "exit only" in fade.note
    assert {row["body"].get("held_back") for row in desk.rows("EVALUATED", "fade")} <= {"EXIT_ONLY", "PAUSED"}
    assert whole(desk, "dip") and whole(desk, "fade")
    assert said(desk, Verb.RESUME, {}, "fade")[0] and "exit_only" not in fade.counts


def test_what_was_adopted_is_not_adopted_twice_when_the_runner_ends_in_between(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    held = desk.standing("dip").held_qty()
    desk.runner.executor.flush = lambda _: None  # type: ignore[method-assign]  # it ends before a word is sent
    assert said(desk, Verb.RESOLVE, {"choice": "adopt"}, "fade")[0]
    desk.start()
    desk.runner.turn()
    desk.start()  # and again, when it is not clear whether it was said
    desk.runner.turn()
    assert desk.standing("fade").held_qty() == held and not desk.standing("dip").held_qty()
    assert desk.standing("fade").state == "IN_POSITION" and whole(desk, "fade") and whole(desk, "dip")


def test_to_flatten_closes_the_position_and_goes_on_when_it_is_closed(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    dip, fade = desk.standing("dip"), desk.standing("fade")
    done, words = said(desk, Verb.RESOLVE, {"choice": "flatten", "why": "no"}, "fade")
    assert done and "goes on when it is closed" in words
    assert fade.state == MISMATCH and "waits until" in fade.note
    assert desk.run(lambda: not dip.held_qty())
    desk.run(lambda: fade.state != MISMATCH)
    assert desk.client.status("fade")["is_evaluated"] and desk.client.status("dip")["status"] == "PAUSED"
    assert desk.client.trades("dip")["exit_reason"].iloc[-1] == "MANUAL_FLATTEN"
    assert [row["kind"] for row in desk.rows(name="fade") if row["kind"] in ("MISMATCH_RESOLVED", "RESUMED")] == [
        "MISMATCH_RESOLVED", "RESUMED",
    ]  # fmt: skip
    desk.run()
    assert len(desk.client.fills("fade")), "it trades"
    assert whole(desk, "dip") and whole(desk, "fade")


def test_to_stay_keeps_it_paused_and_closes_nothing(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    done, words = said(desk, Verb.RESOLVE, {"choice": "stay", "who": "asha"}, "fade")
    assert done and "stays paused" in words
    assert desk.rows("MISMATCH_RESOLVED", "fade")[0]["body"]["choice"] == "STAY"
    assert desk.standing("dip").held_qty() and "asha" in desk.standing("fade").note
    desk.run()
    assert not len(desk.client.orders("fade"))
    assert desk.client.status("fade")["status"] == "PAUSED" and whole(desk, "fade")


def test_a_pause_ends_the_wait_for_a_position_to_be_closed(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    assert said(desk, Verb.RESOLVE, {"choice": "flatten"}, "fade")[0]
    assert said(desk, Verb.PAUSE, {}, "fade")[0]
    desk.run()
    assert desk.client.status("fade")["status"] == "PAUSED" and not len(desk.client.orders("fade"))


def test_X5_a_short_position_is_not_adopted_by_delivery(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    deploy_short(desk)
    desk.start()
    desk.run_to_position("fade")
    desk.client.deploy(
        Strategy(
            name="buy", version="1.0.0", instruments=("NSE:AAA",), timeframe="15m", calendar="NSE", product="CNC",
            entry="RSI(5) < 45", exit="RSI(5) > 55",
        ),
        desk.data["NSE:AAA"], COSTS, CASH, START, "buy",
    )  # fmt: skip
    desk.start()
    assert desk.standing("buy").state == MISMATCH
    done, words = said(desk, Verb.RESOLVE, {"choice": "adopt"}, "buy")
    assert not done and "CNC is long only" in words and "Nothing was changed" in words
    assert desk.standing("fade").held_qty() and not desk.standing("buy").known


@pytest.mark.parametrize("choice", ["", "ignore", "ADOPT NOW"])
def test_what_is_no_choice_changes_nothing(desk: Operated, choice: str) -> None:
    desk = beside_a_long_one(desk)
    done, words = said(desk, Verb.RESOLVE, {"choice": choice}, "fade")
    assert not done and "there are ADOPT, FLATTEN, STAY" in words


def test_who_does_not_wait_has_nothing_to_choose(desk: Operated) -> None:
    done, words = said(desk, Verb.RESOLVE, {"choice": "flatten"})
    assert not done and "does not wait beside a position" in words


# --- what must be said ------------------------------------------------------------------------------------------------


def test_X5_a_short_deployment_needs_a_word_and_a_daily_loss_limit(desk: Operated) -> None:
    def attempt(strategy: Strategy, *words: str) -> str:
        return desk.client.deploy(strategy, desk.data["NSE:AAA"], COSTS, CASH, START, "fade", words)

    with pytest.raises(ConfigError, match=r"daily_loss_limit_frac = 0\.02"):
        attempt(shorts(daily_loss_limit_frac=None), "short")
    with pytest.raises(ConfigError, match="--acknowledge-short"):
        attempt(shorts())
    with pytest.raises(ConfigError, match="cannot be acknowledged"):
        attempt(shorts(), "shorts")
    attempt(shorts(), "short")
    desk.start()
    assert desk.rows("STARTED", "fade")[0]["body"]["settings"] == {"acknowledged": ["short"]}


def test_B8_to_enter_at_once_needs_a_word_and_decides_on_the_last_bar(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    always = Strategy(
        name="now", version="1.0.0", instruments=("NSE:AAA",), timeframe="15m", calendar="NSE", product="MIS",
        entry="close > 0", exit="close < 0",
    )  # fmt: skip
    history = desk.data["NSE:AAA"].between(None, "2023-01-10 05:31+00:00")
    end_ns = int(history.grid.close_ns[-1])
    desk.clock.wait_until(end_ns)
    with pytest.raises(ConfigError, match="--confirm-entry"):
        desk.client.deploy(always, history, COSTS, CASH, "at once", "now")
    desk.client.deploy(always, history, COSTS, CASH, "at once", "now", ("at_once",))
    desk.client.deploy(always, history, COSTS, CASH, None, "later")
    desk.start()
    last_close = end_ns - end_ns % (15 * 60 * 10**9)
    desk.runner.turn()
    assert [one.kind for one in desk.standing("now").known.values()] == ["open"]
    assert desk.client.orders("now")["ts"].iloc[0].value == last_close
    assert not desk.standing("later").known, "without the word it waits for a bar"
    desk.run(lambda: bool(desk.standing("now").held_qty()))
    assert desk.client.fills("now")["ts"].iloc[0].value >= last_close
    assert whole(desk, "now")
