"""The lease: one holder at a time, and whoever lost it writes nothing more."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import cast

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.postgres import address
from workbench.errors import ConfigError, HaltError, RetryableError, UncertainCommit
from workbench.journal.store import Store
from workbench.journal.tables import leases, limits
from workbench.live.lease import Fenced, FileLease, Lease

TTL_NS = 100


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.ns = 1_000

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    return address(request.param, tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def lease(store: Store, clock: Clock, holder: str) -> Lease:
    return Lease(store, "runner", holder, TTL_NS, clock)


def row(store: Store) -> tuple[str, int, int]:
    with store.read() as connection:
        found = connection.execute(sa.select(leases.c.holder, leases.c.epoch, leases.c.expires_ns)).one()
    return found.holder, found.epoch, found.expires_ns


def put(lease: Lease, name: str) -> None:
    with lease.fenced() as connection:
        connection.execute(limits.insert(), {"owner": "me", "name": name, "value": 1.0})


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(sa.select(limits.c.name).order_by(limits.c.name)).scalars())


class Losing:
    """A store whose connection is lost after a commit, when it is told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.loses = False

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with self._store.write() as connection:
            yield connection
        if self.loses:
            raise UncertainCommit("lost on purpose")


# --- who holds it --------------------------------------------------------------------------------------------------


def test_the_first_to_ask_holds_it_and_the_second_does_not(store: Store, clock: Clock) -> None:
    one, other = lease(store, clock, "one"), lease(store, clock, "other")
    assert (one.epoch, one.deadline_ns) == (0, 0)
    assert (one.acquire(), other.acquire()) == (True, False)
    assert (one.epoch, one.deadline_ns, other.epoch, other.deadline_ns) == (1, 1_100, 0, 0)
    assert row(store) == ("one", 1, 1_100)


def test_it_is_free_only_after_its_end(store: Store, clock: Clock) -> None:
    one, other = lease(store, clock, "one"), lease(store, clock, "other")
    assert one.acquire()
    clock.ns = 1_100
    assert not other.acquire()
    clock.ns = 1_101
    assert other.acquire()
    assert (other.epoch, other.deadline_ns, row(store)) == (2, 1_201, ("other", 2, 1_201))


def test_leases_of_other_resources_do_not_count(store: Store, clock: Clock) -> None:
    assert Lease(store, "runner", "one", TTL_NS, clock).acquire()
    assert Lease(store, "panel", "other", TTL_NS, clock).acquire()


def test_the_same_holder_has_a_new_epoch_after_a_restart(store: Store, clock: Clock) -> None:
    before, after = lease(store, clock, "one"), lease(store, clock, "one")
    assert before.acquire()
    assert after.acquire()
    assert (before.epoch, after.epoch) == (1, 2)
    with pytest.raises(Fenced):
        put(before, "stale")
    put(after, "fresh")
    assert names(store) == ["fresh"]


def test_renewing_moves_the_end_and_keeps_the_epoch(store: Store, clock: Clock) -> None:
    one, other = lease(store, clock, "one"), lease(store, clock, "other")
    assert one.acquire()
    clock.ns = 1_090
    one.renew()
    assert (one.epoch, one.deadline_ns, row(store)) == (1, 1_190, ("one", 1, 1_190))
    clock.ns = 1_150
    assert not other.acquire()


def test_a_lease_that_ended_can_be_renewed_while_nobody_took_it(store: Store, clock: Clock) -> None:
    one = lease(store, clock, "one")
    assert one.acquire()
    clock.ns = 5_000
    assert not one.may_send(clock.ns, 0)
    one.renew()
    assert one.may_send(clock.ns, 0)


def test_a_lease_that_somebody_took_cannot_be_renewed(store: Store, clock: Clock) -> None:
    one, other = lease(store, clock, "one"), lease(store, clock, "other")
    assert one.acquire()
    clock.ns = 1_101
    assert other.acquire()
    with pytest.raises(Fenced, match=r"one does not hold the lease of runner \(epoch 1\)"):
        one.renew()
    assert (one.deadline_ns, row(store)) == (0, ("other", 2, 1_201))


def test_who_asks_for_a_lease_that_somebody_took_believes_in_no_end(store: Store, clock: Clock) -> None:
    one, other = lease(store, clock, "one"), lease(store, clock, "other")
    assert one.acquire()
    clock.ns = 1_101
    assert other.acquire()
    assert not one.acquire()
    assert one.deadline_ns == 0


def test_a_renewal_that_is_not_known_to_be_written_may_only_make_the_end_an_earlier_one(
    store: Store, clock: Clock
) -> None:
    losing = Losing(store)
    one = lease(cast(Store, losing), clock, "one")
    assert one.acquire()
    losing.loses = True
    for now_ns, deadline_ns in ((1_050, 1_100), (950, 1_050)):  # the clock is set back
        clock.ns = now_ns
        with pytest.raises(UncertainCommit):
            one.renew()
        assert one.deadline_ns == deadline_ns
    assert row(store) == ("one", 1, 1_050)


def test_a_lease_given_back_is_free_at_once_and_its_holder_writes_no_more(store: Store, clock: Clock) -> None:
    one, other = lease(store, clock, "one"), lease(store, clock, "other")
    assert one.acquire()
    one.release()
    with pytest.raises(Fenced):
        put(one, "stale")
    assert not one.may_send(clock.ns, 0)
    assert other.acquire()
    assert other.epoch == 2
    one.release()
    assert row(store) == ("other", 2, 1_100)


def test_of_two_that_ask_for_a_new_lease_at_once_one_gets_it(url: str, clock: Clock) -> None:
    held: list[bool] = []
    together = threading.Barrier(2)

    def asks(holder: str) -> None:
        with Store.open(url, wait_s=30) as store:
            together.wait()
            held.append(lease(store, clock, holder).acquire())

    threads = [threading.Thread(target=asks, args=(holder,)) for holder in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == [False, True]


# --- what its holder may do ----------------------------------------------------------------------------------------


def test_sending_needs_more_time_than_the_margin(store: Store, clock: Clock) -> None:
    one = lease(store, clock, "one")
    assert not one.may_send(clock.ns, 0)
    assert one.acquire()
    assert [one.may_send(now_ns, 20) for now_ns in (1_000, 1_079, 1_080, 1_081, 1_200)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_stale_holder_writes_nothing(store: Store, clock: Clock) -> None:
    one, other = lease(store, clock, "one"), lease(store, clock, "other")
    assert one.acquire()
    put(one, "in time")
    clock.ns = 2_000
    put(one, "late, but nobody else writes")
    assert other.acquire()
    with pytest.raises(Fenced) as raised:
        put(one, "stale")
    put(other, "its own")
    assert isinstance(raised.value, HaltError)
    assert names(store) == ["in time", "its own", "late, but nobody else writes"]


def test_who_never_held_it_writes_nothing(store: Store, clock: Clock) -> None:
    with pytest.raises(Fenced):
        put(lease(store, clock, "one"), "stale")
    assert names(store) == []


def test_an_exception_undoes_what_was_written_under_a_lease(store: Store, clock: Clock) -> None:
    one = lease(store, clock, "one")
    assert one.acquire()

    def fails() -> None:
        with one.fenced() as connection:
            connection.execute(limits.insert(), {"owner": "me", "name": "undone", "value": 1.0})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert names(store) == []


def test_nobody_takes_a_lease_while_its_holder_writes(url: str, clock: Clock) -> None:
    with Store.open(url) as mine, Store.open(url, wait_s=0.05) as theirs:
        one, other = lease(mine, clock, "one"), lease(theirs, clock, "other")
        assert one.acquire()
        clock.ns = 2_000
        with one.fenced() as connection:
            with pytest.raises(RetryableError):
                other.acquire()
            connection.execute(limits.insert(), {"owner": "me", "name": "whole", "value": 1.0})
        assert other.acquire()
        assert names(mine) == ["whole"]


# --- whatever happens ----------------------------------------------------------------------------------------------


DEEDS = st.tuples(
    st.sampled_from(["acquire", "renew", "release"]), st.integers(0, 2), st.booleans(), st.sampled_from([0, 1, 40, 101])
)


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    with Store.open(":memory:") as opened:
        yield opened


@settings(max_examples=60, deadline=None)
@given(deeds=st.lists(DEEDS, max_size=25), is_set_back=st.booleans())
def test_at_no_instant_may_two_send_and_no_holder_believes_in_a_later_end_than_is_written(
    memory: Store, deeds: list[tuple[str, int, bool, int]], is_set_back: bool
) -> None:
    clock, names_of = Clock(), "abb"  # the third is the second, started again
    with memory.write() as connection:
        connection.execute(leases.delete())
    stores = [Losing(memory) for _ in names_of]
    held = [lease(cast(Store, one), clock, name) for one, name in zip(stores, names_of, strict=True)]
    for verb, who, loses, step_ns in deeds:
        clock.ns += -step_ns if is_set_back and verb == "renew" else step_ns
        stores[who].loses = loses
        with contextlib.suppress(Fenced, UncertainCommit):
            getattr(held[who], verb)()
        with memory.read() as connection:
            found = connection.execute(sa.select(leases)).one_or_none()
        for one, name in zip(held, names_of, strict=True):
            if found is not None and (found.holder, found.epoch) == (name, one.epoch):
                assert one.deadline_ns <= found.expires_ns
        senders = {name for one, name in zip(held, names_of, strict=True) if one.may_send(clock.ns, 0)}
        assert is_set_back or len(senders) <= 1  # how far a clock is set back, the margin must cover


# --- one machine ---------------------------------------------------------------------------------------------------


def test_a_file_lease_is_held_by_one_and_can_be_given_back(tmp_path: pathlib.Path) -> None:
    one, other = FileLease(tmp_path / "workbench.db"), FileLease(tmp_path / "workbench.db")
    assert (one.acquire(), one.acquire(), other.acquire()) == (True, True, False)
    assert (one.is_held, other.is_held) == (True, False)
    assert (tmp_path / "workbench.db.runner.lock").exists()
    one.release()
    one.release()
    assert other.acquire()
    other.release()


def test_a_file_lease_may_be_given_back_by_another_thread(tmp_path: pathlib.Path) -> None:
    one = FileLease(tmp_path / "workbench.db")
    assert one.acquire()
    thread = threading.Thread(target=one.release)
    thread.start()
    thread.join()
    assert not one.is_held


HOLDS = """
import pathlib, sys
from workbench.live.lease import FileLease
held = FileLease(pathlib.Path(sys.argv[1]))
sys.stdout.write(f"{held.acquire()}\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def test_a_file_lease_ends_with_its_process(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "workbench.db"
    command = [sys.executable, "-c", HOLDS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        mine = FileLease(path)
        assert not mine.acquire()
        process.kill()
        process.wait(60)
        assert mine.acquire()
        mine.release()


def test_a_file_lease_without_a_folder_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"runner\.lock cannot be made"):
        FileLease(tmp_path / "file" / "workbench.db").acquire()
