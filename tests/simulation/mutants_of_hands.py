"""Bugs in what people do to positions: closing them, and handing them from one deployment to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulation.mutation import Mutant, Patch, around
from workbench.live import by_hand, commands, mismatch, resolving, runner
from workbench.live.executor import Executor
from workbench.live.gates import OPEN, Gates
from workbench.live.page import Page
from workbench.live.standing import Status


def _flatten_once() -> list[Patch]:
    def go_on(said: Any, _ns: int) -> None:
        by_hand.forget(said.standing)

    return [(runner, "go_on_flattening", go_on)]


def _flattened_goes_on() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def flatten(self: Any, page: Any, one: Any, standing: Any, now_ns: int) -> Any:
            status = standing.status
            answer = before(self, page, one, standing, now_ns)
            standing.status = status
            standing.keep(page, now_ns)
            return answer

        return flatten

    return around(commands.Commands, "_flatten", changed)


def _giver_goes_on() -> list[Patch]:
    def pause(_self: Any, page: Any, _one: Any, holder: Any, now_ns: int) -> None:
        holder.keep(page, now_ns)

    return [(resolving.Resolving, "_pause", pause)]


def _adopter_enters() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def mask(self: Any, standing: Any, *rest: Any) -> Any:
            found = before(self, standing, *rest)
            return OPEN if found.word == "EXIT_ONLY" else found

        return mask

    return around(Gates, "mask", changed)


def _one_side_only() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def plan(self: Any, planned: Any) -> None:
            before(self, [one for one in planned if one.request.action != "TRANSFER" or not one.request.reduces])

        return plan

    def done(before: Callable[..., Any]) -> Callable[..., Any]:
        def add(self: Any, table: Any, row: Any) -> None:
            is_meant = table.name == "intents" and row["action"] == "TRANSFER" and row["reduces"]
            before(self, table, {**row, "state": "ACKED"} if is_meant else row)

        return add

    return [*around(Executor, "plan", changed), *around(Page, "add", done)]


def _given_at_the_mark() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def hand_over(said: Any, name: str, ns: int, price: float) -> None:
            deployed = said.standing.deployed
            before(said, name, ns, float(deployed.desk.positions[deployed.number[name]]["mark"]))

        return hand_over

    return around(resolving, "hand_over", changed)


def _obeyed_twice() -> list[Patch]:
    seen = set[int]()

    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def answered(connection: Any, number: int, answer: Any, now_ns: int) -> None:
            # Its effect is kept; that it was obeyed is kept the second time, as if both were not one transaction.
            if number in seen or not answer.is_done:
                before(connection, number, answer, now_ns)
            seen.add(number)

        return answered

    return around(commands, "answered", changed)


def _goes_on_beside() -> list[Patch]:
    def go_on(_page: Any, standing: Any, found: Any, now_ns: int) -> None:
        del found, now_ns
        del standing.counts[mismatch.CONTINUES]
        standing.status, standing.state = Status.RUNNING, "FLAT"

    return [(runner, "go_on", go_on)]


def _resumed_between_hands() -> list[Patch]:
    return [(commands, "takes_over", lambda _: False)]


MUTANTS = (
    Mutant("flatten_once", "A flatten whose exit was refused is not tried again.", _flatten_once),
    Mutant("flattened_goes_on", "What was flattened is not paused, and enters again.", _flattened_goes_on),
    Mutant("giver_goes_on", "Who gave a position away is not paused.", _giver_goes_on),
    Mutant("adopter_enters", "Who took a position over to leave it enters anew.", _adopter_enters),
    Mutant("one_side_only", "A position that is taken over is not given away.", _one_side_only),
    Mutant("given_at_the_mark", "A position is given at its last close and taken at its average.", _given_at_the_mark),
    Mutant("obeyed_twice", "A command is obeyed again, for it is not kept that it was.", _obeyed_twice),
    Mutant("goes_on_beside", "A deployment goes on before what is against it is closed.", _goes_on_beside),
    Mutant("resumed_between_hands", "Who is resumed before a position has come forgets to only exit.",
           _resumed_between_hands),
)  # fmt: skip
