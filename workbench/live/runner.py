"""The runner: one turn takes what arrived, lets due instants pass, and says when to come back (design §3).

Order of one instant: bars are stored; what fills at its open and inside it is booked, in the three phases of F1; then
the base interval closes, and where a strategy bar is final the step decides. Decision, state, journal and intents of
every deployment at that instant are one transaction; only then is a broker told. Where the broker's book is in the same
database, what it does on those bars is part of that transaction.

Invariants: an instant passes once for a deployment (its job's key is unique); nothing is sent that is not committed;
who has lost the lease writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress

from workbench.brokers.port import Event, Phase, TradedBar, Unknown, Venue
from workbench.journal import tables
from workbench.live.beginning import beginning
from workbench.live.beside import Beside, Elsewhere, beside, held_by_others
from workbench.live.by_hand import FLATTENING, go_on_flattening
from workbench.live.clock import Clock
from workbench.live.days import TOLD, follow_calendar, mark_of
from workbench.live.deciding import decide, drop, report, warm
from workbench.live.deployed import Bar, memory_of
from workbench.live.doubts import Doubts
from workbench.live.executor import LOOK_NS, Executor
from workbench.live.feed import Feed
from workbench.live.freshness import Freshness, tell
from workbench.live.gates import ENTRIES, Gates
from workbench.live.given import Given
from workbench.live.group import Group
from workbench.live.heard import heard, is_booked, known_before
from workbench.live.inbox import Inbox, newest_bars
from workbench.live.lease import Lease
from workbench.live.limits import Limits
from workbench.live.mismatch import CONTINUES, begin_beside, go_on
from workbench.live.page import Page
from workbench.live.parts import book_parts, take_rests_back
from workbench.live.said import Said
from workbench.live.schedule import Interval, schedule_of
from workbench.live.standing import Standing, Status
from workbench.live.together import Together
from workbench.live.too_late import write_late

#: How long after its close an interval waits for bars of which nobody knows whether they come.
GRACE_NS = 2 * 10**9


class Runner:
    """Everything between a closed bar and an order, for all deployments of one database.

    Parameters
    ----------
    clock : Clock
        Time.
    lease : Lease
        The right to act; held.
    feed : Feed
        Where bars come from.
    venue : Venue
        The paper broker.
    gates : Gates
        What may stop an order.
    """

    def __init__(self, clock: Clock, lease: Lease, feed: Feed, venue: Venue, gates: Gates) -> None:
        self.clock, self.lease, self.feed, self.venue, self.gates = clock, lease, feed, venue, gates
        self.inbox, self.freshness = Inbox(), Freshness(feed)
        #: Where positions beside a deployment come from; a real broker's come the same way.
        self.elsewhere: Elsewhere = held_by_others
        self.groups: dict[tuple[str, str], Group] = {}
        self.standings: dict[str, Standing] = {}
        if gates.limits is None:
            gates.limits = Limits(lease.store)
        self.executor = Executor(venue, lease, clock.now_ns, gates.refusal, gates.sending, gates.sent)
        self._next: dict[tuple[str, str], Interval | None] = {}
        self._doubts = Doubts(venue, self.executor)
        self._read: dict[str, Sequence[Event]] = {}
        self._untold = False  # what is stale, to deployments that were taken on
        #: Asked after every instant of a turn, which may be one of thousands; False ends the turn there.
        self.between: Callable[[], bool] = lambda: True

    def add(self, standing: Standing) -> None:
        """Take a deployment on, as it was left."""
        given = standing.deployed.given
        key = (given.calendar.name, str(given.timeframe))
        if key not in self.groups:
            self.groups[key] = Group(schedule_of(given.calendar, given.timeframe))
        if standing.heartbeat_ns == 0:  # it never ran; that it could not run may have been written before
            page, now = Page(), self.clock.now_ns()
            standing.write(page, standing.deployed.passed_ns, now, "STARTED", beginning(given, standing.history))
            begin_beside(page, standing, self._beside(standing), now)
            standing.counts[TOLD] = mark_of(given.calendar)
            standing.keep(page, now)
            self._commit(page)
        elif standing.counts.get(TOLD) != mark_of(given.calendar):
            page = Page()
            with self.lease.store.read() as connection:
                follow_calendar(connection, page, standing, self.clock.now_ns())
            self._commit(page)
        self.groups[key].take_on(standing)
        self.standings[standing.id] = standing
        self._next.pop(key, None)
        if standing.status is Status.STOPPED:
            return  # it only listens to the broker
        self._doubts.ask(standing.id)
        schedule, passed_ns = self.groups[key].schedule, standing.deployed.passed_ns
        for name in given.names:
            self.feed.follow(name, key[1], given.calendar, passed_ns)
        if unseen := [name for name in given.names if not self.freshness.follows(name, key[1])]:
            with self.lease.store.read() as connection:
                newest = newest_bars(connection, unseen, key[1])
            for name in unseen:
                self.freshness.follow(name, schedule, passed_ns, newest[name])
        self._untold = True

    def _beside(self, standing: Standing) -> list[Beside]:
        """What is held beside a deployment."""
        with self.lease.store.read() as connection:
            return beside(self.elsewhere(connection, standing.deployed.given))

    def drop(self, ident: str) -> None:
        """Let a deployment go that is stopped: no interval passes it any more."""
        given = self.standings.pop(ident).deployed.given
        key = (given.calendar.name, str(given.timeframe))
        self.groups[key].let_go(ident)
        self._next.pop(key, None)

    def passed_ns(self, given: Given) -> int:
        """Close of the last interval that every running deployment beside one, and that itself, has passed."""
        group = self.groups[given.calendar.name, str(given.timeframe)]
        running = (one for one in group.standings.values() if one.status is not Status.STOPPED)
        return min(one.deployed.passed_ns for one in running)

    def turn(self) -> int | None:
        """Do all that is due; when to come back, None if nobody knows."""
        now = self.clock.now_ns()
        bars = self.feed.take(now)
        self.inbox.take(bars)
        self.freshness.saw(bars)
        self._tell_stale(now)
        for key in self.groups:
            self._tell_late(key)
        due = [] if self._between_hands() else [one for one in map(self._due, self.groups) if one is not None]
        while due:
            for key, interval in due:
                self.pass_interval(self.groups[key], interval)
                self._next.pop(key, None)
            if not self.between():
                break
            due = [one for one in map(self._due, self.groups) if one is not None]
        self.hear()
        self.executor.flush(self.standings)
        self._commit(self._doubts.check(self.standings.values(), self.clock.now_ns()))
        # What has closed and is still here waits for its bars, and not for longer than that.
        closes = [one.close_ns for one in map(self._coming, self.groups) if one is not None]
        coming = [close_ns if close_ns > now else close_ns + GRACE_NS for close_ns in closes]
        if self.executor.moves():
            return now + LOOK_NS
        later = self.feed.next_ns(now)
        soonest = min([*coming, *([later] if later is not None else [])], default=None)
        missing = None if soonest is None else self.freshness.next_ns(soonest)
        return soonest if missing is None else missing

    def _between_hands(self) -> bool:
        """Whether a position is still changing hands: a bar that fills its stop before would make two of one."""
        if self.executor.moves():
            self.executor.flush(self.standings)
        return self.executor.moves()

    def _tell_stale(self, now: int) -> None:
        """Bars that are missing are shown and told, once when it begins and once when it ends."""
        if self.freshness.look(now) or self._untold:
            page, self._untold = Page(), False
            tell(page, self.standings.values(), self.freshness.stale, now)
            self._commit(page)

    def _coming(self, key: tuple[str, str]) -> Interval | None:
        if key not in self._next:
            self._next[key] = self.groups[key].next_interval()
        return self._next[key]

    def _due(self, key: tuple[str, str]) -> tuple[tuple[str, str], Interval] | None:
        interval, now = self._coming(key), self.clock.now_ns()
        if interval is None or interval.close_ns > now:
            return None
        group = self.groups[key]
        there = self.inbox.at(group.timeframe, interval.ts_ns)
        absent = group.followed() - there.keys()
        missing = [name for name in absent if self.feed.through_ns(name, key[1]) < interval.close_ns]
        return None if missing and now < interval.close_ns + GRACE_NS else (key, interval)

    def _tell_late(self, key: tuple[str, str]) -> None:
        """B5: a bar that came after its interval had passed, or that differs from the one used, changes nothing."""
        coming, now, group = self._coming(key), self.clock.now_ns(), self.groups[key]
        if coming is None:
            return
        late = self.inbox.too_late(key[1], coming.ts_ns, group.followed())
        if not late:
            return
        page = Page()
        with self.lease.fenced() as connection:
            write_late(connection, page, late, self.groups[key].standings.values(), now)
            page.write(connection)

    def hear(self, sends: bool = True) -> None:
        """Book what brokers reported between two instants; ``sends`` says whether what follows is sent at once."""
        page, saids = Page(), list[Said | None]()
        for key, group in self.groups.items():
            coming = self._coming(key)
            bars = self.inbox.at(group.timeframe, coming.ts_ns) if coming is not None else {}
            # Of all of them, the stopped too: what we took back may have filled before it was.
            for one in group.standings.values():
                stands = one.status is Status.STOPPED
                interval = group.schedule.after(one.deployed.passed_ns) if stands else coming
                if interval is not None:
                    saids.append(self._book(page, one, Phase.EXITS, interval, bars))
        self._commit(page)
        self._hand_over([one for one in saids if one is not None], sends)

    # --- one instant -------------------------------------------------------------------------------------------------

    def pass_interval(self, group: Group, interval: Interval) -> None:
        """Let one interval pass for every deployment of a group that has not passed it yet."""
        bars = self.inbox.at(group.timeframe, interval.ts_ns)
        active = [
            one for one in group.standings.values()
            if one.deployed.passed_ns < interval.close_ns and one.status is not Status.STOPPED
        ]  # fmt: skip
        if not active:
            return  # whoever waited for it was stopped meanwhile
        together = self._together(group, active, interval)
        shown = {
            name: TradedBar(interval.open_ns, interval.close_ns, interval.day, *bar[:3]) for name, bar in bars.items()
        }
        trading = self._trading([one for one in active if one.deployed.decides_at(interval)], shown)
        page = Page()
        names = {name for one in active for name in one.deployed.names}
        self.inbox.store(page, group.timeframe, interval.ts_ns, self.clock.now_ns(), names)
        # A broker elsewhere must not hear of what is not kept; with one in our database all of it is kept at once.
        with self.executor.at_once() if trading else nullcontext():
            if trading:
                # What fills on a bar is booked by that bar: it is kept first.
                self._commit(page)
                self._fill(trading, interval, bars, shown)
                page = Page(page.absent)
            together.feed(interval, bars)
            saids = self._close(page, active, interval, together)
            self._commit(page)
        self.inbox.pass_through(group.timeframe, interval.ts_ns, group.followed())
        self._hand_over(saids)

    def _together(self, group: Group, active: Sequence[Standing], interval: Interval) -> Together:
        """The deployments that an interval passes, in its session."""
        day = group.schedule.day(interval.day)
        for one in active:
            if one.deployed.day is not day:
                # The same date may be laid out twice: who fed weeks of history has pushed it out of the schedule.
                if one.deployed.day.day != interval.day:
                    self._doubts.ask(one.id)
                one.deployed.enter(day)
                group.together = None
        moving = [one.deployed for one in active]
        if group.together is None or not group.together.moves(moving):
            group.together = Together(moving)
        return group.together

    def _trading(self, deciding: Sequence[Standing], shown: Mapping[str, TradedBar]) -> list[Standing]:
        """Deployments of which an order fills on these bars, or with which something is on its way."""
        reached = self.venue.reached(shown, [one.deployed.given.account for one in deciding])
        return [one for one in deciding if one.deployed.given.account in reached or self._stirs(one)]

    def _stirs(self, standing: Standing) -> bool:
        """Whether something is to be said, to be released, or has been told, of the orders of a deployment."""
        account = standing.deployed.given.account
        if standing.held or self.executor.pending(account):
            return True
        if not standing.known:
            return False
        try:
            events = self.venue.events(account, standing.counts["events"])
        except Unknown:
            return True
        if events:
            self._read[standing.id] = events  # a broker that was asked once may be silent the next time
        return bool(events)

    def _fill(
        self, trading: Sequence[Standing], interval: Interval, bars: Mapping[str, Bar], shown: Mapping[str, TradedBar]
    ) -> None:
        """F1's three phases: the broker fills, we book, and what follows from it is sent before the next one."""
        self.executor.flush(self.standings)
        accounts = [one.deployed.given.account for one in trading]
        for phase in Phase:
            with suppress(Unknown):
                self.venue.trade(phase, shown, accounts)
            page = Page()
            saids = [self._book(page, one, phase, interval, bars) for one in trading]
            self._commit(page)
            self._hand_over([one for one in saids if one is not None])

    def _book(
        self, page: Page, standing: Standing, phase: Phase, interval: Interval, bars: Mapping[str, Bar]
    ) -> Said | None:
        """Book what the broker reported, in the order of the law; None if there was nothing."""
        news = heard(self.venue, standing, self._read.pop(standing.id, ()))
        self.executor.arrived(page, standing, news.arrived)
        # After a crash the entries of an interval may be heard in another phase than they filled in.
        entered = any(standing.known[one.order].reason == "ENTRY_SIGNAL" for one in news.done)
        waiting = standing.deployed.working_entries() if phase is Phase.ENTRIES or entered else []
        if not news and not waiting:
            return None
        now, deployed = self.clock.now_ns(), standing.deployed
        said = Said(standing, page, now, self.lease.epoch)
        said.executions(news.executions)
        by_order = {one.order: one for one in news.done}
        gone = [one.order for one in news.done if not one.executions]
        for k in waiting:
            # F1 and D8 in the order of sending: an entry fills, or its own bar opened and it still waits.
            one = by_order.pop(int(deployed.desk.positions[k]["pending_order"]), None)
            if one is not None:
                report(said, one, interval, gone)
            elif deployed.names[k] in bars:
                drop(said, k, interval)
        for one in by_order.values():
            if one.order in standing.known:
                report(said, one, interval, gone)
            elif one.executions:
                said.overfilled(one, interval.close_ns)
        for event in news.strange:
            if not is_booked(self.lease, standing, event, page):
                said.strange(event, known_before(self.lease, standing, event), interval.close_ns)
        take_rests_back(said)
        if phase is Phase.EXITS:
            self.executor.release(page, standing)
        standing.keep(page, now)
        return said

    def _close(
        self, page: Page, active: Sequence[Standing], interval: Interval, together: Together
    ) -> list[Said]:
        """Base close and, at a strategy close, the step, with what they say on the page."""
        now = self.clock.now_ns()
        saids = [Said(one, page, now, self.lease.epoch) for one in active]
        for said in saids:
            if said.standing.parts:
                book_parts(said, interval)
            if CONTINUES in said.standing.counts:
                go_on(page, said.standing, self._beside(said.standing), now)
        deciding = [i for i, one in enumerate(active) if one.deployed.deciding]
        masks = {i: self.gates.mask(active[i], interval, now) for i in deciding}
        for i in deciding:
            if active[i].stale:
                together.hold_back(i, active[i].stale, ENTRIES)
        together.close(interval, deciding, [mask.bits for mask in masks.values()])
        for i, said in enumerate(saids):
            standing = said.standing
            if i in masks:
                decide(page, said, interval, together.outcome(i), masks[i].word, standing.stale)
                if FLATTENING in standing.counts:
                    go_on_flattening(said, interval.close_ns)
            else:
                warm(said, interval, together.digest(i))
            page.add(
                tables.jobs,
                {
                    "deployment_id": standing.id,
                    "key": f"BAR:{standing.deployed.given.timeframe}:{interval.close_ns}",
                    "done_ns": now,
                    "epoch": self.lease.epoch,
                },
            )
            if interval.at + 1 == len(standing.deployed.day):
                self._remember(page, standing, interval)
            standing.keep(page, now)
        return saids

    def _remember(self, page: Page, standing: Standing, interval: Interval) -> None:
        page.memories[standing.id] = {
            "deployment_id": standing.id,
            "instant_ns": interval.close_ns,
            "engine": self.gates.engine,
            "content": memory_of(standing.deployed),
        }

    def _commit(self, page: Page) -> None:
        if not page.empty:
            with self.lease.fenced() as connection:
                page.write(connection)

    def _hand_over(self, saids: Sequence[Said], sends: bool = True) -> None:
        """What is committed may be sent."""
        for said in saids:
            self.executor.plan(said.intents)
            self.executor.forget(said.given.account, said.expired)
        if sends:
            self.executor.flush(self.standings)
