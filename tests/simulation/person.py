"""A person at the desk: commands written as any client writes them, and a kill switch that outlives every process."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tests.simulation.emulated import EmulatedBroker
from tests.simulation.faults import Dice
from tests.simulation.paper_book import PaperBooks
from tests.simulation.world import World
from workbench.live.killswitch import Kill


class Switch:
    """The kill switch of ``live.killswitch`` without its file: what is thrown stays so through every crash.

    Attributes
    ----------
    is_read : bool
        Whether a runner has seen that it is down: from then on it may open nothing.
    """

    path = Path("kill")

    def __init__(self) -> None:
        self._kills: tuple[Kill, ...] = ()
        self.is_read = False
        self._n_sending = 0
        self._is_said = False

    @contextlib.contextmanager
    def sending(self) -> Iterator[bool]:
        """Held from the look at the switch until entries are with the broker: who kills waits for the end of it."""
        self._n_sending += 1
        try:
            yield True
        finally:
            self._n_sending -= 1
            self.say()

    def say(self) -> None:
        """Tell whoever has killed that it is done, unless entries are on their way."""
        self._is_said = self._is_said or self._n_sending == 0

    @property
    def is_said(self) -> bool:
        """Whether somebody who has killed was told that it is done: from then on no entry may appear."""
        return self.is_down and self._is_said

    @property
    def is_down(self) -> bool:
        """Whether anything is killed, read or not."""
        return bool(self._kills)

    def down(self, owner: str = "", name: str = "") -> bool:
        """Whether a deployment is stopped."""
        self.is_read = bool(self._kills)
        return any(not owner or one.stops(owner, name) for one in self._kills)

    def kills(self) -> tuple[Kill, ...]:
        """Everything that is killed."""
        self.is_read = bool(self._kills)
        return self._kills

    def kill(self, kill: Kill) -> Kill:
        """Throw it; an older kill of the same deployments stays as it is."""
        for one in self._kills:
            if (one.owner, one.name) == (kill.owner, kill.name):
                return one
        self._is_said = self._is_said and self.is_down
        self._kills += (kill,)
        self.say()
        return kill

    def arm(self, owner: str, name: str, before_ns: int) -> tuple[Kill, ...]:
        """Lift what was killed under exactly these, up to an instant."""
        lifted = tuple(
            one for one in self._kills if (one.owner, one.name) == (owner, name) and one.when_ns <= before_ns
        )
        self._kills = tuple(one for one in self._kills if one not in lifted)
        self.is_read = self.is_read and bool(self._kills)
        return lifted


class Person:
    """What one person does during a schedule.

    Parameters
    ----------
    driver : sqlite3.Connection
        The database.
    switch : Switch
        The kill switch.
    dice : Dice
        What happens.
    world : World
        What is deployed, and what comes later.
    broker : EmulatedBroker or PaperBooks
        Whose screen a person sees, whatever the runner was told.

    Attributes
    ----------
    n_deployed : int
        How many deployments they have written down so far.
    """

    def __init__(
        self,
        driver: sqlite3.Connection,
        switch: Switch,
        dice: Dice,
        world: World,
        broker: EmulatedBroker | PaperBooks,
    ) -> None:
        self._driver, self._switch, self._dice, self._world, self._broker = driver, switch, dice, world, broker
        self._later = dict(world.later)
        self.n_deployed = 0
        self.asked: dict[str, str] = {}

    def acts(self, now_ns: int) -> bool:
        """Do something, or not, between two turns; whether there is something for the runner to see."""
        dice = self._dice
        if self._switch.is_down:
            if dice.calm or dice.between(0, 3) == 0:
                self._ask("", "ARM", {"why": "looked at"}, now_ns)
        elif dice.happens("kill"):
            if dice.between(0, 1):
                self._ask("", "KILL", {"why": "odd"}, now_ns)
            else:
                self.kills(now_ns)
        if self._later:
            self._deploys(now_ns)
        for ident, status, state in self._driver.execute(
            "SELECT deployment_id, status, runtime_state FROM deployment_states ORDER BY deployment_id"
        ).fetchall():
            if status != "STOPPED":
                self._looks_at(ident, status, state, now_ns)
        waits = self._driver.execute("SELECT COUNT(*) FROM commands WHERE done_ns = 0").fetchone()[0]
        return bool(waits) or self._switch.is_down

    def _looks_at(self, ident: str, status: str, state: str, now_ns: int) -> None:
        """One deployment: choose, let it go on, pause it, close what it holds, or stop it."""
        dice = self._dice
        if state == "PAUSED_DIRECTION_MISMATCH" and (self._sees_more() or dice.between(0, 2) == 0):
            self._chooses(ident, now_ns)
        elif self._goes_on(ident, status):
            self._ask(ident, "RESUME", {}, now_ns)
        elif self.asked.get(ident) != "PAUSE" and (
            dice.happens("pause") or (self._hangs(ident) and dice.happens("reacts"))
        ):
            self._ask(ident, "PAUSE", {}, now_ns)
        elif self.asked.get(ident) != "STOP" and (
            dice.happens("stop") or (self._enters(ident) and dice.happens("leaves"))
        ):
            self._ask(ident, "STOP", {"keep": bool(dice.between(0, 1))}, now_ns)
        elif dice.happens("flatten"):
            self._ask(ident, "FLATTEN", {}, now_ns)

    def _goes_on(self, ident: str, status: str) -> bool:
        """Whether a person lets it go on: soon after a pause, and now and then after all else.

        What was flattened or gave its position away and is still paused when faults are over stays so: then it must be
        flat at the end.
        """
        dice, asked = self._dice, self.asked.get(ident)
        if asked == "PAUSE":
            return dice.calm or dice.between(0, 2) == 0
        if status == "PAUSED" and not dice.calm:
            return dice.between(0, 5) == 0
        # Who took a position over only exits until it is resumed; asked too early, that is refused.
        return asked == "RESOLVE" and dice.between(0, 4) == 0

    def _hangs(self, ident: str) -> bool:
        # Somebody who pauses because of an order that hangs is more likely than one who does at a calm moment.
        found = self._driver.execute(
            "SELECT COUNT(*) FROM intents WHERE deployment_id = ? AND state IN ('PLANNED', 'UNKNOWN')", (ident,)
        )
        return bool(found.fetchone()[0])

    def _sees_more(self) -> bool:
        """Whether the broker shows another position than is stored: somebody reacts to what has just filled."""
        for ident, book in self._broker.books.items():
            for name, qty in book.positions.items():
                stored = self._driver.execute(
                    "SELECT TOTAL(side * qty) FROM fills WHERE deployment_id = ? AND instrument = ?", (ident, name)
                ).fetchone()[0]
                if stored != qty:
                    return True
        return False

    def _enters(self, ident: str) -> bool:
        found = self._driver.execute(
            "SELECT COUNT(*) FROM orders WHERE deployment_id = ? AND status = 'WORKING' AND reason = 'ENTRY_SIGNAL'",
            (ident,),
        )
        return bool(found.fetchone()[0])

    def _deploys(self, now_ns: int) -> None:
        """Deploy what comes later, from where the others stand: soon, once they hold what is against it."""
        for ident, written in list(self._later.items()):
            side, names = self._world.rules[ident].side, self._world.traded[ident]
            held = self._driver.execute(
                f"SELECT TOTAL(side * qty) FROM fills WHERE instrument IN ({', '.join('?' * len(names))})", names
            ).fetchone()[0]
            if self._driver.in_transaction or self._dice.between(0, 1 if held * side < 0.0 else 19):
                continue
            del self._later[ident]
            self.n_deployed += 1
            passed = self._driver.execute("SELECT MAX(instant_ns) FROM deployment_states").fetchone()[0]
            changed = {"start_ns": max(passed, self._world.slots[0].open_ns), "created_ns": now_ns}
            for table, row in written.items():
                values = {name: changed.get(name, value) for name, value in row.items()}
                self._driver.execute(
                    f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                    list(values.values()),
                )

    def _chooses(self, ident: str, now_ns: int) -> None:
        """What becomes of a position that is against a deployment."""
        choice = ("ADOPT", "ADOPT", "ADOPT", "FLATTEN", "FLATTEN", "STAY", "")[self._dice.between(0, 6)]
        if choice:
            self._ask(ident, "RESOLVE", {"choice": choice}, now_ns)
        else:
            # It says that it has looked: that is enough when the position is gone, and refused when it is not.
            self._ask(ident, "RESUME", {"acknowledged": True}, now_ns)
        if self._dice.between(0, 3) == 0:
            verb = ("RESUME", "FLATTEN", "STOP", "PAUSE")[self._dice.between(0, 3)]
            self._ask(ident, verb, {"keep": True} if verb == "STOP" else {}, now_ns)

    def kills(self, now_ns: int) -> None:
        """Throw the switch without asking anybody."""
        self._switch.kill(Kill("local", "", "me", "odd", now_ns))

    def _ask(self, ident: str, verb: str, body: dict[str, object], now_ns: int) -> None:
        self.asked[ident] = verb
        self._driver.execute(
            "INSERT INTO commands (owner, deployment_id, verb, body, created_ns, done_ns, answer)"
            " VALUES ('local', ?, ?, ?, ?, 0, '')",
            (ident, verb, json.dumps(body), now_ns),
        )
