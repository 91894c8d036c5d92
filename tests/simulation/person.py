"""A person at the desk: commands written as any client writes them, and a kill switch that outlives every process."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.simulation.faults import Dice
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
        self._kills += (kill,)
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
    idents : sequence of str
        Deployments.
    """

    def __init__(self, driver: sqlite3.Connection, switch: Switch, dice: Dice, idents: tuple[str, ...]) -> None:
        self._driver, self._switch, self._dice, self._idents = driver, switch, dice, idents
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
        for ident in self._idents:
            # Somebody who pauses because of an order that hangs is more likely than one who does at a calm moment.
            hangs = self._driver.execute(
                "SELECT COUNT(*) FROM intents WHERE deployment_id = ? AND state IN ('PLANNED', 'UNKNOWN')", (ident,)
            ).fetchone()[0]
            if self.asked.get(ident) == "PAUSE":
                if dice.calm or dice.between(0, 2) == 0:
                    self._ask(ident, "RESUME", {}, now_ns)
            elif dice.happens("pause") or (hangs and dice.happens("reacts")):
                self._ask(ident, "PAUSE", {}, now_ns)
            elif self.asked.get(ident) != "STOP" and (
                dice.happens("stop") or (self._enters(ident) and dice.happens("leaves"))
            ):
                self._ask(ident, "STOP", {"keep": bool(dice.between(0, 1))}, now_ns)
        waits = self._driver.execute("SELECT COUNT(*) FROM commands WHERE done_ns = 0").fetchone()[0]
        return bool(waits) or self._switch.is_down

    def _enters(self, ident: str) -> bool:
        found = self._driver.execute(
            "SELECT COUNT(*) FROM orders WHERE deployment_id = ? AND status = 'WORKING' AND reason = 'ENTRY_SIGNAL'",
            (ident,),
        )
        return bool(found.fetchone()[0])

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
