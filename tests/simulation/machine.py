"""One schedule: processes that come and go on one database, one broker and one market, in virtual time.

A process is a lease, a feed, a wire and a runner; when it ends, all of that is forgotten. What outlives it is what
would: the database, the broker, the market, the clock, and the switch that a person has thrown.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from tests.simulation.checker import Checker
from tests.simulation.emulated import EmulatedBroker
from tests.simulation.faults import MINUTE_NS, S_NS, Crash, Dice
from tests.simulation.feed import Market, SimulatedFeed
from tests.simulation.paper_book import PaperBooks
from tests.simulation.paper_wire import PaperWire
from tests.simulation.person import Person, Switch
from tests.simulation.store import QuickStore
from tests.simulation.wire import Wire
from tests.simulation.world import World
from workbench.brokers.paper import PaperBroker
from workbench.brokers.port import Idempotency, Request
from workbench.errors import Fenced, HaltError, RetryableError, UncertainCommit
from workbench.live.arrivals import arrived, still_leaving
from workbench.live.assembly import LEASE_NS, see_stored
from workbench.live.clock import VirtualClock
from workbench.live.commands import Commands
from workbench.live.feed import ClosedBar
from workbench.live.gates import Gates
from workbench.live.given import Given
from workbench.live.lease import Lease
from workbench.live.restore import given_deployments, open_intents, restored
from workbench.live.runner import Runner
from workbench.live.standing import Status

#: Turns after which a schedule goes nowhere.
MOST_TURNS = 400
#: Ends of a process in one schedule; after them faults are over.
MOST_ENDS = 6
#: Processes that stand still in one schedule while another takes over.
MOST_SLEEPERS = 2


class Process:
    """One process that runs the runner; the watch of its writes and the host of its wire.

    Parameters
    ----------
    machine : Machine
        Where it runs.
    holder : str
        Its name in the lease.
    """

    def __init__(self, machine: Machine, holder: str) -> None:
        self.machine, self.holder = machine, holder
        self.store = QuickStore(machine.driver, self)
        self.lease = Lease(self.store, "runner", holder, LEASE_NS, machine.clock.now_ns)  # type: ignore[arg-type]
        self.feed = SimulatedFeed(machine.market)
        self.runner: Runner | None = None
        self.is_new, self.was_down = True, False
        self.n_deployed = 0  # of what a person deploys, as far as this process has looked for it

    def boot(self) -> None:
        """Take the lease, waiting for its end, and put the runner together."""
        machine = self.machine
        while not self.lease.acquire():
            ends_ns = machine.driver.execute("SELECT MAX(expires_ns) FROM leases").fetchone()[0]
            machine.clock.wait_until(max(ends_ns, machine.clock.now_ns()) + 1)
        gates = Gates(machine.clock.now_ns, machine.switch.down, sending=machine.switch.sending)
        runner = Runner(machine.clock, self.lease, self.feed, self._connected(), gates)
        self.n_deployed = machine.person.n_deployed
        with self.store.read() as connection:
            (running, _), (leaving, _) = given_deployments(connection), still_leaving(connection)
        for given in [*running, *leaving]:
            self._take_on(runner, given)
        self.commands = Commands(self.store, runner, machine.switch)  # type: ignore[arg-type]
        self.runner = runner

    def _connected(self) -> Wire | PaperWire:
        """The broker: elsewhere, or in this process with its book in the same database."""
        broker = self.machine.broker
        if isinstance(broker, EmulatedBroker):
            return Wire(broker, self)
        fenced, now_ns = self.lease.fenced, self.machine.clock.now_ns
        return PaperWire(PaperBroker(self.store, fenced, now_ns, broker.idempotency), self)  # type: ignore[arg-type]

    def _take_on(self, runner: Runner, given: Given) -> None:
        """One deployment as the database has it."""
        venue = runner.venue
        assert isinstance(venue, (Wire, PaperWire))
        with self.store.read() as connection:
            standing = restored(connection, given)
            intents = open_intents(connection, standing, venue)
        see_stored(self.store, runner, given, standing.deployed.passed_ns)  # type: ignore[arg-type]
        venue.open_for(given)
        runner.add(standing)
        runner.executor.plan(intents)

    def _take_on_new(self, runner: Runner) -> None:
        """What somebody has deployed since."""
        with self.store.read() as connection:
            new, _ = arrived(connection, runner.standings)
        for given in new:
            self._take_on(runner, given)

    def turn(self) -> int | None:
        """Renew the lease, take on what is new, obey what was asked, and let the runner do what is due."""
        assert self.runner is not None
        machine = self.machine
        self.lease.renew()
        leaves = any(one.status is Status.STOPPED for one in self.runner.standings.values())
        is_asked = machine.person.acts(machine.clock.now_ns())
        if self.n_deployed < machine.person.n_deployed:
            self._take_on_new(self.runner)
            self.n_deployed = machine.person.n_deployed
        if is_asked or self.is_new or self.was_down or leaves:
            for one in self.commands.obey(machine.clock.now_ns()):
                machine.say(f"{one.asked.verb} {one.asked.deployment_id[:4]}: {one.answer.text}")
        self.is_new, self.was_down = False, machine.switch.is_down
        return self.runner.turn()

    # --- what may happen to it ---------------------------------------------------------------------------------------

    def before_begin(self) -> None:
        """A write is about to begin."""
        self.boundary("before commit")
        self._refused("busy")
        if self.machine.is_paper:
            self._refused("full")

    def before_commit(self, changed: bool) -> None:
        """A write was said and is not kept yet."""
        machine = self.machine
        if changed:
            machine.checker.writes(self.holder)
        self._refused("full")
        if machine.is_paper:
            self._refused("busy")
        if machine.dice.happens("uncertain") and machine.dice.between(0, 1):
            machine.say("the connection was lost before the commit")
            raise UncertainCommit("the connection was lost")
        self._crash("inside a transaction")

    def after_commit(self, changed: bool) -> None:
        """A write is kept."""
        machine = self.machine
        if machine.is_paper and changed:
            machine.checker.kept()
        if machine.dice.happens("uncertain"):
            machine.say("the connection was lost after the commit")
            raise UncertainCommit("the connection was lost")
        self.boundary("after commit")

    def between_parts(self) -> None:
        """A part of a transaction of several was said: what fails now undoes what was said before it."""
        self._refused("busy")
        self._refused("full")
        self.boundary("between parts")

    def _refused(self, kind: str) -> None:
        """The database takes nothing, for a while or for want of room."""
        if self.machine.dice.happens(kind):
            self.machine.say({"busy": "the database is busy", "full": "the disk is full"}[kind])
            if kind == "busy":
                raise RetryableError("the database is in use by somebody else")
            raise HaltError("there is no room left")

    def boundary(self, where: str) -> None:
        """A place at which it may end, lose time or stand still until another one has taken over."""
        machine = self.machine
        kind = machine.dice.strike(where)
        if kind == "crash":
            self.die(where)
        elif kind == "kill" and (machine.is_paper or where != "before send"):
            machine.say("killed")
            machine.person.kills(machine.clock.now_ns())
        elif kind == "slow":
            machine.clock.wait_until(machine.clock.now_ns() + machine.dice.wait_s() * S_NS)
        elif kind == "takeover" and machine.may_take_over(self):
            machine.take_over(where)

    def asks(self, requests: Sequence[Request]) -> None:
        """It is about to ask the broker."""
        self.machine.checker.asks(self.holder, requests)

    def cut(self, count: int) -> int:
        """After how many requests it ends."""
        dice = self.machine.dice
        if count > 1 and dice.happens("crash"):
            return dice.between(1, count - 1)
        return count

    def die(self, where: str) -> None:
        """End now."""
        self.machine.say(f"{self.holder} crashed {where}")
        raise Crash(where)

    def _crash(self, where: str) -> None:
        if self.machine.dice.happens("crash"):
            self.die(where)


class Machine:
    """Everything that one schedule is made of.

    Parameters
    ----------
    world : World
        What is deployed.
    dice : Dice
        What goes wrong.
    idempotency : Idempotency
        Of the broker.
    bars : dict of str to list of ClosedBar
        The market.
    driver : sqlite3.Connection
        Whose content is replaced.
    is_paper : bool
        Whether the broker is the product's own, with its book in that database.
    """

    def __init__(
        self,
        world: World,
        dice: Dice,
        idempotency: Idempotency,
        bars: dict[str, list[ClosedBar]],
        driver: sqlite3.Connection,
        is_paper: bool = False,
    ) -> None:
        self.world, self.dice, self.driver, self.is_paper = world, dice, driver, is_paper
        driver.deserialize(world.image)  # type: ignore[attr-defined,unused-ignore]
        self.prepared(driver)
        self.clock = VirtualClock(world.slots[0].open_ns)
        dice.now_ns = self.clock.now_ns
        self.calm_ns = world.slots[dice.between(*world.calm_between)].close_ns
        self.market = Market(world.slots, bars, dice, self.calm_ns)
        self.broker: EmulatedBroker | PaperBooks = (
            PaperBooks(driver, idempotency, self.clock.now_ns, world.idents)
            if is_paper
            else EmulatedBroker(idempotency, self.clock.now_ns, self.dice)
        )
        for ident in world.idents:
            self.broker.open_account(ident)
        self.switch = Switch()
        self.person = Person(driver, self.switch, self.dice, world, self.broker)
        self.checker = Checker(world, self.market, driver, self.broker, self.clock.now_ns, self.switch)
        self.process: Process | None = None
        self.events: list[str] = []
        self.whole: list[tuple[int, int]] = []  # turns that ended well: when they began, when they ended
        self.ends = self.turns = self.calm_turns = self.holders = self.sleepers = 0

    @staticmethod
    def prepared(driver: sqlite3.Connection) -> None:
        """A place for bugs in the tables; there are none."""

    def say(self, what: str) -> None:
        """Tell what happened, for whoever reads a failure."""
        self.events.append(f"{self.clock.now_ns()} {what}")

    # --- the schedule ------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Run to the end of the market, and on until everything is settled."""
        last = self.world.slots[-1].close_ns
        while (self.clock.now_ns() <= last + 4 * MINUTE_NS or self.calm_turns < 4) and self.turns < MOST_TURNS:
            if self.checker.is_lost():
                break  # a process that always ends by the same error comes to no end
            due = self._one_turn()
            now = self.clock.now_ns()
            self.clock.wait_until(self._next(now, due, last))
        else:
            self.checker.at_the_end()

    def _next(self, now: int, due: int | None, last: int) -> int:
        """When the next turn is: as the runner says, or sooner, or much later."""
        wanted = due if due is not None and due >= now else now + MINUTE_NS
        if now >= last:
            return now + 65 * S_NS
        if self.dice.happens("jump"):
            self.say("time jumps")
            return min(wanted + self.dice.span_ns(), last)
        if self.checker.open_intents():
            return min(wanted, now + self.dice.look_again_s() * S_NS)
        return wanted

    def _calm_down(self) -> None:
        if not self.dice.calm and (self.clock.now_ns() > self.calm_ns or self.ends > MOST_ENDS):
            self.dice.calm = True
            self.broker.settle()
            self.say("faults are over")

    def _one_turn(self) -> int | None:
        """One turn of the process that runs, or the start of one."""
        self._calm_down()
        self.turns += 1
        self.calm_turns += self.dice.calm
        if self.dice.happens("ahead"):
            self._store_ahead()
        process = self.process
        down_ns = S_NS
        try:
            if process is None:
                process = self.process = self._new_process()
                process.boot()
            begun_ns = self.clock.now_ns()
            due = process.turn()
        except Crash:
            down_ns = self.dice.between(0, 3) * S_NS
        except Fenced:
            self.say("another process has the lease")
        except RetryableError:
            pass
        except HaltError as error:
            self.say(f"halted: {error}")
            down_ns = MINUTE_NS
        except Exception as error:  # noqa: BLE001 - every error is a finding
            self.checker.raised(error)
            down_ns = MINUTE_NS
        else:
            self.whole.append((begun_ns, self.clock.now_ns()))
            if process is self.process:
                self.checker.after_turn(begun_ns)
            return due
        self.ends += 1
        if process is self.process:
            self.process = None
            self.clock.wait_until(self.clock.now_ns() + down_ns)
        return self.clock.now_ns()

    def _store_ahead(self) -> None:
        """Somebody stores the bar of the interval that comes, as it will be or as another version; it is first."""
        now = self.clock.now_ns()
        at = next((at for at, slot in enumerate(self.world.slots) if slot.close_ns > now), None)
        if at is None or self.driver.in_transaction:
            return
        name = self.world.instruments[self.dice.between(0, len(self.world.instruments) - 1)]
        bar = self.market.bars[name][at]
        if self.dice.between(0, 1):
            bar = bar._replace(close=bar.open, volume=bar.volume + 2.0)
        columns = "instrument, timeframe, ts_ns, open, high, low, close, volume, revision, received_ns, late"
        written = self.driver.execute(
            f"INSERT INTO bars ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0) ON CONFLICT DO NOTHING", (*bar, now)
        )
        if written.rowcount:
            self.say(f"somebody stores a bar of {name} that has not come")
            self.market.bars[name][at] = bar

    def _new_process(self) -> Process:
        self.holders += 1
        self.say(f"p{self.holders} starts")
        return Process(self, f"p{self.holders}")

    def may_take_over(self, process: Process) -> bool:
        """Whether a process may be made to stand still: one at a time, and not for ever."""
        is_sound = process is self.process and process.runner is not None
        return is_sound and self.sleepers < MOST_SLEEPERS and not self.driver.in_transaction

    def take_over(self, where: str) -> None:
        """Let this process stand still while another one takes the lease and runs for a while."""
        zombie = self.process
        assert zombie is not None
        self.sleepers += 1
        self.say(f"{zombie.holder} stands still {where}")
        self.clock.wait_until(self.clock.now_ns() + LEASE_NS + S_NS)
        self.process = None
        for _ in range(self.dice.between(1, 3)):
            due = self._one_turn()
            if due is not None:
                self.clock.wait_until(due)
        self.say(f"{zombie.holder} wakes up")
