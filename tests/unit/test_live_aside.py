"""A deployment that cannot be put together stands aside alone, says why, and is tried again when it is asked for."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.operated import Operated, folder
from workbench.cli.app import app
from workbench.journal import tables
from workbench.journal.verify import faults
from workbench.live.arrivals import arrived, still_leaving
from workbench.live.asking import Answer
from workbench.live.assembly import join
from workbench.live.doctor import findings
from workbench.live.replay import find, replayed

__all__ = ["folder"]

#: What may be wrong with a row: the table, what is changed, and words of the note.
DAMAGES = {
    "layout": (tables.deployment_states, {"layout": "of another engine"}, "stored by another version of the engine"),
    "records": (tables.deployment_states, {"records": b"abc"}, "cannot be read"),
    "counts": (tables.deployment_states, {"counts": "{"}, "cannot be read"),
    "calendar": (tables.deployments, {"calendar": "MARS"}, "MARS"),
    "settings": (tables.deployments, {"settings": "no json"}, "its row in the database is damaged"),
    "instruments": (tables.deployments, {"instruments": '[{"nam": 1}]'}, "its row in the database is damaged"),
    "costs": (tables.deployments, {"costs": "[]"}, "damaged"),
}


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """Two deployments, run until the first holds something."""
    operated = Operated(folder)
    operated.deploy("bad")
    operated.deploy("good")
    operated.start()
    operated.run_to_position("bad")
    return operated


def change(desk: Operated, table: Any, values: dict[str, Any], name: str = "bad") -> dict[str, Any]:
    """Change the row of one deployment by hand; what stood there."""
    ident = identity(desk, name)
    key = table.c.id if "id" in table.c else table.c.deployment_id
    with desk.store.write() as connection:
        before = connection.execute(table.select().where(key == ident)).mappings().one()
        connection.execute(table.update().where(key == ident).values(values))
    return {column: before[column] for column in values}


def identity(desk: Operated, name: str) -> str:
    with desk.store.read() as connection:
        found = connection.execute(tables.deployments.select().where(tables.deployments.c.name == name))
        return str(found.one().id)


def asked(desk: Operated, verb: str, **options: Any) -> Answer:
    getattr(desk.client, verb)("bad", **options, wait_s=0)
    (obeyed,) = desk.obey()
    return obeyed.answer


def take_on(desk: Operated) -> None:
    """What a process does after commands."""
    with desk.store.read() as connection:
        new, _ = arrived(connection, desk.runner.standings)
    for one in new:
        assert join(desk.store, desk.runner, one) == ""


def test_the_others_run_on_and_what_is_resumed_much_later_misses_no_bar(desk: Operated) -> None:
    before = change(desk, tables.deployments, {"calendar": "MARS"})
    desk.start()
    desk.run()
    assert desk.client.status("good")["n_trades"] > 1
    change(desk, tables.deployments, before)
    assert asked(desk, "resume").is_done
    take_on(desk)
    desk.run()
    passed = [[row["instant"] for row in desk.rows("EVALUATED", name)] for name in ("bad", "good")]
    assert passed[0] == passed[1]
    decided = [one[1] for row in desk.rows("EVALUATED", "bad") for one in row["body"]["decisions"]]
    assert decided and "NO_BAR" not in decided
    late = [row["body"].get("held_back") for row in desk.rows("EVALUATED", "bad")]
    assert "STALE_DATA" in late and late[-1] is None


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_put_together_stands_aside_alone(desk: Operated, damage: str) -> None:
    table, values, words = DAMAGES[damage]
    before = change(desk, table, values)
    desk.start()
    assert [one.deployed.given.name for one in desk.runner.standings.values()] == ["good"]
    status = desk.client.status("bad")
    assert status["status"] == "ERROR" and not status["is_evaluated"]
    assert words in status["note"] and "`workbench resume bad`" in status["note"] == status["hindrance"]
    (row,) = desk.rows("ERROR", "bad")
    assert words in row["body"]["why"] and row["body"]["was"]["status"] == "RUNNING"
    line = desk.client.deployments().set_index("name").loc["bad"]
    assert (line["status"], line["hindrance"]) == ("ERROR", status["note"])
    desk.start()
    assert len(desk.rows("ERROR", "bad")) == 1, "it is told once"
    assert "still cannot be put together" in asked(desk, "resume").text
    change(desk, table, before)
    assert asked(desk, "resume", why="mended") == Answer(True, "bad can be put together again: it is taken on now.")
    take_on(desk)
    desk.run()
    assert desk.client.trades("bad").equals(desk.client.trades("good"))
    with desk.store.read() as connection:
        given = find(connection, "bad", "local")
        assert not faults(connection, given.id) and replayed(connection, given).differences == []


def test_the_command_line_and_the_doctor_show_what_stands_aside(desk: Operated) -> None:
    change(desk, tables.deployments, {"instruments": "?"})
    desk.start()
    database = str(desk.store.path)
    for words in (["status"], ["status", "bad"], ["journal", "bad", "--kind", "error"]):
        done = CliRunner().invoke(app, [*words, "--database", database], env={"COLUMNS": "300"})
        assert done.exit_code == 0 and "damaged" in done.output, done.output
    (found,) = [one for one in findings(database, desk.clock.now_ns()) if one.what == "bad"]
    assert found.level == "look" and found.text.startswith("ERROR: cannot be put together")


def test_what_stands_aside_is_stopped_only_with_what_it_leaves(desk: Operated) -> None:
    ident, held = identity(desk, "bad"), desk.client.status("bad")["position"][0]["qty"]
    change(desk, tables.deployments, {"calendar": "MARS"})
    desk.start()
    refused = asked(desk, "stop")
    assert not refused.is_done and f"it holds {held:,.0f} NSE:AAA; 2 orders may work at the broker" in refused.text
    assert desk.client.status("bad")["status"] == "ERROR"
    done = asked(desk, "stop", keep=True)
    assert done.is_done and "2 orders may work at the broker: " in done.text
    status = desk.client.deployments().set_index("name").loc["bad"]
    assert (status["status"], status["runtime_state"]) == ("STOPPED", "UNMANAGED_POSITION")
    assert "Close and cancel at the broker" in status["hindrance"]
    body = desk.rows("STOPPED", "bad")[-1]["body"]
    assert body["held"] == {"NSE:AAA": held} and len(body["orders_kept"]) == 2
    desk.start()
    with desk.store.read() as connection:
        assert still_leaving(connection) == ([], [])
        assert not faults(connection, ident)


def test_what_stands_aside_is_killed_and_armed_and_does_nothing_else(desk: Operated) -> None:
    change(desk, tables.deployments, {"calendar": "MARS"})
    desk.start()
    refused = asked(desk, "pause")
    assert not refused.is_done and refused.text.startswith("bad is not run: it cannot be put together")
    desk.client.kill("odd", "bad", wait_s=0)
    (obeyed,) = desk.obey()
    assert obeyed.answer.is_done and desk.switch.down("local", "bad") and not desk.switch.down("local", "good")


def test_a_deployment_that_never_began_begins_when_it_can(folder: pathlib.Path) -> None:
    desk = Operated(folder)
    desk.deploy("bad")
    before = change(desk, tables.deployments, {"calendar": "MARS"})
    desk.start()
    assert [row["kind"] for row in desk.rows(name="bad")] == ["ERROR"]
    change(desk, tables.deployments, before)
    assert asked(desk, "resume").is_done
    take_on(desk)
    desk.run()
    assert [row["kind"] for row in desk.rows(name="bad")][:3] == ["ERROR", "RESUMED", "STARTED"]
    assert desk.client.status("bad")["n_trades"] > 1
    with desk.store.read() as connection:
        assert replayed(connection, find(connection, "bad", "local")).differences == []


def test_what_was_stopped_and_cannot_listen_any_more_waits_for_a_person(desk: Operated) -> None:
    desk.runner.venue.positions = _unknown  # type: ignore[method-assign]
    ident = identity(desk, "bad")
    with desk.store.write() as connection:
        states = tables.deployment_states
        changed = {"status": "STOPPED", "runtime_state": "STOPPING", "layout": "x"}
        connection.execute(states.update().where(states.c.deployment_id == ident).values(changed))
    desk.start()
    with desk.store.read() as connection:
        ((one,), _) = still_leaving(connection)
    assert "another version" in join(desk.store, desk.runner, one)
    line = desk.client.deployments().set_index("name").loc["bad"]
    assert (line["status"], line["runtime_state"]) == ("STOPPED", "PAUSED_RECONCILE")
    assert join(desk.store, desk.runner, one) and len(desk.rows("ERROR", "bad")) == 1
    assert asked(desk, "stop", keep=True).is_done
    with desk.store.read() as connection:
        assert still_leaving(connection) == ([], [])


def _unknown(_account: str) -> dict[str, float]:
    raise AssertionError("nobody asks")
