"""Who stands still in a transaction at a server, wherever it stands, keeps nobody out for longer than its lease."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.postgres import address, used_database
from workbench.errors import RetryableError
from workbench.journal.store import Store
from workbench.journal.tables import leases, limits
from workbench.live.locks import Locks
from workbench.live.wall import WallClock

LEASE_NS = 2 * 10**9

#: Holds the lease and writes under it, and stands still before it commits: between two statements; in the middle of a
#: message; in the middle of several that are sent together; with more to read than a socket holds. Then it goes on.
STANDS = """
import os, signal, sys
from workbench.errors import Fenced, RetryableError
from workbench.journal.store import Store
from workbench.journal.tables import limits
from workbench.live.locks import Locks
from workbench.live.wall import WallClock

def stand(where, driver):
    server = driver.pgconn
    if where == "message":
        os.write(server.socket, b"Q" + (1000).to_bytes(4, "big") + b"SELECT")
    if where == "several":
        server.enter_pipeline_mode()
        for number in range(100):
            server.send_query_params(b"INSERT INTO limits VALUES ('me', $1, 1, '', 0)", [b"n%d" % number])
        server.send_flush_request()
        while server.flush():
            pass
    if where == "reading":
        server.send_query(b"SELECT repeat('x', 1000) FROM generate_series(1, 100000)")
        while server.flush():
            pass
    os.kill(os.getpid(), signal.SIGSTOP)

with Store.open(sys.argv[1]) as store:
    locks = Locks(store, WallClock(), int(sys.argv[3]), print)
    assert locks.acquire()
    print("holds", flush=True)
    try:
        with locks.lease.fenced() as connection:
            connection.execute(limits.insert(), {"owner": "me", "name": "late", "value": 1.0})
            stand(sys.argv[2], connection.connection.driver_connection)
            connection.execute(limits.insert(), {"owner": "me", "name": "later", "value": 1.0})
        print("it was kept")
    except RetryableError:
        print("it was undone")
    while True:
        try:
            locks.lease.renew()
        except RetryableError:
            continue  # what was lost with the connection
        except Fenced:
            print("taken over")
        break
"""


def until(condition: Callable[[], bool], seconds: float = 30.0) -> float:
    """Seconds until something is so."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it never was"
        time.sleep(0.02)
    return time.monotonic() - began


def stands_still(pid: int) -> bool:
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.soak
@pytest.mark.skipif(not pathlib.Path("/proc/self/stat").exists(), reason="the state of a process is not in /proc")
@pytest.mark.parametrize("where", ["between", "message", "several", "reading"])
def test_who_stands_still_anywhere_in_a_transaction_is_taken_over_when_its_lease_has_ended(where: str) -> None:
    url = used_database()
    said = list[str]()
    command = [sys.executable, "-c", STANDS, url, where, str(LEASE_NS)]
    with Store.open(url) as store, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout is not None and first.stdout.readline() == "holds\n"
            until(lambda: stands_still(first.pid))
            locks = Locks(store, WallClock(), LEASE_NS, said.append)
            assert not locks.acquire() and said == []
            # Its lease, and a look of the server at how old its transaction is; not a minute, and not for ever.
            assert until(locks.acquire) < LEASE_NS / 1e9 + 5.0
            assert len(said) == 1 and "stood still in a transaction" in said[0]
            assert f"pid {os.getpid()} " in locks.holder()
            with locks.lease.fenced() as connection:
                assert connection.execute(sa.select(limits.c.name)).all() == []
            os.kill(first.pid, signal.SIGCONT)
            assert first.stdout.read() == "it was undone\ntaken over\n" and first.wait(60) == 0
            with locks.lease.fenced() as connection:
                assert connection.execute(sa.select(limits.c.name)).all() == []
        finally:
            first.kill()


def test_only_an_old_transaction_that_locked_the_table_is_ended() -> None:
    url = used_database()
    with Store.open(url) as store, Store.open(url) as other:
        row = {"resource": "runner", "holder": "one", "epoch": 1, "expires_ns": 0}
        with store.write() as connection:
            connection.execute(leases.insert(), row)
        with store.read() as connection:
            assert connection.execute(sa.select(leases)).one().holder == "one"
            assert other.end_long_holders(leases, 0.0) == 0  # it only reads
            assert connection.execute(sa.select(leases)).one().holder == "one"
        with store.write() as connection:
            connection.execute(limits.insert(), {"owner": "me", "name": "kept", "value": 1.0})
            assert other.end_long_holders(leases, 0.0) == 0  # it locked another one
        with store.write() as connection:
            connection.execute(leases.update().values(holder="two"))
            assert other.end_long_holders(leases, 60.0) == 0  # it is young
        with store.read() as connection:
            assert connection.execute(sa.select(leases.c.holder)).scalars().all() == ["two"]
            assert connection.execute(sa.select(limits.c.name)).scalars().all() == ["kept"]
        with pytest.raises(RetryableError):
            ended_inside(store, other)
        with store.read() as connection:
            assert connection.execute(sa.select(leases.c.holder)).scalars().all() == ["two"]


def ended_inside(store: Store, other: Store) -> None:
    """A transaction that somebody else ends."""
    with store.write() as connection:
        connection.execute(leases.update().values(holder="three"))
        assert other.end_long_holders(leases, 0.0) == 1
        connection.execute(leases.update().values(holder="four"))


def test_nobody_is_ended_on_a_file(tmp_path: pathlib.Path) -> None:
    url = address("sqlite", tmp_path)
    with Store.open(url) as store, Store.open(url) as other, store.write() as connection:
        connection.execute(leases.insert(), {"resource": "r", "holder": "h", "epoch": 1, "expires_ns": 0})
        assert other.end_long_holders(leases, 0.0) == 0
        assert connection.execute(sa.select(leases.c.holder)).scalars().all() == ["h"]
