"""Bugs in what is kept at once with the paper broker: its book here, ours there, and memory that outlives a failure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.simulation import store
from tests.simulation.mutation import Mutant, Patch, around
from workbench.brokers import paper
from workbench.brokers.port import Phase
from workbench.errors import RetryableError
from workbench.live import executor, lease, runner


def _each_part_alone() -> list[Patch]:
    return [(lease.Lease, "together", lambda self: contextlib.nullcontext())]


def _parts_not_undone() -> list[Patch]:
    @contextlib.contextmanager
    def together(self: Any) -> Iterator[Any]:
        failed: BaseException | None = None
        with before(self) as connection:
            try:
                yield connection
            except BaseException as error:  # noqa: BLE001 - that is the bug
                failed, self._is_spoilt = error, False
        if failed is not None:
            raise failed

    before = store.QuickStore.together
    return [(store.QuickStore, "together", together)]


def _said_to_be_elsewhere() -> list[Patch]:
    return [(paper.PaperBroker, "shares_database", property(lambda self: False))]


def _answer_kept_alone() -> list[Patch]:
    def flush(self: Any, standings: Any) -> None:
        while (due := self.due(standings)) and self._say(due):
            pass

    return [(executor.Executor, "flush", flush)]


def _booked_after_the_commit() -> list[Patch]:
    def fill(self: Any, trading: Any, interval: Any, bars: Any, shown: Any) -> None:
        for phase in Phase:
            self.venue.trade(phase, shown, [one.deployed.given.account for one in trading])

    return [(runner.Runner, "_fill", fill)]


def _kill_waits_too_short() -> list[Patch]:
    def hold_up_kills(self: Any, own: Any) -> bool:
        return bool(own.enter_context(self._sending()))

    return [(executor.Executor, "_hold_up_kills", hold_up_kills)]


def _failed_book_passed_over() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def save(self: Any) -> None:
            with contextlib.suppress(RetryableError):
                before(self)

        return save

    return around(paper.PaperBroker, "_save", changed)


def _accounts_outlive_a_failure() -> list[Patch]:
    remembered: dict[tuple[int, str], Any] = {}

    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def open_account(self: Any, name: str, terms: Any) -> None:
            key = id(self._store._driver), name  # a schedule has a database of its own
            before(self, name, terms)
            self._accounts[name] = remembered.setdefault(key, self._accounts[name])

        return open_account

    return around(paper.PaperBroker, "open_account", changed)


def _positions_forgotten() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def open_account(self: Any, name: str, terms: Any) -> None:
            before(self, name, terms)
            self._accounts[name].holdings.clear()

        return open_account

    return around(paper.PaperBroker, "open_account", changed)


MUTANTS = (
    Mutant(
        "each_part_alone", "Each part of what is one transaction with the paper broker is kept alone.", _each_part_alone
    ),
    Mutant("parts_not_undone", "Of a transaction that fails, the parts before are kept.", _parts_not_undone),
    Mutant("paper_is_elsewhere", "The paper broker's book is kept before what we know of it.", _said_to_be_elsewhere),
    Mutant("answer_kept_alone", "What the paper broker answered is kept after what it took.", _answer_kept_alone),
    Mutant("booked_after_the_commit", "What fills on a bar is booked after the bar is kept.", _booked_after_the_commit),
    Mutant("kill_waits_too_short", "A kill waits until an entry is sent, not until it is kept.", _kill_waits_too_short),
    Mutant("failed_book_passed_over", "What the paper broker could not write is left out.", _failed_book_passed_over),
    Mutant(
        "accounts_outlive_a_failure",
        "After a transaction failed the paper broker goes on from its memory.",
        _accounts_outlive_a_failure,
    ),
    Mutant("paper_positions_forgotten", "After an end the paper broker knows no positions.", _positions_forgotten),
)
