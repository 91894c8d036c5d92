"""Bugs between an intent and its order: what is sent, when, how often, and what is made of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulation.mutation import Mutant, Patch, around
from workbench.brokers.port import Answer, Idempotency, NotSent, Unknown
from workbench.live import executor, gates, heard, intents, runner, said
from workbench.live.intents import IntentState, Next
from workbench.live.page import Page
from workbench.schema import OrderKind


def _silence(verdict: Callable[..., Next | None]) -> Callable[[], list[Patch]]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def after_silence(
            idempotency: Idempotency, action: str, found: Any, waited_ns: int, visible_ns: int, *rest: Any
        ) -> Next:
            said_otherwise = verdict(idempotency, action, found, waited_ns)
            asked = before(idempotency, action, found, waited_ns, visible_ns, *rest)
            return said_otherwise if said_otherwise is not None and asked is not Next.ADOPT else asked

        return after_silence

    return lambda: around(executor, "after_silence", changed)


def _blindly(_idempotency: Idempotency, _action: str, _found: Any, _waited_ns: int) -> Next | None:
    return Next.SEND_AGAIN


def _after_one_look(_idempotency: Idempotency, _action: str, found: Any, _waited_ns: int) -> Next | None:
    return Next.SEND_AGAIN if found is not None else None


def _after_a_wait(_idempotency: Idempotency, _action: str, found: Any, waited_ns: int) -> Next | None:
    return Next.SEND_AGAIN if found is not None and waited_ns >= 25 * 10**9 else None


def _given_up_early(idempotency: Idempotency, action: str, found: Any, waited_ns: int) -> Next | None:
    is_label = idempotency is not Idempotency.UNIQUE_FOREVER and action == "SUBMIT"
    return Next.OPERATOR if is_label and found is not None and waited_ns >= 10**9 else None


def _unknown_is(answer: Answer) -> Callable[[], list[Patch]]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def learn(self: Any, page: Page, standing: Any, intent: Any, said_: Any) -> None:
            before(self, page, standing, intent, answer if isinstance(said_, Unknown) else said_)

        return learn

    return lambda: around(executor.Executor, "_learn", changed)


def _new_id_each_time() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def cleared(self: Any, due: Any, may_open: bool) -> Any:
            again = {intent.number for _, intent in due if intent.state is IntentState.UNKNOWN}
            found = before(self, due, may_open)
            for _, intent in found:
                if intent.number in again and intent.request.action == "SUBMIT":
                    intent.request = intent.request._replace(cid=intent.request.cid[1:] + "A")
            return found

        return cleared

    return around(executor.Executor, "_cleared", changed)


def _sent_twice() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def cleared(self: Any, due: Any, may_open: bool) -> Any:
            found = before(self, due, may_open)
            return [*found, *(one for one in found if one[1].request.action == "SUBMIT")]

        return cleared

    return around(executor.Executor, "_cleared", changed)


def _not_kept_that_it_is_sent() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def intent(self: Any, ident: str, number: int, **changes: Any) -> None:
            if changes.get("state") != IntentState.SUBMITTING.value:
                before(self, ident, number, **changes)

        return intent

    return around(Page, "intent", changed)


def _nobody_told_of_the_unknown() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def may_send_again(self: Any, page: Page, standing: Any, intent: Any) -> Any:
            state = standing.state
            answer = before(self, page, standing, intent)
            if standing.state == "PAUSED_UNKNOWN_ORDER" != state:
                standing.state = state
                standing.keep(page, self._now_ns())
            return answer

        return may_send_again

    return around(executor.Executor, "_may_send_again", changed)


def _not_sent_is_rejected() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def learn(self: Any, page: Page, standing: Any, intent: Any, answer: Any) -> None:
            if isinstance(answer, NotSent) and intent.request.reduces:
                self._accept(page, standing, intent, "", "")
                return
            before(self, page, standing, intent, answer)

        return learn

    return around(executor.Executor, "_learn", changed)


def _released_early() -> list[Patch]:
    def release(self: Any, page: Page, standing: Any) -> None:
        for order, number in list(standing.held.items()):
            intent = self._open[standing.deployed.given.account][number]
            del standing.held[order]
            intent.state = IntentState.PLANNED
            intent.request = intent.request._replace(contingent=True)
            page.intent(standing.id, number, state=intent.state.value, contingent=True)

    return [(executor.Executor, "release", release)]


def _never_released() -> list[Patch]:
    return [(executor.Executor, "release", lambda *_: None)]


def _refused_stays_in_the_books() -> list[Patch]:
    from workbench.live import deployed

    return [(deployed.Deployed, "withdraw", lambda *_: False)]


def _gate(words: tuple[str, ...]) -> Callable[[], list[Patch]]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def refusal(self: Any, standing: Any, intent: Any) -> str:
            why: str = before(self, standing, intent)
            return "" if why in words else why

        return refusal

    return lambda: around(gates.Gates, "refusal", changed)


def _exits_gated() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def refusal(self: Any, standing: Any, intent: Any) -> str:
            request = intent.request._replace(reduces=False)
            return str(before(self, standing, intents.Intent(intent.number, request, intent.state, intent.since_ns)))

        return refusal

    return around(gates.Gates, "refusal", changed)


def _dropped(action: str, kinds: tuple[str, ...]) -> Callable[[], list[Patch]]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def plan(self: Any, planned: Any) -> None:
            before(self, [one for one in planned if one.request.action != action or one.request.kind not in kinds])

        return plan

    def acked(before: Callable[..., Any]) -> Callable[..., Any]:
        def add(self: Any, table: Any, row: Any) -> None:
            is_meant = table.name == "intents" and row["action"] == action and row["kind"] in kinds
            before(self, table, {**row, "state": "ACKED"} if is_meant else row)

        return add

    return lambda: [*around(executor.Executor, "plan", changed), *around(Page, "add", acked)]


def _half_a_stop() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def submit(self: Any, row: Any) -> None:
            if row["kind"] == OrderKind.STOP:
                row = row.copy()
                row["qty"] /= 2.0
            before(self, row)

        return submit

    return around(said.Said, "_submit", changed)


def _stop_at_another_level() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def moved(self: Any, row: Any) -> None:
            before(self, row)
            for one in self.intents:
                if one.request.action == "MOVE":
                    one.request = one.request._replace(price=one.request.price - 1.0)

        return moved

    return around(said.Said, "_moved", changed)


def _exit_that_may_open() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def plan(self: Any, planned: Any) -> None:
            for one in planned:
                one.request = one.request._replace(reduces=False)
            before(self, planned)

        return plan

    return around(executor.Executor, "plan", changed)


def _repeats_count() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def sorted_out(standing: Any, events: Any) -> Any:
            renamed = [
                event._replace(exec_id=f"{event.exec_id}.{event.seq}") if event.exec_id else event for event in events
            ]
            return before(standing, renamed)

        return sorted_out

    return around(heard, "sorted_out", changed)


def _part_for_the_whole() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def sorted_out(standing: Any, events: Any) -> Any:
            news = before(standing, events)
            done = []
            for one in news.done:
                whole, parts = standing.known[one.order].qty, one.executions
                if parts and sum(part.qty for part in parts) < whole:
                    short = whole - sum(part.qty for part in parts)
                    one = one._replace(executions=(*parts[:-1], parts[-1]._replace(qty=parts[-1].qty + short)))
                done.append(one)
            return news._replace(done=done)

        return sorted_out

    return around(heard, "sorted_out", changed)


def _first_price_for_all() -> list[Patch]:
    return [(heard.Heard, "price", property(lambda self: self.executions[0].price))]


def _ends_unheard() -> list[Patch]:
    return [(heard, "_ENDS", ())]


def _strange_ignored() -> list[Patch]:
    def changed(before: Callable[..., Any]) -> Callable[..., Any]:
        def sorted_out(standing: Any, events: Any) -> Any:
            return before(standing, events)._replace(strange=[])

        return sorted_out

    return around(heard, "sorted_out", changed)


def _fills_only_when_something_works() -> list[Patch]:
    def stirs(self: Any, standing: Any) -> bool:
        return bool(standing.held) or self.executor.pending(standing.deployed.given.account)

    return [(runner.Runner, "_stirs", stirs), (runner.Runner, "hear", lambda *_, **__: None)]


def _order_of_silence() -> list[Patch]:
    def due(self: Any, standings: Any) -> Any:
        now = self._now_ns()
        return [
            (standings[account], intent)
            for account in sorted(self._open)
            if account in standings
            for _, intent in sorted(self._open[account].items())
            if intent.state is not IntentState.HELD
            and (intent.since_ns == 0 or now - intent.since_ns >= executor.LOOK_NS)
        ]

    return [(executor.Executor, "due", due)]


MUTANTS = (
    Mutant("resent_blindly", "What nobody answered is sent again at once, whatever the broker.", _silence(_blindly)),
    Mutant("resent_after_one_look", "What is not found at the first look is sent again.", _silence(_after_one_look)),
    Mutant("resent_after_a_wait", "What is not found after 25 s is sent again.", _silence(_after_a_wait)),
    Mutant("given_up_early", "A person is asked before an order has to be visible.", _silence(_given_up_early)),
    Mutant("unknown_is_rejected", "No answer counts as refused.", _unknown_is(Answer(False, reason="timeout"))),
    Mutant("unknown_is_accepted", "No answer counts as taken.", _unknown_is(Answer(True, "none"))),
    Mutant("not_sent_is_done", "An exit that was never sent counts as taken.", _not_sent_is_rejected),
    Mutant("new_id_each_time", "What is sent again gets a new id.", _new_id_each_time),
    Mutant("sent_twice", "Every order is sent twice, to be sure.", _sent_twice),
    Mutant("submitting_not_kept", "It is not kept that an order is being sent.", _not_kept_that_it_is_sent),
    Mutant("unknown_untold", "Nobody is told of an order that nobody knows of.", _nobody_told_of_the_unknown),
    Mutant("released_early", "An entry is sent before the exits that it waits for have filled.", _released_early),
    Mutant("never_released", "An entry that waits for exits waits for ever.", _never_released),
    Mutant(
        "refused_not_cleared",
        "An order that the broker refused still works for the engine.",
        _refused_stays_in_the_books,
    ),
    Mutant("pause_ignored_at_send", "An entry is sent although the deployment is paused.", _gate(("PAUSED",))),
    Mutant("kill_ignored_at_send", "An entry is sent although the kill switch is down.", _gate(("KILLED",))),
    Mutant("late_ignored_at_send", "An entry is sent however old its decision is.", _gate(("LATE",))),
    Mutant("exits_gated", "Pause, kill and lateness stop exits and stops too.", _exits_gated),
    Mutant("stops_not_sent", "Stops are decided and never sent.", _dropped("SUBMIT", ("stop",))),
    Mutant("moves_not_sent", "A trailing stop moves in the books alone.", _dropped("MOVE", ("stop",))),
    Mutant(
        "cancels_not_sent",
        "What protects a closed position stays at the broker.",
        _dropped("CANCEL", ("stop", "target")),
    ),
    Mutant("half_a_stop", "A stop covers half of the position.", _half_a_stop),
    Mutant("stop_at_another_level", "A stop is moved to another level than is written down.", _stop_at_another_level),
    Mutant("exit_may_open", "An exit is sent as an order that may open a position.", _exit_that_may_open),
    Mutant("repeats_count", "An execution that is told twice counts twice.", _repeats_count),
    Mutant("part_for_the_whole", "An order that ended with a part is booked as a whole.", _part_for_the_whole),
    Mutant("first_price_for_all", "All parts are booked at the price of the first.", _first_price_for_all),
    Mutant("ends_unheard", "That the broker ended an order is not heard.", _ends_unheard),
    Mutant("strange_ignored", "A fill of an order that works no more is ignored.", _strange_ignored),
    Mutant(
        "deaf_without_orders",
        "Events are read only while something works at the broker.",
        _fills_only_when_something_works,
    ),
    Mutant("silence_overtaken", "What is said of an order overtakes what nobody answered.", _order_of_silence),
)
