"""What a person does with the runner from Python: deploy, look, pause, resume, stop, kill, arm.

Everything goes through the database: what is looked at is read from its tables, what is asked is written as a command
that the runner obeys between two bars. Nobody sees or touches what belongs to another owner.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from workbench.costs import CostModel
from workbench.errors import ConfigError, HaltError, Refused, RetryableError
from workbench.journal.store import Store
from workbench.live.asking import Verb, ask, asked
from workbench.live.clock import Clock
from workbench.live.consent import settings_of
from workbench.live.deploy import deploy, wished
from workbench.live.facts import deployment_of, holder_of
from workbench.live.killswitch import Kill
from workbench.live.limits import set_limit
from workbench.live.preview import previewed
from workbench.live.reading import Reading
from workbench.live.standing import Status, is_leaving
from workbench.live.wall import Wake
from workbench.market.bars import Bars
from workbench.strategy import Strategy

#: How long an answer of the runner is waited for, in seconds.
WAIT_S = 5.0
#: Between two looks for an answer.
_LOOK_NS = 20 * 10**6


class Reply(NamedTuple):
    """What came of a command.

    Attributes
    ----------
    number : int
        Of the command; 0 if it could not be written.
    is_done : bool
        Whether the runner has obeyed it.
    text : str
        What that means, in words.
    """

    number: int
    is_done: bool
    text: str


def told_later(down: str, failed: Exception) -> Reply:
    """The reply to a kill that is in force while the database cannot be used; ``failed`` says why."""
    return Reply(0, True, f"{down} The journals will be told when the database can be used: {failed}")


class Client(Reading):
    """An owner's hand on the runner.

    Parameters
    ----------
    store : Store
        The database.
    owner : str
        Whose deployments.
    who : str
        Who asks, as journals say it; the owner by default.
    clock : Clock, optional
        Time; the wall's by default.
    """

    def __init__(self, store: Store, owner: str = "local", who: str = "", clock: Clock | None = None) -> None:
        super().__init__(store, owner, clock)
        self._who = who or owner
        self._wake = Wake(self._places.wake)

    @classmethod
    def open(cls, url: str | Path, owner: str = "local", who: str = "") -> Self:
        """A client of a database by its path or URL; closed by the end of ``with``, or by ``client.store.close()``."""
        return cls(Store.open(url), owner, who)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def deploy(
        self,
        strategy: Strategy,
        history: Bars | Mapping[str, Bars],
        costs: CostModel,
        initial_cash: float,
        start: Any = None,
        name: str = "",
        acknowledged: Collection[str] = (),
    ) -> str:
        """Write a paper deployment down; a runner takes it on, now or when one starts. This trades nothing by itself.

        Parameters
        ----------
        strategy : Strategy
            What to trade.
        history : Bars or mapping of str to Bars
            Base bars of each instrument, as for a backtest: expressions are warm from them.
        costs : CostModel
            Charges and slippage.
        initial_cash : float
            Sizing reference, money.
        start : date, timestamp or str, optional
            Decisions begin with the first strategy bar that opens at or after it, as in a backtest; bars of the history
            from then on are expected from the feed again. By default they begin where the history ends. ``"at once"``
            begins with the last strategy bar of the history: if its entry is true, it enters at the next open.
        name : str
            What to call it; the strategy's name by default.
        acknowledged : collection of str
            What a person says they know: ``"short"`` of a strategy that may sell short, ``"at_once"`` of such a start.

        Returns
        -------
        str
            Its id.

        Raises
        ------
        ConfigError
            Strategy, bars and costs do not fit each other, the owner has a deployment of that name or too many, or what
            must be acknowledged was not.
        """
        wish = wished(strategy, history, costs, initial_cash, start, self.owner, name)
        wish = replace(wish, settings=settings_of(strategy, start, acknowledged))
        ident = deploy(self.store, wish, self._clock.now_ns())
        self._wake.ring()
        return ident

    def preview(
        self,
        strategy: Strategy,
        history: Bars | Mapping[str, Bars],
        costs: CostModel,
        initial_cash: float,
        start: Any = None,
        name: str = "",
        acknowledged: Collection[str] = (),
    ) -> dict[str, Any]:
        """What ``deploy`` with the same arguments would do and meet; writes nothing.

        Returns
        -------
        dict
            ``can_deploy`` and, in words, the ``problems`` that keep it from being deployed; ``to_acknowledge``; the
            last strategy bar with what would be decided on it by a deployment that holds nothing; warm-up, next
            evaluations, exposure, limits with what is used, the calendar.

        Raises
        ------
        ConfigError
            Strategy, bars and costs do not fit each other, as in ``deploy``.
        """
        wish = wished(strategy, history, costs, initial_cash, start, self.owner, name)
        with self.store.read() as connection:
            return previewed(connection, wish, start, acknowledged, self._moment(connection))

    def pause(self, name: str, why: str = "", wait_s: float = WAIT_S) -> Reply:
        """Stop evaluation and new orders; protective orders and the forced flatten stay.

        Parameters
        ----------
        name : str
            Of the deployment.
        why : str
            For the journal.
        wait_s : float
            How long to wait for the runner's answer; 0 does not wait.

        Returns
        -------
        Reply
            What is kept, in words.

        Raises
        ------
        ConfigError
            There is no such deployment, or the runner refuses and says why.
        """
        return self._command(Verb.PAUSE, name, {"why": why}, wait_s)

    def resume(self, name: str, why: str = "", acknowledged: bool = False, wait_s: float = WAIT_S) -> Reply:
        """Go on evaluating; ``acknowledged`` says that a person looked at what was unclear. Otherwise as ``pause``."""
        return self._command(Verb.RESUME, name, {"why": why, "acknowledged": acknowledged}, wait_s)

    def stop(
        self, name: str, why: str = "", keep: bool = False, keep_protective: bool = True, wait_s: float = WAIT_S
    ) -> Reply:
        """End a deployment for good; refused while it holds a position, unless that is kept and managed by nobody.

        Parameters
        ----------
        name : str
            Of the deployment.
        why : str
            For the journal.
        keep : bool
            Keep the position.
        keep_protective : bool
            Leave its exits, stops and targets at the broker; else they are cancelled.
        wait_s : float
            How long to wait for the runner's answer.

        Returns
        -------
        Reply
            What is kept and what was cancelled, in words.

        Raises
        ------
        ConfigError
            There is no such deployment, or the runner refuses and says why.
        """
        return self._command(Verb.STOP, name, {"why": why, "keep": keep, "keep_protective": keep_protective}, wait_s)

    def flatten(self, name: str, why: str = "", wait_s: float = WAIT_S) -> Reply:
        """Close every position at the next open, take entries back, and pause; also while paused or killed.

        Stops and targets stay until the exits have filled. Otherwise as ``pause``.
        """
        return self._command(Verb.FLATTEN, name, {"why": why}, wait_s)

    def resolve(self, name: str, choice: str, why: str = "", wait_s: float = WAIT_S) -> Reply:
        """Choose for a deployment that waits beside a position of the other direction. Otherwise as ``pause``.

        Parameters
        ----------
        name : str
            Of the deployment.
        choice : str
            ``adopt``: it takes the position over at its average price, and only exits; ``flatten``: the position is
            closed at the next open, then it goes on; ``stay``: it stays paused.
        why : str
            For the journal.
        wait_s : float
            How long to wait for the runner's answer.
        """
        return self._command(Verb.RESOLVE, name, {"why": why, "choice": choice}, wait_s)

    def set_limit(self, name: str, value: float | None) -> None:
        """Set how much the owner may do; a runner notices within seconds and tells the journals.

        Parameters
        ----------
        name : str
            ``deployments``, ``instruments`` (of one deployment), ``orders_per_second``, ``orders_per_minute`` or
            ``orders_per_day``.
        value : float or None
            A whole number, 0 for none at all; None for the default.

        Raises
        ------
        ConfigError
            There is no such limit, or it cannot have that value.
        """
        with self.store.write() as connection:
            set_limit(connection, self.owner, name, value, (self._who, self._clock.now_ns()))
        self._wake.ring()

    def kill(self, why: str, name: str | None = None, wait_s: float = WAIT_S) -> Reply:
        """Stop evaluations and entries of everything of the owner, or of one deployment, until it is armed.

        The switch is down when this returns, also while the database is locked or no runner is there. Protective orders
        and the forced flatten stay; positions are not closed.

        Parameters
        ----------
        why : str
            For the journals.
        name : str, optional
            Of one deployment; all of the owner's by default.
        wait_s : float
            How long to wait until the runner has told the journals.

        Returns
        -------
        Reply
            What is stopped and what is kept, in words.

        Raises
        ------
        ConfigError
            There is no deployment of that name.
        HaltError
            The flag of the switch cannot be written.
        """
        flag = self._switch.put_down(Kill(self.owner, name or "", self._who, why, self._clock.now_ns()))
        down = flag.words()
        self._wake.ring()
        try:
            reply = self._command(Verb.KILL, name or "", {"why": why}, wait_s)
        except (RetryableError, HaltError) as error:
            return told_later(down, error)
        except ConfigError:
            flag.lift()
            raise
        return reply if reply.is_done else Reply(reply.number, True, f"{down} {reply.text}")

    def arm(self, why: str, name: str | None = None, wait_s: float = WAIT_S) -> Reply:
        """Lift what was killed under the owner, or under one deployment; a reason is asked. Otherwise as ``pause``."""
        if not why.strip():
            raise ConfigError("arming needs a reason. The kill switch stays as it is.")
        return self._command(Verb.ARM, name or "", {"why": why}, wait_s)

    def _command(self, verb: Verb, name: str, body: Mapping[str, Any], wait_s: float) -> Reply:
        now_ns = self._clock.now_ns()
        with self.store.write() as connection:
            ident = self._running(connection, name, verb) if name else ""
            number = ask(connection, self.owner, ident, verb, {"who": self._who, **body}, now_ns)
            holder = holder_of(connection)
        self._wake.ring()
        if not holder.runs(now_ns):
            wait_s = 0.0
        reply = self._answer(number, now_ns + int(wait_s * 1e9))
        if reply is not None:
            return reply
        if holder.runs(now_ns):
            return Reply(number, False, f"{verb.value} is written; the runner ({holder.name}) has not answered yet.")
        return Reply(
            number,
            False,
            f"{verb.value} is written. No runner is running: nothing is evaluated, and it is obeyed when one starts.",
        )

    def _running(self, connection: sa.Connection, name: str, verb: Verb) -> str:
        row = deployment_of(connection, self.owner, name)
        # What was stopped and still listens can be let go by another STOP.
        waits = verb is Verb.STOP and is_leaving(row["runtime_state"])
        if row["status"] == Status.STOPPED.value and not waits:
            raise Refused(f"{name} is stopped, for good. Deploy the strategy again under another name.")
        return str(row["id"])

    def _answer(self, number: int, until_ns: int) -> Reply | None:
        """The runner's answer; None if there is none until then."""
        while True:
            with self.store.read() as connection:
                found = asked(connection, self.owner, number)
            if found is not None and found.answer is not None:
                if not found.answer.is_done:
                    raise Refused(found.answer.text)
                return Reply(number, True, found.answer.text)
            now_ns = self._clock.now_ns()
            if now_ns >= until_ns:
                return None
            self._clock.wait_until(min(until_ns, now_ns + _LOOK_NS))
