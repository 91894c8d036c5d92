"""From an intent that is committed to an order at the broker (design §3, steps 4 and 5).

An intent is in the database before the wire is touched. What is sent is asked once more just before: is the lease ours,
is nothing killed or paused, is an entry still in its bar. What comes back is written down before anything else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from workbench.brokers.port import Answer, Broker, Idempotency, NotSent, Unknown
from workbench.live.gates import Sending
from workbench.live.intents import Intent, IntentState, Next, after_silence
from workbench.live.lease import Fenced, Lease
from workbench.live.page import Page
from workbench.live.said import Said
from workbench.live.standing import Standing

Refusal = Callable[[Standing, Intent], str]
Sent = Callable[[Standing], None]

#: How long an order may stay invisible at a broker whose ids are labels: minutes were seen.
VISIBLE_NS = 180 * 10**9
#: How long before its end a lease is no longer good for a request: as long as one may take to arrive.
MARGIN_NS = 3 * 10**9
#: Between two looks for an order of which nobody knows whether it arrived.
LOOK_NS = 2 * 10**9


def _uncounted(_: Standing) -> None:
    """Nobody counts."""


class Executor:
    """Sends intents in order and learns what became of them.

    Parameters
    ----------
    broker : Broker
        Where to.
    lease : Lease
        The right to act; what is written is fenced by it, and nothing is sent close to its end.
    now_ns : callable
        The clock.
    refusal : callable
        Why an intent must not be sent now, in a word; empty if it may.
    sending : callable
        Held from the look at ``refusal`` until the wire has the entries: a kill in between waits for that.
    sent : callable, optional
        Told of each request that goes to the broker.
    """

    def __init__(
        self,
        broker: Broker,
        lease: Lease,
        now_ns: Callable[[], int],
        refusal: Refusal,
        sending: Sending,
        sent: Sent = _uncounted,
    ) -> None:
        self._broker, self._lease, self._now_ns, self._refusal = broker, lease, now_ns, refusal
        self._sending, self._sent = sending, sent
        self._open: dict[str, dict[int, Intent]] = {}
        #: While ``at_once``: what is let go of at its end, and whether a kill is held up by it.
        self._whole: ExitStack | None = None
        self._may_open: bool | None = None
        self._moving: set[tuple[str, int]] = set()  # open intents by which a position changes hands

    def plan(self, intents: Sequence[Intent]) -> None:
        """Take over intents that are committed."""
        for one in intents:
            self._open.setdefault(one.request.account, {})[one.number] = one
            if one.request.action == "TRANSFER":
                self._moving.add((one.request.account, one.number))

    def forget(self, account: str, numbers: Sequence[int]) -> None:
        """Let go of intents that are never sent."""
        for number in numbers:
            self._let_go(account, number)

    def release(self, page: Page, standing: Standing) -> None:
        """D8: entries that waited for exits may go when those have filled."""
        for order, number in list(standing.held.items()):
            intent = self._open[standing.deployed.given.account][number]
            if standing.deployed.one.waits(standing.deployed.number[intent.request.instrument]):
                continue
            del standing.held[order]
            intent.state = IntentState.PLANNED
            intent.request = intent.request._replace(contingent=True)
            page.intent(standing.id, number, state=intent.state.value, contingent=True)

    def arrived(self, page: Page, standing: Standing, ids: Mapping[str, str]) -> None:
        """What a broker said of orders, by client id, proves that they arrived, whatever became of the answer."""
        for intent in list(self._open.get(standing.deployed.given.account, {}).values()) if ids else ():
            silent = intent.state in (IntentState.SUBMITTING, IntentState.UNKNOWN)
            if silent and intent.request.action == "SUBMIT" and intent.request.cid in ids:
                self._accept(page, standing, intent, ids[intent.request.cid], "the broker told of it")

    def pending(self, account: str) -> bool:
        """Whether something is still to be said or learned in an account."""
        return bool(self._open.get(account))

    def moves(self, account: str = "") -> bool:
        """Whether a position is between two hands: in an account, or in any."""
        return any(not account or one == account for one, _ in self._moving)

    def due(self, standings: Mapping[str, Standing]) -> list[tuple[Standing, Intent]]:
        """Intents to be sent or asked about now, by deployment and in order.

        Behind one of which nobody knows whether it arrived, what else is to be said of that order waits, and so does
        every entry of that deployment.
        """
        now, out = self._now_ns(), list[tuple[Standing, Intent]]()
        for account in sorted(self._open):
            standing, unclear, said = standings.get(account), False, set[str]()
            for number in sorted(self._open[account]) if standing is not None else ():
                intent = self._open[account][number]
                request = intent.request
                if request.cid in said or (unclear and not request.reduces) or intent.state is IntentState.HELD:
                    continue
                unclear = unclear or intent.state is not IntentState.PLANNED
                if intent.since_ns == 0 or now - intent.since_ns >= LOOK_NS:
                    assert standing is not None
                    out.append((standing, intent))
                # One word about an order at a time: what follows must know what became of it.
                said.add(request.cid)
        return out

    def flush(self, standings: Mapping[str, Standing]) -> None:
        """Send what is due, and write down what became of it."""
        while due := self.due(standings):
            with self.at_once():
                if not self._say(due):
                    return

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Where the broker's book is in our database: one transaction for all that is written and sent inside.

        Until that is kept a kill waits, if an entry was sent in it: after its word none may appear.
        """
        if self._whole is not None or not self._broker.shares_database:
            yield
            return
        with ExitStack() as self._whole:
            try:
                with self._lease.together():
                    yield
            finally:
                self._whole, self._may_open = None, None

    def _say(self, due: Sequence[tuple[Standing, Intent]]) -> bool:
        """Send what may be sent of some intents; whether that was anything."""
        opens = any(intent.request.opens for _, intent in due)
        with ExitStack() as own:
            cleared = self._cleared(due, not opens or self._hold_up_kills(own))
            if not cleared:
                return False
            if not self._lease.lasts(MARGIN_NS):
                # Another may hold the lease before the broker has our words: they are not said.
                raise Fenced("the lease ends before an order could arrive; nothing was sent.")
            answers = self._broker.send([intent.request for _, intent in cleared])
        page = Page()
        for (standing, intent), answer in zip(cleared, answers, strict=True):
            self._learn(page, standing, intent, answer)
        self._commit(page)
        return True

    def _hold_up_kills(self, own: ExitStack) -> bool:
        """Whether entries may be sent: a kill waits from now on, until what is sent is with the broker and kept."""
        if self._whole is None:
            return own.enter_context(self._sending())
        if self._may_open is None:
            self._may_open = self._whole.enter_context(self._sending())
        return self._may_open

    def _commit(self, page: Page) -> None:
        if not page.empty:
            with self._lease.fenced() as connection:
                page.write(connection)

    # --- before the wire ---------------------------------------------------------------------------------------------

    def _cleared(self, due: Sequence[tuple[Standing, Intent]], may_open: bool) -> list[tuple[Standing, Intent]]:
        """Those that may be sent now; what may not expires, what is unclear is looked up."""
        page, cleared, now = Page(), [], self._now_ns()
        for standing, intent in due:
            if intent.state in (IntentState.SUBMITTING, IntentState.UNKNOWN):
                if not self._may_send_again(page, standing, intent):
                    continue
            elif why := self._refusal(standing, intent):
                self._give_up(page, standing, intent, IntentState.EXPIRED, why)
                continue
            if intent.request.opens and not may_open:
                continue
            cleared.append((standing, intent))
            self._sent(standing)
            if self._broker.idempotency is not Idempotency.UNIQUE_FOREVER:
                # Who crashes after this cannot know whether the wire was touched, and must not send blindly.
                intent.state = IntentState.SUBMITTING
                page.intent(standing.id, intent.number, state=intent.state.value, sent_ns=now)
            intent.since_ns = now
        self._commit(page)
        return cleared

    def _may_send_again(self, page: Page, standing: Standing, intent: Intent) -> bool:
        try:
            found = self._broker.find(intent.request.account, intent.request.cid)
        except Unknown:
            found = None
        now = self._now_ns()
        waited = now - intent.since_ns if intent.since_ns else 0
        if intent.since_ns == 0:
            intent.since_ns = now  # after a restart the wait begins anew: nobody knows when it was sent
        verdict = after_silence(self._broker.idempotency, intent.request.action, found, waited, VISIBLE_NS)
        if verdict is Next.SEND_AGAIN and self._refusal(standing, intent):
            # It may have arrived, so it cannot be given up; it may not, and must not be sent now.
            verdict = Next.WAIT if found is None or waited < VISIBLE_NS else Next.OPERATOR
        if verdict is Next.ADOPT and found:
            self._accept(page, standing, intent, found[0].broker_id, "found at the broker")
        elif verdict is Next.OPERATOR:
            intent.state = IntentState.OPERATOR
            page.intent(standing.id, intent.number, state=intent.state.value, detail="nobody knows whether it arrived")
            self._close(intent)
            standing.state, standing.note = "PAUSED_UNKNOWN_ORDER", f"order {intent.request.cid}: sent, never seen"
            body = {"why": "UNKNOWN_ORDER", "cid": intent.request.cid}
            standing.write(page, intent.request.decided_ns, now, "PAUSED", body)
            standing.keep(page, now)
        return verdict is Next.SEND_AGAIN

    # --- after the wire ----------------------------------------------------------------------------------------------

    def _learn(self, page: Page, standing: Standing, intent: Intent, answer: Answer | Exception) -> None:
        if isinstance(answer, NotSent):
            # That this word did not leave says nothing of one before it, which may be on its way still.
            if intent.state is not IntentState.UNKNOWN:
                intent.state = IntentState.PLANNED
            page.intent(standing.id, intent.number, state=intent.state.value)
        elif isinstance(answer, Exception):
            intent.state = IntentState.UNKNOWN
            page.intent(standing.id, intent.number, state=intent.state.value, sent_ns=intent.since_ns)
        elif answer.accepted or answer.duplicate or intent.request.action != "SUBMIT":
            self._accept(page, standing, intent, answer.broker_id, answer.reason)
        else:
            self._give_up(page, standing, intent, IntentState.REJECTED, answer.reason)

    def _accept(self, page: Page, standing: Standing, intent: Intent, broker_id: str, detail: str) -> None:
        intent.state = IntentState.ACKED
        changes = {"state": intent.state.value, "sent_ns": intent.since_ns, "detail": detail}
        page.intent(standing.id, intent.number, **changes)
        if intent.request.action in ("SUBMIT", "TRANSFER"):
            page.order(intent.request.cid, broker_id=broker_id)
        self._close(intent)

    def _give_up(self, page: Page, standing: Standing, intent: Intent, state: IntentState, why: str) -> None:
        """Nothing came of it: the engine forgets the order, so that the next close decides anew."""
        now, request = self._now_ns(), intent.request
        intent.state = state
        # What was refused without a word to the broker was never sent, and does not count.
        sent_ns = intent.since_ns if state is IntentState.REJECTED else 0
        page.intent(standing.id, intent.number, state=state.value, detail=why, sent_ns=sent_ns)
        self._close(intent)
        kind = "ORDER_REJECTED" if state is IntentState.REJECTED else "ORDER_EXPIRED"
        body = {"cid": request.cid, "order": request.number, "action": request.action, "why": why}
        standing.write(page, request.decided_ns, now, kind, body)
        if request.action == "SUBMIT":
            said = Said(standing, page, now, self._lease.epoch)
            k = standing.deployed.number[request.instrument]
            page.order(request.cid, status=state.value)
            standing.deployed.withdraw(k, request.number, now)
            said.actions(standing.deployed.taken()["actions"], gone=(request.number,))
            standing.known.pop(request.number, None)
        standing.keep(page, now)

    def _close(self, intent: Intent) -> None:
        self._let_go(intent.request.account, intent.number)
        self._moving.discard((intent.request.account, intent.number))

    def _let_go(self, account: str, number: int) -> None:
        there = self._open.get(account, {})
        there.pop(number, None)
        if not there:
            # Several times a bar everything that is open is walked: who has nothing to say is not among it.
            self._open.pop(account, None)
