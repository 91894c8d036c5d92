"""Bugs in what is decided and by whom: gates, commands, stops at closes, the forced flatten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.simulation.mutation import Mutant, Patch, around
from workbench.engine.records import Action
from workbench.live import commands, freshness, gates, leaving, runner, said, together
from workbench.live.page import Page
from workbench.schema import Reason


def _mask(words: tuple[str, ...]) -> Callable[[], list[Patch]]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def mask(self: Any, *given: Any) -> Any:
            found = before(self, *given)
            return gates.OPEN if found.word in words else found

        return mask

    return lambda: around(gates.Gates, "mask", changed)


def _late_all_along() -> list[Patch]:
    return [*_mask(("STALE_DATA",))(), (gates.Gates, "refusal", lambda *_: "")]


def _holding_delays_stops() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def close(self: Any, *given: Any) -> None:
            kept = []
            for desk in (one.desk for one in self._all):
                least = int(desk.config[0]["min_holding_bars"])
                young = [row for row in desk.positions if row["bars_held"] + 1 < least]
                kept += [(row, row["stop"].item()) for row in young]
            for row, _ in kept:
                row["stop"] = np.nan
            before(self, *given)
            for row, level in kept:
                if row["qty"] != 0.0:
                    row["stop"] = level

        return close

    return around(together.Together, "close", changed)


def _flatten_unsaid() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def actions(self: Any, rows: Any, *rest: Any, **named: Any) -> None:
            unsaid = (Reason.FORCED_FLATTEN, Action.SUBMIT)
            before(self, [row for row in rows if (row["reason"], row["action"]) != unsaid], *rest, **named)

        return actions

    return around(said.Said, "actions", changed)


def _paused_not_closed() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def decide(page: Page, said_: Any, interval: Any, outcome: Any, held_back: str, stale: Any = ()) -> None:
            if held_back != "PAUSED":
                before(page, said_, interval, outcome, held_back, stale)

        return decide

    return around(runner, "decide", changed)


def _stop_keeps_entries() -> list[Patch]:
    return [(commands, "cancel_orders", lambda *_: None)]


def _stop_goes_on() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def stop(self: Any, page: Page, one: Any, standing: Any, now_ns: int) -> Any:
            status = standing.status
            answer = before(self, page, one, standing, now_ns)
            standing.status = status
            standing.keep(page, now_ns)
            return answer

        return stop

    return around(commands.Commands, "_stop", changed)


def _pause_forgotten() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def pause(self: Any, page: Page, one: Any, standing: Any, now_ns: int) -> Any:
            status = standing.status
            answer = before(self, page, one, standing, now_ns)
            standing.status = status
            standing.keep(page, now_ns)
            return answer

        return pause

    return around(commands.Commands, "_pause", changed)


def _decided_on_the_bar_before() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def feed(self: Any, interval: Any, bars: Any) -> Any:
            memory = vars(self._all[0])  # it outlives a session
            last = memory.get("last_bars", bars)
            memory["last_bars"] = dict(bars)
            return before(self, interval, last)

        return feed

    return around(together.Together, "feed", changed)


def _gaps_filled() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def feed(self: Any, interval: Any, bars: Any) -> Any:
            known = vars(self._all[0]).setdefault("known_bars", {})
            known.update(bars)
            return before(self, interval, {**known, **bars} if interval.open_ns else bars)

        return feed

    return around(together.Together, "feed", changed)


def _let_go_at_once() -> list[Patch]:
    def settle(self: Any, standing: Any, now_ns: int) -> None:
        standing.state = "FLAT"
        self._write(standing, now_ns, None)
        self._runner.drop(standing.id)

    return [(leaving.Leaving, "_settle", settle)]


def _left_unsaid() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def leave(self: Any, standing: Any, _ours: Any, now_ns: int) -> None:
            before(self, standing, standing.held_qty(), now_ns)

        return leave

    return around(leaving.Leaving, "_leave", changed)


def _mute_unnoticed() -> list[Patch]:
    return [(freshness.Freshness, "look", lambda *_: False)]


def _mute_for_good() -> list[Patch]:
    return [(freshness.Freshness, "saw", lambda *_: None)]


MUTANTS = (
    Mutant("pause_ignored_at_decision", "A paused deployment is evaluated.", _mask(("PAUSED",))),
    Mutant("kill_ignored_at_decision", "A killed deployment is evaluated.", _mask(("KILLED",))),
    Mutant("late_bars_open", "Bars that come late open positions.", _late_all_along),
    Mutant("holding_delays_stops", "The least holding time delays a stop.", _holding_delays_stops),
    Mutant("flatten_unsaid", "The forced flatten is decided and never said.", _flatten_unsaid),
    Mutant("paused_not_closed", "Intervals of a paused deployment pass without a close.", _paused_not_closed),
    Mutant("stop_keeps_entries", "A stop leaves entries working.", _stop_keeps_entries),
    Mutant("stop_goes_on", "A deployment that was stopped goes on.", _stop_goes_on),
    Mutant("pause_forgotten", "A pause is written down and not kept.", _pause_forgotten),
    Mutant("let_go_at_once", "A stopped deployment goes as soon as nothing is to be said.", _let_go_at_once),
    Mutant("left_unsaid", "Nobody is told of what filled during a stop.", _left_unsaid),
    Mutant("mute_unnoticed", "Nobody looks whether bars come.", _mute_unnoticed),
    Mutant("mute_untold", "A mute feed ends and stays shown.", _mute_for_good),
    Mutant("bar_before", "A decision sees the bar before.", _decided_on_the_bar_before),
    Mutant("gaps_filled", "A missing bar is taken to be the last one.", _gaps_filled),
)
