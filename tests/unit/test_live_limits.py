"""How much an owner may do: blocked when decided and before it is sent, told, counted through restarts, by owner."""

from __future__ import annotations

import pathlib

import pytest

from tests.operated import CASH, COSTS, START, Operated, folder
from tests.unit.test_live_flatten import whole
from workbench.errors import ConfigError
from workbench.live.client import Client
from workbench.live.limits import DEFAULTS, Limits
from workbench.market.timeframe import DAY_NS
from workbench.strategy import Strategy

__all__ = ["folder"]

OWNER = "local"


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment, running."""
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


def used(desk: Operated, name: str, owner: str = OWNER) -> int:
    """What is used of a limit, from the tables."""
    frame = Client(desk.store, owner, clock=desk.clock).limits().set_index("name")
    return int(frame.loc[name, "used"])


def counted(desk: Operated, owner: str = OWNER) -> dict[str, int]:
    """What the runner has counted."""
    limits = desk.runner.gates.limits
    assert limits is not None
    limits.reached(owner, desk.clock.now_ns())
    return limits._counted[owner].used(desk.clock.now_ns())


@pytest.mark.parametrize("name", ["orders_per_second", "orders_per_minute", "orders_per_day"])
def test_a_reached_limit_takes_entries_away_and_the_journal_says_which(desk: Operated, name: str) -> None:
    desk.client.set_limit(name, 0)
    desk.start()
    desk.run()
    words = {row["body"].get("held_back") for row in desk.rows("EVALUATED")}
    assert words == {f"LIMIT_{name.upper()}"}
    assert not len(desk.client.orders("dip")) and whole(desk)


def test_what_was_decided_is_asked_again_before_it_is_sent(folder: pathlib.Path) -> None:
    """Three entries of one close, two of which may go: the third is not sent, and the journal says why."""
    desk = Operated(folder, "AAA", "BBB", "CCC")
    always = Strategy(
        name="all", version="1.0.0", instruments=("NSE:AAA", "NSE:BBB", "NSE:CCC"), timeframe="15m", calendar="NSE",
        product="MIS", entry="close > 0", exit="close < 0", max_open_positions=3,
    )  # fmt: skip
    desk.client.deploy(always, desk.data, COSTS, CASH, START, "all")
    desk.client.set_limit("orders_per_day", 2)
    desk.start()
    desk.run()
    blocked = [row["body"] for row in desk.rows("ORDER_EXPIRED", "all")]
    assert [one["why"] for one in blocked][:1] == ["LIMIT_ORDERS_PER_DAY"]
    first_day = desk.client.fills("all").query("reason == 'ENTRY_SIGNAL'")["ts"].dt.date.value_counts()
    assert first_day.max() == 2
    assert whole(desk, "all")


def test_exits_and_what_protects_are_never_blocked_and_count(desk: Operated) -> None:
    standing = desk.run_to_position()
    before = used(desk, "orders_per_day")
    assert before == counted(desk)["orders_per_day"] == 3, "an entry, a stop and a target"
    desk.client.set_limit("orders_per_day", 1)
    desk.obey()
    assert desk.run(lambda: not standing.held_qty())
    assert used(desk, "orders_per_day") > before
    assert desk.client.fills("dip")["reason"].iloc[-1] != "ENTRY_SIGNAL"
    assert whole(desk)


def test_counting_goes_on_after_a_restart(desk: Operated) -> None:
    desk.run_to_position()
    before = counted(desk)
    assert before["orders_per_day"] > 0
    desk.start()
    assert counted(desk) == before
    fresh = Limits(desk.store)
    fresh.reached(OWNER, desk.clock.now_ns() + DAY_NS)
    assert fresh._counted[OWNER].used(desk.clock.now_ns() + DAY_NS)["orders_per_day"] == 0, "another day"


def test_one_owner_does_not_use_up_what_another_may(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    desk.deploy(owner="other")
    Client(desk.store, "other", clock=desk.clock).set_limit("orders_per_day", 0)
    desk.start()
    desk.run()
    assert len(desk.client.fills("dip")) and used(desk, "orders_per_day", "other") == 0
    assert not len(Client(desk.store, "other", clock=desk.clock).orders("dip"))


def test_a_minute_and_a_second_slide(desk: Operated) -> None:
    limits = Limits(desk.store)
    desk.client.set_limit("orders_per_second", 2)
    desk.client.set_limit("orders_per_minute", 3)
    second, at_ns = 10**9, 100 * DAY_NS
    assert limits.reached(OWNER, at_ns) == ""
    limits.sent(OWNER, at_ns)
    limits.sent(OWNER, at_ns)
    assert limits.reached(OWNER, at_ns) == limits.reached(OWNER, at_ns + second - 1) == "LIMIT_ORDERS_PER_SECOND"
    assert limits.reached(OWNER, at_ns + second) == ""
    limits.sent(OWNER, at_ns + second)
    assert limits.reached(OWNER, at_ns + second) == "LIMIT_ORDERS_PER_MINUTE"
    assert limits.reached(OWNER, at_ns + 60 * second - 1) == "LIMIT_ORDERS_PER_MINUTE"
    assert limits.reached(OWNER, at_ns + 60 * second) == ""


def test_a_deployment_too_many_and_one_too_large_are_refused(desk: Operated) -> None:
    desk.client.set_limit("deployments", 1)
    with pytest.raises(ConfigError, match="local may have 1 deployment, and has as many"):
        desk.deploy("second")
    desk.client.set_limit("deployments", None)
    desk.client.set_limit("instruments", 0)
    with pytest.raises(ConfigError, match="1 instrument, and one deployment may have 0"):
        desk.deploy("second")
    desk.client.set_limit("instruments", 1)
    assert desk.deploy("second")
    assert desk.client.limits().set_index("name").loc["deployments", "used"] == 2


def test_a_stopped_deployment_uses_nothing(desk: Operated) -> None:
    desk.client.set_limit("deployments", 1)
    desk.client.stop("dip", wait_s=0)
    desk.obey()
    assert desk.deploy("second")


def test_a_change_is_told_once_in_every_journal_of_its_owner(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy()
    desk.deploy(owner="other")
    desk.start()
    desk.run_to_position()
    Client(desk.store, who="asha", clock=desk.clock).set_limit("orders_per_minute", 7)
    desk.obey()
    desk.obey()
    assert [row["body"] for row in desk.rows("CONFIG_CHANGED")] == [{"limits": {"orders_per_minute": 7}}]
    assert not len(Client(desk.store, "other", clock=desk.clock).journal("dip", "CONFIG_CHANGED"))
    row = desk.client.limits().set_index("name").loc["orders_per_minute"]
    assert (row["allowed"], row["set_by"]) == (7, "asha")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("orders_per_hour", 1, "there is no limit 'orders_per_hour'. Did you mean 'orders_per_"),
        ("orders_per_day", -1, "orders_per_day = -1: a limit is a whole number"),
        ("orders_per_day", 0.5, "a limit is a whole number"),
        ("orders_per_day", float("nan"), "a limit is a whole number"),
    ],
)
def test_what_is_no_limit_is_refused(desk: Operated, name: str, value: float, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        desk.client.set_limit(name, value)
    assert message in str(caught.value)
    assert desk.client.limits()["allowed"].tolist() == list(DEFAULTS.values())
