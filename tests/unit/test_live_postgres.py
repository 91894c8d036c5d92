"""What a person asks of deployments, on PostgreSQL: the same words, rows and proofs as on SQLite."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.operated import Operated, folder
from tests.postgres import used_database
from tests.unit.test_live_beside import beside_a_long_one
from tests.unit.test_live_days import told, upload
from tests.unit.test_live_flatten import exits, said, whole
from workbench.errors import ConfigError, RetryableError
from workbench.live.asking import Verb
from workbench.live.beside import MISMATCH

__all__ = ["folder"]


@pytest.fixture
def desk(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    """A long deployment, running."""
    monkeypatch.setenv("WORKBENCH_HOME", str(folder / "home"))
    operated = Operated(folder, url=used_database())
    operated.deploy()
    yield operated.start()
    operated.store.close()


def test_a_position_is_adopted_and_flattened(desk: Operated) -> None:
    desk = beside_a_long_one(desk)
    assert desk.standing("fade").state == MISMATCH and desk.client.status("fade")["warnings"]
    assert said(desk, Verb.RESOLVE, {"choice": "adopt"}, "fade")[0]
    desk.runner.turn()
    assert desk.standing("fade").held_qty() and not desk.standing("dip").held_qty()
    assert said(desk, Verb.FLATTEN, {}, "fade")[0]
    assert desk.run(lambda: not desk.standing("fade").held_qty())
    assert len(exits(desk, "fade")) == len(exits(desk, "dip")) == 1
    assert whole(desk, "fade") and whole(desk, "dip")


def test_limits_count_and_block(desk: Operated) -> None:
    standing = desk.run_to_position()
    frame = desk.client.limits().set_index("name")
    assert frame.loc["orders_per_day", "used"] == 3 and frame.loc["deployments", "used"] == 1
    desk.client.set_limit("orders_per_day", 3)
    desk.client.set_limit("deployments", 1)
    desk.obey()
    with pytest.raises(ConfigError, match="may have 1 deployment"):
        desk.deploy("second")
    assert desk.run(lambda: not standing.held_qty())
    assert desk.rows("CONFIG_CHANGED") and whole(desk)


def test_an_upload_counts_from_where_a_deployment_stands(desk: Operated, folder: pathlib.Path) -> None:
    desk.run_to_position()
    upload(folder, "2023-01-11,NSE,CLOSED,,,by decree")
    with pytest.raises(RetryableError, match="the calendar NSE was changed"):
        desk.obey()
    desk.start()
    desk.run()
    assert len(told(desk)) == 1 and whole(desk)
