"""Commands obeyed: what a person asked for, done between two turns of the runner (design §3).

A command, its effect, its row of the journal and its answer are one transaction of the holder of the lease, in the
order in which commands were written. What cannot be done is answered with the reason, in words; nothing a person writes
ends the runner.

The kill switch is a file (``killswitch``), and its commands only change that file: what the journals say of it follows
the file, whoever changed it.

Invariants: no command makes a position, and only FLATTEN and RESOLVE close or move one, which a broker's fill books; a
deployment that was stopped stays stopped, and stays with the runner until it may be let go (``leaving``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from workbench.brokers.port import Unknown
from workbench.errors import HaltError, RetryableError, WorkbenchError
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.aside import Aside
from workbench.live.asking import Answer, Asked, Verb, answered, waiting
from workbench.live.by_hand import flatten, forget
from workbench.live.killswitch import KillSwitch
from workbench.live.leaving import Leaving, Say
from workbench.live.mismatch import CONTINUES, EXIT_ONLY, takes_over
from workbench.live.page import Page
from workbench.live.reconcile import differences
from workbench.live.resolving import Resolving
from workbench.live.runner import Runner
from workbench.live.said import Said
from workbench.live.standing import LEAVING, Standing, Status
from workbench.live.stopping import Kept, cancel_orders, entries_of, flattened, kept_of, reducing_of, write_down
from workbench.live.switching import Switching
from workbench.market.calendar import resolve_calendar

#: States that a person must have looked at before evaluation goes on.
UNCLEAR = ("PAUSED_RECONCILE", "PAUSED_UNKNOWN_ORDER")

#: What nothing but these verbs is asked of everything at once.
_OF_EVERYTHING = (Verb.KILL, Verb.ARM)


class Obeyed(NamedTuple):
    """One command that was answered."""

    asked: Asked
    name: str
    answer: Answer


class Commands:
    """Obeys what is written in ``commands``, for one runner.

    Parameters
    ----------
    store : Store
        Where commands are.
    runner : Runner
        Whose deployments they are about; it holds the lease.
    switch : KillSwitch
        Of the same database; the runner's gates ask the same file.
    say : callable, optional
        Takes a line of text for whoever watches, when what was stopped needs somebody.
    """

    def __init__(self, store: Store, runner: Runner, switch: KillSwitch, say: Say = lambda _: None) -> None:
        self._store, self._runner = store, runner
        self._switching, self._resolving = Switching(runner, switch), Resolving(runner)
        self._leaving = Leaving(runner, say)
        self._aside = Aside(runner.lease, self._switching.obey)
        self._verbs: dict[Verb, Callable[[Page, Asked, Standing, int], Answer]] = {
            Verb.PAUSE: self._pause,
            Verb.RESUME: self._resume,
            Verb.STOP: self._stop,
            Verb.FLATTEN: self._flatten,
            Verb.RESOLVE: self._resolve,
        }
        self._said: list[Said] = []

    def obey(self, now_ns: int) -> list[Obeyed]:
        """Obey everything that waits.

        Parameters
        ----------
        now_ns : int
            The runner's clock.

        Returns
        -------
        list of Obeyed
            What was answered, in order.

        Raises
        ------
        Fenced
            Somebody else has taken over: nothing was written.
        RetryableError
            The database is in use, or a calendar was changed: what is in memory must be forgotten.
        """
        self._look_at_calendars()
        self._switching.follow(now_ns)
        self._tell_limits(now_ns)
        with self._store.read() as connection:
            found = waiting(connection)
        if found:
            # What a command does depends on what is held: what the broker has to say is heard first.
            self._runner.hear(sends=False)
        out = [self._obeyed(one, now_ns) for one in found]
        if out:
            # What may not be sent any more lapses now, and not only at the next bar.
            self._runner.executor.flush(self._runner.standings)
        self._leaving.see_off(now_ns)
        return out

    def _look_at_calendars(self) -> None:
        """Begin again with a calendar that was uploaded since: from here on its days count."""
        for group in self._runner.groups.values():
            known = group.schedule.calendar
            try:
                now = resolve_calendar(known.name)
            except WorkbenchError:
                continue  # an unreadable file says nothing: what was known goes on
            if now is not known and now != known:
                raise RetryableError(f"the calendar {known.name} was changed, and counts from here on")

    def _tell_limits(self, now_ns: int) -> None:
        """Tell the journals what an owner may do from now on, when somebody changed it."""
        limits = self._runner.gates.limits
        changed = {} if limits is None else limits.refresh()
        page = Page()
        for standing in self._runner.standings.values():
            body = changed.get(standing.deployed.given.owner)
            if body and standing.status is not Status.STOPPED:
                write_down(page, standing, now_ns, "CONFIG_CHANGED", {"limits": body})
        if not page.empty:
            with self._runner.lease.fenced() as connection:
                page.write(connection)

    def _obeyed(self, one: Asked, now_ns: int) -> Obeyed:
        page, self._said = Page(), []
        try:
            standing, answer = self._answer(page, one, now_ns)
        except (HaltError, RetryableError) as error:  # of the flag of the kill switch
            page, standing, answer = Page(), None, Answer(False, str(error))
        with self._runner.lease.fenced() as connection:
            page.write(connection)
            answered(connection, one.id, answer, now_ns)
        for said in self._said:
            self._runner.executor.plan(said.intents)
            self._runner.executor.forget(said.given.account, said.expired)
        return Obeyed(one, "" if standing is None else standing.deployed.given.name, answer)

    def _answer(self, page: Page, one: Asked, now_ns: int) -> tuple[Standing | None, Answer]:
        if one.verb not in Verb.__members__:
            known = ", ".join(Verb.__members__)
            return None, Answer(False, f"there is no command {one.verb!r}; there are {known}.")
        verb = Verb(one.verb)
        if not one.deployment_id:
            if verb not in _OF_EVERYTHING:
                return None, Answer(False, f"{verb.value} needs the name of a deployment.")
            return None, self._switching.obey(page, one, "", now_ns)
        standing = self._runner.standings.get(one.deployment_id)
        if standing is None or standing.deployed.given.owner != one.owner:
            return None, self._aside.obey(page, one, now_ns) or self._absent(one)
        if standing.status is Status.STOPPED:
            return standing, self._stop_again(page, one, standing, now_ns) if verb is Verb.STOP else self._absent(one)
        if verb in _OF_EVERYTHING:
            return standing, self._switching.obey(page, one, standing.deployed.given.name, now_ns)
        return standing, self._verbs[verb](page, one, standing, now_ns)

    def _absent(self, one: Asked) -> Answer:
        """What to say of a deployment that does not run here."""
        table, states = tables.deployments, tables.deployment_states
        wanted = (
            sa.select(table.c.name, states.c.status)
            .join(states, states.c.deployment_id == table.c.id)
            .where(table.c.id == one.deployment_id, table.c.owner == one.owner)
        )
        with self._store.read() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return Answer(False, "there is no such deployment.")
        if row.status == Status.STOPPED.value:
            return Answer(False, f"{row.name} is stopped, for good. Deploy the strategy again under another name.")
        return Answer(False, f"{row.name} does not run in this runner yet; ask again.")

    # --- one deployment ----------------------------------------------------------------------------------------------

    def _pause(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> Answer:
        kept = kept_of(standing)
        again = standing.status is Status.PAUSED
        if not again:
            standing.status = Status.PAUSED
            standing.note = standing.note or _noted("paused", one)
            write_down(page, standing, now_ns, "PAUSED", {**one.by(), "kept": kept.plain()})
        already = f"{standing.deployed.given.name} is paused already. " if again else ""
        lapsed = sum(1 for order in entries_of(standing) if order in standing.held)
        waits = f" Entries that wait for an exit are not sent while it is paused: {lapsed}." if lapsed else ""
        return Answer(
            True,
            f"{already}No evaluation and no new order until it is resumed. Kept: {kept.words()}.{waits} Bars that pass "
            "meanwhile move indicators and trailing stops, and open nothing.",
        )

    def _resume(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> Answer:
        name, state = standing.deployed.given.name, standing.state
        if kill := self._switching.kill_of(standing):
            return Answer(False, f"{name} is killed ({kill.words()}). Arm it first, with a reason.")
        if why := self._resolving.hindrance(standing):
            return Answer(False, f"{name} cannot simply go on: {why}.")
        unclear, leaving = state.startswith("PAUSED"), EXIT_ONLY in standing.counts
        if standing.status is Status.RUNNING and not unclear and not leaving:
            return Answer(True, f"{name} runs already; nothing was changed.")
        # What has filled in part is gone at the broker and still in our books: it is flat when it is so in both.
        is_flat = not standing.held_qty() and not standing.deployed.is_in_position
        if leaving and standing.status is Status.RUNNING and not is_flat:
            text = f"{name} holds what it took over, and only exits: {kept_of(standing).words()}."
            return Answer(False, f"{text} Wait until it is flat, or flatten it: workbench flatten {name}.")
        if takes_over(standing):
            return Answer(False, f"{name} is taking a position over: ask again in a moment.")
        if unclear and one.body.get("acknowledged") is not True:
            return Answer(
                False,
                f"{name} is {state}: {standing.note or 'what it holds is not clear'}. Look at the position and the "
                "orders at the broker first, then resume and say that you have: --acknowledged, acknowledged=True.",
            )
        forget(standing)
        standing.counts.pop(CONTINUES, None)
        if is_flat:
            standing.counts.pop(EXIT_ONLY, None)
        paused_note = standing.note
        standing.status, standing.note = Status.RUNNING, ""
        if unclear:
            standing.state = "FLAT"  # one of those that follow what is held
        body = {**one.by(), "was": state, "kept": kept_of(standing).plain()}
        if unclear:
            body["acknowledged"] = paused_note
        write_down(page, standing, now_ns, "RESUMED", body)
        return Answer(True, f"{name} runs: the next bar is evaluated. It holds: {kept_of(standing).words()}.")

    def _stop(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> Answer:
        given, kept = standing.deployed.given, kept_of(standing)
        keep, keep_protective = one.body.get("keep") is True, one.body.get("keep_protective", True) is not False
        if kept.holdings and not keep:
            return Answer(
                False,
                f"{given.name} holds {kept.words()}. Nothing was changed. Close it with flatten, wait until it is "
                "flat, or say that the position is kept: --keep, keep=True. Nobody manages it then; its orders stay at "
                "the broker unless they are cancelled too: --cancel-protective, keep_protective=False.",
            )
        if standing.parts and not keep:
            return Answer(
                False,
                f"an order of {given.name} has filled in part. Nothing was changed. Wait until it is done, or say that "
                "what filled is kept: --keep, keep=True. Nobody manages it then.",
            )
        if why := self._unclear(standing):
            text = f"{given.name} cannot be stopped now: {why}. Nothing was changed; ask again in a moment."
            return Answer(False, text)
        reducing = reducing_of(standing)
        cancelled = [*entries_of(standing), *([] if keep_protective else reducing)]
        cids = [standing.known[order].cid for order in cancelled]
        left = [standing.known[order].cid for order in reducing if order not in cancelled]
        standing.status = Status.STOPPED
        standing.note = "; ".join(filter(None, (_noted("stopped", one), standing.note)))
        if not standing.state.startswith("PAUSED"):
            standing.state, standing.note = LEAVING, _noted("stopped", one)
        body = {**one.by(), "kept": kept.plain(), "orders_kept": left, "orders_cancelled": cids}
        write_down(page, standing, now_ns, "STOPPED", body)
        said = Said(standing, page, now_ns, self._runner.lease.epoch)
        cancel_orders(said, cancelled)
        standing.keep(page, now_ns)
        self._said.append(said)
        return Answer(True, _stopped(given.name, kept, len(cids), len(left)))

    def _unclear(self, standing: Standing) -> str:
        """Why nobody may walk away yet: what the broker holds is not what we have heard of; empty if it is."""
        if self._runner.executor.moves(standing.deployed.given.account):
            return "a position is changing hands"
        try:
            there = self._runner.venue.positions(standing.deployed.given.account)
        except Unknown:
            return "the broker cannot be asked what it holds"
        return "; ".join(map(str, differences(standing.held_qty(), there)))

    def _flatten(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> Answer:
        kept, entries = kept_of(standing), entries_of(standing)
        coming = takes_over(standing)
        names = {holding.instrument for holding in kept.holdings} | standing.held_qty().keys()
        names |= {standing.known[order].instrument for order in entries}
        if not names:
            return Answer(False, f"{standing.deployed.given.name} holds nothing: there is nothing to flatten.")
        said = Said(standing, page, now_ns, self._runner.lease.epoch)
        flatten(said, names, max(now_ns, standing.deployed.passed_ns), {**one.by(), "kept": kept.plain()})
        if standing.status is Status.RUNNING:
            standing.status, standing.note = Status.PAUSED, _noted("flattened and paused", one)
            write_down(page, standing, now_ns, "PAUSED", {**one.by(), "kept": kept_of(standing).plain()})
        standing.keep(page, now_ns)
        self._said.append(said)
        if coming:
            name = standing.deployed.given.name
            text = f"{name} is taking a position over. That leaves as soon as a bar has closed with it."
            return Answer(True, f"{text} It is paused and enters nothing until it is resumed.")
        return Answer(True, flattened(standing, kept, len(entries)))

    def _resolve(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> Answer:
        answer, saids = self._resolving.obey(page, one, standing, now_ns)
        self._said += saids
        return answer

    def _stop_again(self, page: Page, one: Asked, standing: Standing, now_ns: int) -> Answer:
        """End the wait for the broker's last word: a person has looked."""
        name, note = standing.deployed.given.name, standing.note
        if self._runner.executor.pending(standing.deployed.given.account):
            return Answer(False, f"{name} is stopped, and the broker has not answered yet about its orders; ask again.")
        if one.body.get("keep") is not True:
            return Answer(
                False,
                f"{name} is stopped and still listens: {note}. Look at position and orders at the broker; then say "
                "that what is there is kept: --keep, keep=True. Nobody manages it.",
            )
        standing.state, standing.note = "FLAT", _noted("let go", one)
        write_down(page, standing, now_ns, "RECONCILIATION_ACTION", {**one.by(), "acknowledged": note})
        self._leaving.release(standing)
        return Answer(True, f"{name} is let go. What is at the broker is managed by nobody: {note}.")


def _noted(what: str, one: Asked) -> str:
    return f"{what} by {one.who}{f': {one.why}' if one.why else ''}"


def _stopped(name: str, kept: Kept, n_cancelled: int, n_left: int) -> str:
    orders = f"orders cancelled: {n_cancelled}, orders left at the broker: {n_left}"
    if not kept.holdings:
        return f"{name} is stopped. It held nothing; {orders}."
    held = "; ".join(one.words() for one in kept.holdings)
    return (
        f"{name} is stopped. It held, and nobody manages now: {held}; {orders}. The paper broker fills nothing of a "
        "stopped deployment."
    )
