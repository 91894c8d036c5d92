"""What an owner can see of their deployments from Python, read from the tables alone."""

from __future__ import annotations

from typing import Any

import pandas as pd
import sqlalchemy as sa

from workbench.errors import ConfigError
from workbench.journal.store import Store
from workbench.live import facts, frames, limits
from workbench.live.clock import Clock
from workbench.live.given import Given
from workbench.live.health import health_of
from workbench.live.killswitch import KillSwitch
from workbench.live.places import places_of
from workbench.live.slippage import slippage_frame
from workbench.live.wall import WallClock

#: Rows of a journal that are searched in one snapshot: a long one could hold up a runner that writes.
SEARCHED = 2_000

#: Columns of the table of deployments.
DEPLOYMENTS = (
    "name", "strategy", "version", "mode", "status", "runtime_state", "is_evaluated", "hindrance", "stale", "position",
    "equity", "pnl", "unrealised_pnl", "last_evaluation", "decision", "reason", "heartbeat",
)  # fmt: skip


class Reading:
    """What an owner can see of their deployments; every method reads one snapshot of the database.

    Parameters
    ----------
    store : Store
        The database.
    owner : str
        Whose deployments.
    clock : Clock, optional
        Time; the wall's by default.
    """

    def __init__(self, store: Store, owner: str = "local", clock: Clock | None = None) -> None:
        if not owner:
            raise ConfigError("owner is the empty text; every deployment belongs to somebody, 'local' by default.")
        self.store, self.owner = store, owner
        self._clock = WallClock() if clock is None else clock
        self._places = places_of(store)
        self._switch = KillSwitch(self._places.flag)

    def deployments(self) -> pd.DataFrame:
        """One row a deployment, by name: what it is, whether it is evaluated and why not, what it holds and made."""
        with self.store.read() as connection:
            moment = self._moment(connection)
            rows = [facts.listed(row, moment) for row in facts.deployments_of(connection, self.owner)]
        return pd.DataFrame(rows, columns=list(DEPLOYMENTS))

    def status(self, name: str) -> dict[str, Any]:
        """Everything that is known of one deployment; times are UTC, money is in the instruments' currency.

        Parameters
        ----------
        name : str
            Of the deployment.

        Returns
        -------
        dict
            Status and whether it is evaluated, the last evaluation with its bars, decision and reason, warm-up, the
            next evaluations, positions with what protects them, cash, equity, realised and unrealised P&L, working
            orders, open intents, exposure over all of the owner's deployments, ``existing``: what others of them hold
            of the same instruments, with price and combined exposure, and ``warnings`` about it for as long as it is
            so; freshness of bars, the calendar's day.

        Raises
        ------
        ConfigError
            There is no such deployment.
        """
        with self.store.read() as connection:
            row = facts.deployment_of(connection, self.owner, name)
            return facts.status_of(connection, row, self._moment(connection))

    def exposure(self) -> pd.DataFrame:
        """What all deployments hold together: one row an instrument, units signed, money at the last closes."""
        with self.store.read() as connection:
            rows = facts.exposure(facts.deployments_of(connection, self.owner))
        return pd.DataFrame(rows, columns=["instrument", "qty", "notional", "deployments"])

    def limits(self) -> pd.DataFrame:
        """How much the owner may do: one row a limit, with what is used of it now and who set it."""
        with self.store.read() as connection:
            rows = limits.table_of(connection, self.owner, self._clock.now_ns())
        return pd.DataFrame(rows, columns=["name", "allowed", "used", "set_by"]).astype({"used": "Int64"})

    def journal(
        self,
        name: str,
        kind: str | None = None,
        before: int | None = None,
        limit: int = 50,
        contains: str | None = None,
    ) -> pd.DataFrame:
        """Rows of the journal, the newest first.

        Parameters
        ----------
        name : str
            Of the deployment.
        kind : str, optional
            Only rows of this kind, such as EVALUATED or FILLED.
        before : int, optional
            Only rows with a smaller number: the last ``seq`` of one page gives the next.
        limit : int
            How many at most.
        contains : str, optional
            Only rows whose body holds this text, in small or capital letters.

        Returns
        -------
        DataFrame
            Columns seq, instant (what the row is about), at (when it was written), kind, body (plain data).
        """
        found, last, wanted = list[sa.Row[Any]](), before, limit if contains is None else SEARCHED
        sought = "" if contains is None else contains.casefold()
        while True:
            with self.store.read() as connection:
                ident = facts.deployment_of(connection, self.owner, name)["id"]
                page = frames.journal_page(connection, ident, kind, last, wanted)
            found += [row for row in page if sought in row.body.casefold()]
            if contains is None or len(page) < wanted or len(found) >= limit:
                break
            last = page[-1].seq
        return frames.journal_frame(found[:limit])

    def orders(self, name: str) -> pd.DataFrame:
        """One row an order, in the order of sending, with the columns of a result."""
        with self.store.read() as connection:
            return frames.orders_frame(connection, facts.deployment_of(connection, self.owner, name)["id"])

    def fills(self, name: str) -> pd.DataFrame:
        """One row an execution, in the order of booking, with the columns of a result."""
        with self.store.read() as connection:
            return frames.fills_frame(connection, facts.deployment_of(connection, self.owner, name)["id"])

    def trades(self, name: str) -> pd.DataFrame:
        """One row a trade, closed ones first, with the columns of a result; open ones marked at their last close."""
        with self.store.read() as connection:
            row = facts.deployment_of(connection, self.owner, name)
            positions = facts.positions_of_row(row)
            return frames.trades_frame(connection, row["id"], facts.names_of(row), positions)

    def health(self) -> dict[str, Any]:
        """Who runs the database, what is killed, and how many deployments are evaluated or wait for a person."""
        with self.store.read() as connection:
            moment = self._moment(connection)
            rows = [facts.listed(row, moment) for row in facts.deployments_of(connection, self.owner)]
        return health_of(rows, moment, self.owner)

    def trade_counts(self) -> dict[str, int]:
        """How many trades of each deployment have ended, by its name; those without one are left out."""
        with self.store.read() as connection:
            return facts.trade_counts(connection, self.owner)

    def equity(self, name: str) -> pd.DataFrame:
        """One row an instant at which an instrument had a bar: cash, position_value, equity, drawdown_frac."""
        with self.store.read() as connection:
            row = facts.deployment_of(connection, self.owner, name)
            return frames.equity_frame(connection, row["id"], row["initial_cash"])

    def slippage(self, name: str) -> pd.DataFrame:
        """One row an order that has filled: what it got, what the fill model gives it on the same bars, and the gap.

        Parameters
        ----------
        name : str
            Of the deployment.

        Returns
        -------
        DataFrame
            ``difference_bps`` is the fill less the model's, of the model's; ``cost_bps`` the same against the trader,
            ``cost`` in money. They are missing where the model has no fill. Of a paper deployment all are 0.

        Raises
        ------
        ConfigError
            There is no such deployment, or its row cannot be read.
        """
        with self.store.read() as connection:
            row = facts.deployment_of(connection, self.owner, name)
            return slippage_frame(connection, Given.of(row, row["content"]))

    def _moment(self, connection: sa.Connection) -> facts.Moment:
        return facts.Moment(self._clock.now_ns(), facts.holder_of(connection), self._switch.kills())
