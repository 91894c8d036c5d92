"""Bugs in what is kept: keys, transactions, leases, the journal, and what is put back after an end."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation import machine
from tests.simulation.mutation import Mutant, Patch, around
from workbench.brokers.port import Unknown
from workbench.errors import RetryableError
from workbench.live import lease, page, restore, runner, said, standing
from workbench.live.page import Page


def _without_key(table: str) -> Callable[[], list[Patch]]:
    def rebuilt(driver: Any) -> None:
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
        driver.execute(f"DROP TABLE {table}")
        driver.execute(f"ALTER TABLE loose RENAME TO {table}")

    return lambda: [(machine.Machine, "prepared", staticmethod(rebuilt))]


def _epoch_unchecked() -> list[Patch]:
    @contextlib.contextmanager
    def fenced(self: Any) -> Iterator[Any]:
        with self._store.write() as connection:
            yield connection

    return [(lease.Lease, "fenced", fenced)]


def _absent_unlooked() -> list[Patch]:
    return [(page, "refuse_bars", lambda *_: None)]


def _others_overlooked() -> list[Patch]:
    return [(page, "refuse_other_bars", lambda *_: None)]


def _end_unlooked() -> list[Patch]:
    return [(lease.Lease, "may_send", lambda self, now_ns, margin_ns: True)]


def _sent_before_kept() -> list[Patch]:
    def commit(self: Any, page: Page) -> None:
        self.__dict__.setdefault("later", []).append(page)

    def hand_over(self: Any, saids: Any, *rest: Any) -> None:
        try:
            before(self, saids, *rest)
        finally:
            for page in self.__dict__.pop("later", []):
                kept(self, page)

    kept, before = runner.Runner._commit, runner.Runner._hand_over
    return [(runner.Runner, "_commit", commit), (runner.Runner, "_hand_over", hand_over)]


def _failed_commit_taken_for_done() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def commit(self: Any, page: Page) -> None:
            with contextlib.suppress(RetryableError):
                before(self, page)

        return commit

    return around(runner.Runner, "_commit", changed)


def _state_first() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def commit(self: Any, page: Page) -> None:
            first = Page()
            first.states, page.states = page.states, {}
            before(self, first)
            before(self, page)

        return commit

    return around(runner.Runner, "_commit", changed)


def _cursor_kept_too_early() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def book(self: Any, page: Page, one: Any, *rest: Any) -> Any:
            seen = one.counts["events"]
            one.counts["events"] = max([seen, *(event.seq for event in _told(self, one))])
            early = Page()
            one.keep(early, self.clock.now_ns())
            self._commit(early)
            one.counts["events"] = seen
            return before(self, page, one, *rest)

        return book

    return around(runner.Runner, "_book", changed)


def _told(self: Any, one: Any) -> list[Any]:
    with contextlib.suppress(Unknown):
        return list(self.venue.events(one.deployed.given.account, one.counts["events"]))
    return []


def _cursor_skips() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def sorted_out(one: Any, events: Any) -> Any:
            return before(one, list(events)[-1:])

        return sorted_out

    from workbench.live import heard

    return around(heard, "sorted_out", changed)


def _row_lost(kind: str) -> Callable[[], list[Patch]]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def write(self: Any, page: Page, instant_ns: int, at_ns: int, wanted: str, body: Any) -> None:
            before(self, Page() if wanted == kind else page, instant_ns, at_ns, wanted, body)

        return write

    return lambda: around(standing.Standing, "write", changed)


def _hash_without_body() -> list[Patch]:
    def link(prev: str, ident: str, seq: int, instant_ns: int, at_ns: int, kind: str, _body: str) -> str:
        return hashlib.blake2b(f"{prev}{ident}{seq}{instant_ns}{at_ns}{kind}".encode(), digest_size=16).hexdigest()

    return [(standing, "link", link)]


def _open_intents_forgotten() -> list[Patch]:
    return [(machine, "open_intents", lambda *_: [])]


def _held_forgotten() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def open_intents(*given: Any) -> Any:
            return [one for one in before(*given) if one.state.value != "HELD"]

        return open_intents

    return around(machine, "open_intents", changed)


def _parts_forgotten() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def orders(connection: Any, one: Any) -> None:
            before(connection, one)
            one.parts.clear()

        return orders

    return around(restore, "_orders", changed)


def _orders_forgotten() -> list[Patch]:
    return [(restore, "_orders", lambda *_: None)]


def _records_of_the_first_bar() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def columns(self: Any) -> Any:
            row = before(self)
            first = self.__dict__.setdefault("first", row["records"])
            return {**row, "records": first}

        return columns

    return around(standing.Standing, "columns", changed)


def _instant_not_kept() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def columns(self: Any) -> Any:
            row = before(self)
            return {**row, "instant_ns": max(0, row["instant_ns"] - 300 * 10**9)}

        return columns

    return around(standing.Standing, "columns", changed)


def _charges_lost() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def execution(self: Any, order: int, known: Any, event: Any) -> None:
            before(self, order, known, event._replace(charges=0.0))

        return execution

    return around(said.Said, "_execution", changed)


def _second_part_lost() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def executions(self: Any, found: Any) -> None:
            before(self, [one for one in found if len(self.standing.parts.get(one[0], ())) < 2])

        return executions

    return around(said.Said, "executions", changed)


def _revision_written_over() -> list[Patch]:
    def tell_late(self: Any, key: Any) -> None:
        coming = self._coming(key)
        followed = self.groups[key].followed()
        late = self.inbox.too_late(key[1], coming.ts_ns, followed) if coming is not None else []
        for bar in late:
            with self.lease.fenced() as connection:
                connection.exec_driver_sql(
                    "UPDATE bars SET close = ? WHERE instrument = ? AND ts_ns = ? AND revision = 0",
                    (bar.close, bar.instrument, bar.ts_ns),
                )

    return [(runner.Runner, "_tell_late", tell_late)]


def _newest_bar_used() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def take(self: Any, bars: Any, *rest: Any, **named: Any) -> None:
            found = list(bars)
            before(self, found, *rest, **named)
            for one in found:
                self._waiting[one.timeframe, one.ts_ns][one.instrument] = tuple(one[3:])

        return take

    from workbench.live import inbox

    return around(inbox.Inbox, "take", changed)


MUTANTS = (
    Mutant("jobs_without_key", "The table of jobs takes the same job twice.", _without_key("jobs")),
    Mutant("fills_without_key", "The table of fills takes the same execution twice.", _without_key("fills")),
    Mutant("orders_without_key", "The table of orders takes the same id twice.", _without_key("orders")),
    Mutant("bars_without_key", "The table of bars takes the same version twice.", _without_key("bars")),
    Mutant("epoch_unchecked", "Whoever lost the lease goes on writing.", _epoch_unchecked),
    Mutant("lease_end_unlooked", "An order is sent although the lease has ended.", _end_unlooked),
    Mutant("sent_before_kept", "The broker is told first, and the intent is committed afterwards.", _sent_before_kept),
    Mutant("failed_commit_ignored", "A transaction that failed is taken for done.", _failed_commit_taken_for_done),
    Mutant("state_first", "The state is committed before the rows that belong to it.", _state_first),
    Mutant("cursor_too_early", "The place among events is kept before they are booked.", _cursor_kept_too_early),
    Mutant("cursor_skips", "Of several events that come together only the last is seen.", _cursor_skips),
    Mutant("filled_rows_lost", "Rows of the journal that tell of fills are not written.", _row_lost("FILLED")),
    Mutant("hash_without_body", "The chain does not cover what a row says.", _hash_without_body),
    Mutant(
        "open_intents_forgotten", "After a restart nobody knows what was still to be said.", _open_intents_forgotten
    ),
    Mutant("held_forgotten", "After a restart entries that wait for exits are forgotten.", _held_forgotten),
    Mutant("parts_forgotten", "After a restart parts of unfinished orders are forgotten.", _parts_forgotten),
    Mutant("orders_forgotten", "After a restart working orders are forgotten.", _orders_forgotten),
    Mutant("records_not_kept", "The account that is kept is the one of the start.", _records_of_the_first_bar),
    Mutant("instant_not_kept", "The instant that is kept is the one before.", _instant_not_kept),
    Mutant("charges_lost", "Fills are kept without their charges.", _charges_lost),
    Mutant("second_part_lost", "Only the first part of an order is kept.", _second_part_lost),
    Mutant("revision_overwrites", "A corrected bar takes the place of the one that was used.", _revision_written_over),
    Mutant(
        "absent_unlooked", "A bar that somebody stored for an interval without one is passed over.", _absent_unlooked
    ),
    Mutant("others_overlooked", "Another version that somebody stored first is taken to be ours.", _others_overlooked),
    Mutant("newest_bar_used", "Of two versions of a bar the later one is used.", _newest_bar_used),
)
