"""The runner as a process: one after the other it obeys commands, takes a turn, renews its lease, and sleeps.

It begins with two locks: the file's, so that one process of a machine runs an SQLite database, and the lease's, so that
one process of all machines runs any. Whoever finds them taken waits and says for whom. What goes wrong in passing makes
it forget everything and begin again from the database; so does a disk without room or rights, once a person has seen to
it. What a person must look at otherwise ends it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from workbench.errors import ConfigError, DivergenceError, Fenced, HaltError, RetryableError, Unwritable
from workbench.journal import tables
from workbench.journal.store import Store
from workbench.live.arrivals import arrived, still_leaving
from workbench.live.aside import stand_aside
from workbench.live.assembly import assembled, join, see_stored
from workbench.live.clock import Clock, VirtualClock
from workbench.live.commands import Commands
from workbench.live.exit_codes import Exit
from workbench.live.facts import books_of_row, every_deployment
from workbench.live.feed import Feed
from workbench.live.given import Given
from workbench.live.killswitch import KillSwitch
from workbench.live.locks import Locks
from workbench.live.places import places_of
from workbench.live.rehearsal import rehearse
from workbench.live.restore import given_deployments
from workbench.live.runner import GRACE_NS, Runner
from workbench.live.service import Service
from workbench.live.standing import Status
from workbench.live.starting import instant_of
from workbench.live.wall import PacedClock, Wake, WallClock
from workbench.live.words import counted

#: How often what was written is looked for without being woken: another machine cannot wake this one.
NEWS_NS = 5 * 10**9
NEWS_FROM_AFAR_NS = 10**9
#: How often a bar is looked for that should be there.
LOOK_NS = 10**8
#: Waits after something went wrong in passing: the first, and the longest.
BACKOFF_NS = 10**9
MOST_BACKOFF_NS = 30 * 10**9
#: How often in a row a row may be there that should not.
MOST_STUMBLES = 3
#: How often a process that waits for another says so.
SAY_NS = 60 * 10**9

#: Things of a kind that are told one by one.
_NAMED = 20
_AWAY = [Status.STOPPED.value, Status.ERROR.value]


def serve(service: Service) -> Exit:
    """Run until asked to end, until the bars end, or until a person must look.

    Returns
    -------
    Exit
        The exit code.
    """
    wall, backoff = WallClock(lambda: bool(service.ending)), BACKOFF_NS
    path: Path | None = None
    rehearse(service.say)  # who compiles for minutes should not hold what others wait for
    try:
        while not service.ending:
            began = wall.now_ns()
            try:
                with _opened(service.url, path) as store:
                    path = store.path
                    return _Process(service, store).run()
            except (RetryableError, Unwritable) as error:
                if wall.now_ns() - began > MOST_BACKOFF_NS:
                    backoff = BACKOFF_NS
                what = "cannot be used yet"
                if isinstance(error, Unwritable):
                    what = f"takes nothing, so nothing is evaluated or sent; tried again in {backoff / 1e9:g} s"
                service.say(f"the database {what}: {error}")
                wall.wait_until(wall.now_ns() + backoff)
                backoff = min(backoff * 2, MOST_BACKOFF_NS)
    except Fenced as error:
        service.say(f"ended: {error}")
        return Exit.FENCED
    except (ConfigError, HaltError, DivergenceError) as error:
        service.say(f"ended, and a person must look: {error}")
        return Exit.LOOK
    service.say(f"ended: {service.ending.asked}. Deployments stand as they were; nothing was cancelled.")
    return Exit.DONE


def _opened(url: str, path: Path | None) -> Store:
    """The store; one that was open before must not be made anew and empty where its file is gone.

    Raises
    ------
    HaltError
        It is gone.
    """
    if path is not None and not path.exists():
        raise HaltError(f"the database {path} is gone. Bring it back and start again; nothing was made in its place")
    return Store.open(url)


class _Process:
    """One process on one open database."""

    def __init__(self, service: Service, store: Store) -> None:
        self._service, self._store, self._say = service, store, service.say
        places = places_of(store)
        self._switch, self._wake = KillSwitch(places.flag), Wake(places.wake)
        self._wall = WallClock(self._is_roused)
        self._locks = Locks(store, self._wall, service.lease_ns, service.say, service.pace.begin is not None)
        self._news_ns = NEWS_FROM_AFAR_NS if store.path is None else NEWS_NS
        self._look_at = 0
        self._backoff, self._stumbles = BACKOFF_NS, 0
        self._clock: Clock | None = None

    def run(self) -> Exit:
        """Wait for the locks, run, and give them back."""
        try:
            if self._acquired():
                self._run()
        finally:
            self._locks.give_back()
        if self._service.ending:
            self._say(f"ended: {self._service.ending.asked}. Deployments stand as they were; nothing was cancelled.")
        return Exit.DONE

    def _is_roused(self) -> bool:
        return bool(self._service.ending) or self._wake.rung

    def _acquired(self) -> bool:
        """Wait until this process alone may run; False when it was asked to end before."""
        said_at = 0
        while not self._service.ending:
            if self._locks.acquire():
                return True
            now = self._wall.now_ns()
            if now - said_at >= SAY_NS:
                said_at = now
                self._say(f"waiting: {self._locks.holder() or 'another runner of this machine'} runs this database.")
            self._wake.answer()
            self._wall.wait_until(now + LOOK_NS * 5)
        return False

    # --- the loop ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._service.ending:
            try:
                self._turns(self._assembled())
            except _NewBarsAreNeeded:
                continue
            except Fenced as error:
                if not self._locks.lease.acquire():
                    raise
                self._back_off(f"nobody has taken over: {error}")
            except RetryableError as error:
                self._back_off(str(error))
            except sa.exc.IntegrityError as error:
                # A row is there already that we did not know of, such as a bar that came with the history of a new
                # deployment. The database is right; who stumbles over the same row again is not.
                self._stumbles += 1
                if self._stumbles > MOST_STUMBLES:
                    raise HaltError(f"the database holds what this runner cannot add to: {error.orig}") from error
                self._back_off(f"the database knows more than this runner: {error.orig}")
            else:
                return

    def _back_off(self, why: str) -> None:
        """Say that it begins again, and wait before it does; the longer the more often that helped nothing."""
        self._say(f"begins again from the database in {self._backoff / 1e9:g} s: {why}")
        until = self._wall.now_ns() + self._backoff
        while not self._service.ending and self._wall.now_ns() < until:
            self._wake.answer()
            self._wall.wait_until(until)
        self._backoff = min(self._backoff * 2, MOST_BACKOFF_NS)

    def _assembled(self) -> Runner:
        """A runner with every deployment as the database has it; nothing of before is used."""
        self._locks.lease.renew()
        with self._store.read() as connection:
            given, _ = given_deployments(connection)
        if self._clock is None:
            self._clock = self._timed(given)
        feed = self._service.source.feed(given)
        lease, renew = self._locks.lease, self._locks.renew
        runner = assembled(self._store, self._clock, feed, lease, switch=self._switch, between=renew)
        running = sorted(one.deployed.given.name for one in runner.standings.values())
        self._finish_stopped(runner)
        names = ", ".join(running[:_NAMED]) or "nothing yet"
        more = f" and {len(running) - _NAMED} more" if len(running) > _NAMED else ""
        self._say(f"runs {counted(len(running), 'deployment')}: {names}{more}")
        for kill in self._switch.kills():
            self._say(f"the kill switch is down, nothing new is done: {kill.who or 'somebody'}: {kill.why}")
        with self._store.read() as connection:
            for row in every_deployment(connection):
                if row["status"] == Status.ERROR.value:
                    self._say(f"{row['name']} stands aside: it {row['note']}")
        self._look_at = 0
        return runner

    def _timed(self, given: Sequence[Given]) -> Clock:
        pace = self._service.pace
        if pace.begin is None:
            return self._wall
        if not given:
            raise ConfigError(f"nothing is deployed in {self._store!r}, so there is nothing to replay: deploy first.")
        states = tables.deployment_states
        with self._store.read() as connection:
            passed = sa.select(sa.func.min(states.c.instant_ns)).where(states.c.status.not_in(_AWAY))
            stands = connection.execute(passed).scalar() or 0
        begin = max(stands, min(instant_of(pace.begin, one.calendar) for one in given))
        return VirtualClock(begin) if pace.speed is None else PacedClock(begin, pace.speed, self._is_needed)

    def _is_needed(self) -> bool:
        """Whether there is something to do besides bars."""
        return self._is_roused() or self._wall.now_ns() >= min(self._locks.renew_at, self._look_at)

    def _turns(self, runner: Runner) -> None:
        """Turn after turn, until asked to end or until the bars end."""
        commands = Commands(self._store, runner, self._switch, self._say)
        runner.between = self._between
        while not self._service.ending:
            self._locks.renew()
            if self._wake.answer() or self._wall.now_ns() >= self._look_at:
                self._take_on_new(runner)
                if self._obey(commands, runner.clock.now_ns()):
                    self._take_on_new(runner)  # what stood aside and was resumed
                self._look_at = self._wall.now_ns() + self._news_ns
            due = runner.turn()
            self._backoff, self._stumbles = BACKOFF_NS, 0
            self._tell_gaps(runner.feed)
            last = self._service.source.last_ns()
            if last is not None and (due is None or due > last + GRACE_NS):
                self._say("the bars are at their end.")
                self._sum_up()
                return
            self._sleep(runner.clock, due)

    def _between(self) -> bool:
        """Between two instants of one turn, which may be one of thousands; False ends the turn there."""
        self._locks.renew()
        return not self._is_roused()

    def _obey(self, commands: Commands, now_ns: int) -> bool:
        """Obey what was asked; whether that was anything."""
        obeyed = commands.obey(now_ns)
        for one in obeyed:
            outcome = "" if one.answer.is_done else "refused: "
            about = f"{one.asked.verb} {one.name}".rstrip()
            self._say(f"{about}, asked by {one.asked.who}: {outcome}{one.answer.text}")
        return bool(obeyed)

    def _tell_gaps(self, feed: Feed) -> None:
        gaps = feed.gaps()
        for gap in gaps[:_NAMED]:
            self._say(f"feed: {gap.instrument} {gap.timeframe}: {gap.what}")
        if len(gaps) > _NAMED:
            self._say(f"feed: and {len(gaps) - _NAMED} gaps more")

    def _sleep(self, clock: Clock, due: int | None) -> None:
        if isinstance(clock, VirtualClock):
            clock.wait_until(due)
            return
        soonest = min(self._locks.renew_at, self._look_at)
        if due is not None:
            # An interval that waits for its bars is due soon; they may come at any moment until then.
            near = due - self._wall.now_ns() <= GRACE_NS
            soonest = min(soonest, due, self._wall.now_ns() + LOOK_NS if near else due)
        clock.wait_until(soonest)

    def _sum_up(self) -> None:
        """What came of each deployment, a line each."""
        with self._store.read() as connection:
            for row in every_deployment(connection):
                if row["status"] == Status.ERROR.value:
                    self._say(f"{row['name']}: {row['status']}, it {row['note']}")
                    continue
                counts, books = json.loads(row["counts"]), books_of_row(row)
                worth = "" if books is None else f"equity {books.equity:,.2f} of {row['initial_cash']:,.2f}"
                held = [] if books is None else [one.words() for one in books.holdings]
                self._say(
                    f"{row['name']}: {row['status']}, {counted(counts['bars'], 'strategy bar')}, "
                    f"{counted(counts['fills'], 'fill')}, {worth}, holds {'; '.join(held) or 'nothing'}"
                )

    # --- deployments that come and go --------------------------------------------------------------------------------

    def _take_on_new(self, runner: Runner) -> None:
        """Take on what was deployed since."""
        with self._store.read() as connection:
            given, damaged = arrived(connection, runner.standings.keys())
        for bad in damaged:
            stand_aside(self._locks.lease, bad.id, bad.why, runner.clock.now_ns())
            self._say(f"{bad.name} stands aside: {bad.why}")
        if given and self._service.source.last_ns() is not None:
            raise _NewBarsAreNeeded
        for one in given:
            why = join(self._store, runner, one)
            if not why:
                # Its history may be ahead of what the others have passed.
                see_stored(self._store, runner, one, runner.passed_ns(one))
            told = f"{one.name} stands aside: {why}"
            self._say(told if why else f"takes on {one.name}: {', '.join(one.names)}, {one.timeframe} bars")

    def _finish_stopped(self, runner: Runner) -> None:
        """Take on what was stopped and not let go when a process ended: it says and hears what is still to be."""
        with self._store.read() as connection:
            left, damaged = still_leaving(connection)
        for bad in damaged:
            stand_aside(self._locks.lease, bad.id, bad.why, runner.clock.now_ns())
        for one in left:
            join(self._store, runner, one)
        if left:
            runner.executor.flush(runner.standings)


class _NewBarsAreNeeded(Exception):  # noqa: N818 - not a mistake: the feed of stored bars must be made anew
    """Something was deployed whose stored bars are not in the feed."""
