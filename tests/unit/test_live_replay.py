"""Rule P3: a journal replays, and one bit that differs anywhere is found."""

from __future__ import annotations

import pathlib
import struct
from typing import Any

import pytest
import sqlalchemy as sa

import workbench as wb
from tests.operated import Operated, folder
from tests.paper_run import paper_run, rows
from workbench.journal import tables
from workbench.journal.chain import FIRST, link
from workbench.journal.store import Store
from workbench.live.replay import Verdict, find, replayed
from workbench.market import samples

__all__ = ["folder"]

STRATEGY = wb.Strategy(
    name="replayed", version="1.0.0", instruments=("NSE:SAMPLE",), timeframe="15m", calendar="NSE", product="MIS",
    entry="close > SMA(close, 8)", exit="RSI(5) > 70", stop_loss_frac=0.004, trailing_stop_frac=0.003,
    take_profit_frac=0.01,
)  # fmt: skip


def flipped(value: float) -> float:
    """The same number with its last bit turned."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return float(struct.unpack("<d", struct.pack("<q", bits ^ 1))[0])


@pytest.fixture(scope="module")
def ran() -> tuple[Store, str]:
    bars = samples.synthetic(seed=3, start="2023-01-02", end="2023-01-06")
    store = Store.open(":memory:")
    return store, paper_run(store, STRATEGY, {"NSE:SAMPLE": bars}, wb.costs.zerodha_equity(3.0), 500_000.0)


def verdict(store: Store, ident: str) -> Verdict:
    with store.read() as connection:
        return replayed(connection, find(connection, ident, "local"))


def planted(store: Store, ident: str, table: sa.Table, place: int, column: str, value: Any) -> list[str]:
    """What a replay says with one cell changed; the cell is put back."""
    columns = list(table.primary_key)
    with store.read() as connection:
        wanted = table.select().order_by(*columns)
        if "deployment_id" in table.c:
            wanted = wanted.where(table.c.deployment_id == ident)
        row = connection.execute(wanted).mappings().all()[place]
    where = [one == row[one.name] for one in columns]
    before = row[column]
    changed = value(before) if callable(value) else value
    assert changed != before
    with store.write() as connection:
        connection.execute(table.update().where(*where).values({column: changed}))
    try:
        return verdict(store, ident).differences
    finally:
        with store.write() as connection:
            connection.execute(table.update().where(*where).values({column: before}))


def test_P3_an_untouched_journal_replays(ran: tuple[Store, str]) -> None:
    store, ident = ran
    found = verdict(store, ident)
    assert found.differences == []
    assert found.intervals == 375
    assert len(rows(store, "fills", ident, "number")) > 10


@pytest.mark.parametrize("place", [0, 41, -1])
@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_P3_one_bit_of_a_bar_is_found(ran: tuple[Store, str], place: int, column: str) -> None:
    store, ident = ran
    assert planted(store, ident, tables.bars, place, column, flipped)


@pytest.mark.parametrize("place", [0, 5, -1])
@pytest.mark.parametrize("column", ["qty", "price", "charges"])
def test_P3_one_bit_of_a_fill_is_found(ran: tuple[Store, str], place: int, column: str) -> None:
    store, ident = ran
    assert planted(store, ident, tables.fills, place, column, flipped)


@pytest.mark.parametrize("column", ["qty", "price", "side", "order_no", "reason"])
def test_P3_a_changed_intent_is_found(ran: tuple[Store, str], column: str) -> None:
    store, ident = ran
    other: Any = (lambda text: text + "X") if column == "reason" else (lambda number: number + 1)
    assert planted(store, ident, tables.intents, 2, column, other)


@pytest.mark.parametrize("column", ["cash", "position_value"])
def test_P3_a_changed_equity_point_is_found(ran: tuple[Store, str], column: str) -> None:
    store, ident = ran
    assert planted(store, ident, tables.equity_points, 100, column, flipped)


def test_P3_a_changed_state_is_found(ran: tuple[Store, str]) -> None:
    store, ident = ran
    assert planted(
        store, ident, tables.deployment_states, 0, "records", lambda old: bytes([old[0] ^ 1]) + old[1:]
    )


def test_P3_a_forged_journal_with_a_mended_chain_is_found(ran: tuple[Store, str]) -> None:
    """Whoever recomputes every hash still cannot make the engine say what it did not say."""
    store, ident = ran
    journal, states = tables.journal, tables.deployment_states
    kept = rows(store, "journal", ident, "seq")
    head = rows(store, "deployment_states", ident)[0]["head_hash"]
    forged = next(row["seq"] for row in kept if '"ENTRY_FALSE"' in row["body"])
    previous = FIRST
    with store.write() as connection:
        for row in kept:
            body = row["body"].replace("ENTRY_FALSE", "WARMING_UP") if row["seq"] == forged else row["body"]
            previous = link(previous, ident, row["seq"], row["instant_ns"], row["at_ns"], row["kind"], body)
            where = (journal.c.deployment_id == ident, journal.c.seq == row["seq"])
            connection.execute(journal.update().where(*where).values(body=body, hash=previous))
        connection.execute(states.update().where(states.c.deployment_id == ident).values(head_hash=previous))
    found = verdict(store, ident).differences
    with store.write() as connection:
        for row in kept:
            where = (journal.c.deployment_id == ident, journal.c.seq == row["seq"])
            connection.execute(journal.update().where(*where).values(body=row["body"], hash=row["hash"]))
        connection.execute(states.update().where(states.c.deployment_id == ident).values(head_hash=head))
    assert found
    assert f"row {forged}" in found[0]


# --- what a broker does by itself -------------------------------------------------------------------------------------


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """One deployment, running."""
    operated = Operated(folder)
    operated.deploy()
    return operated.start()


def test_P3_an_entry_that_the_broker_ended_replays(desk: Operated) -> None:
    standing = desk.run_to_entry()
    account = desk.runner.venue._accounts[standing.id]
    (order,) = account.working.values()
    desk.runner.venue._end(account, order, "CANCELLED", "as the exchange likes")
    desk.runner.venue._save()
    assert desk.run(lambda: bool(desk.rows("ORDER_ENDED")))
    desk.run()
    assert verdict(desk.store, standing.id).differences == []


def test_P3_a_fill_that_nobody_expected_replays(desk: Operated) -> None:
    """An order that has filled fills once more: the execution is kept, and no order was booked by it."""
    standing = desk.run_to_position()
    account = desk.runner.venue._accounts[standing.id]
    fill = next(one for one in account.recent if one.kind == "FILL")
    desk.runner.venue._tell(account, fill._replace(exec_id="again"))
    desk.runner.venue._save()
    desk.runner.hear()
    assert standing.state == "PAUSED_RECONCILE" and "again" in [row["exec_id"] for row in fills_of(desk, standing.id)]
    desk.run()
    assert verdict(desk.store, standing.id).differences == []


def fills_of(desk: Operated, ident: str) -> list[dict[str, Any]]:
    """Executions that are kept."""
    return rows(desk.store, "fills", ident, "number")
