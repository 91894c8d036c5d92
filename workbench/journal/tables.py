"""The tables, once, for SQLite and PostgreSQL; ``migrations`` brings a database to them.

Times are nanoseconds since 1970-01-01 UTC. A price, quantity or sum of money is a double, so that it comes back bit for
bit. Every row of a deployment names it; every deployment has an owner.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

Ns = sa.BigInteger
Number = sa.Double
Name = sa.String(128)
#: Long text, JSON among it: canonical (sorted keys, no spaces), so that it can be hashed as it stands.
Content = sa.Text


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **options)


#: A strategy as it was deployed; rows are never changed.
strategy_versions = sa.Table(
    "strategy_versions",
    metadata,
    _column("hash", Name, primary_key=True),
    _column("name", Name),
    _column("version", Name),
    _column("content", Content),  # TOML
    _column("created_ns", Ns),
)

#: What was asked for; changed by nobody.
deployments = sa.Table(
    "deployments",
    metadata,
    _column("id", Name, primary_key=True),
    _column("owner", Name),
    _column("name", Name),
    _column("strategy_hash", sa.ForeignKey("strategy_versions.hash")),
    _column("mode", Name),  # paper, live
    _column("calendar", Name),
    _column("timeframe", Name),  # of the base bars
    _column("costs", Content),  # JSON: CostModel.to_dict
    _column("instruments", Content),  # JSON: what each instrument was, by name
    _column("initial_cash", Number),
    _column("history_from_ns", Ns),  # B8: the first bar that counts
    _column("start_ns", Ns),  # decisions begin with the first strategy bar that opens at or after it
    _column("settings", Content),  # JSON
    _column("created_ns", Ns),
    sa.UniqueConstraint("owner", "name"),
)

#: Where a deployment stands; one row, replaced in the transaction that moves it.
deployment_states = sa.Table(
    "deployment_states",
    metadata,
    _column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    _column("status", Name),  # RUNNING, PAUSED, STOPPED, ERROR
    _column("runtime_state", Name),  # FLAT, IN_POSITION, WARMING_UP, PAUSED_...
    _column("instant_ns", Ns),  # close of the last base interval that passed; 0 before the first
    _column("phase", sa.Integer),  # how far the running instant has come
    _column("heartbeat_ns", Ns),
    _column("evaluated_ns", Ns),  # close of the last strategy bar that was evaluated
    _column("decision", Name),
    _column("reason", Name),
    _column("warm_bars", sa.Integer),
    _column("records", sa.LargeBinary),  # account and positions of the engine
    _column("layout", Name),  # of ``records``: hash of their types
    _column("counts", Content),  # JSON: rows written so far, by kind
    _column("head_seq", sa.BigInteger),  # last row of the journal
    _column("head_hash", Name),
    _column("note", Content),  # why it is paused, in words
    _column("stale", Content, server_default=""),  # JSON: instruments whose bars are missing -> known up to, ns
)

#: What the expressions remember, saved now and then; bars since then are fed again.
memories = sa.Table(
    "memories",
    metadata,
    _column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    _column("instant_ns", Ns),
    _column("engine", Name),
    _column("content", sa.LargeBinary),
)

#: What was done once and must not be done twice. The key comes first: rows of one bar close lie together.
jobs = sa.Table(
    "jobs",
    metadata,
    _column("key", Name, primary_key=True),  # BAR:5m:<close ns>, WINDOW:...
    _column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    _column("done_ns", Ns),
    _column("epoch", sa.BigInteger),
    sqlite_with_rowid=False,
)

#: Who may write: one row a resource. The epoch grows with every holder.
leases = sa.Table(
    "leases",
    metadata,
    _column("resource", Name, primary_key=True),
    _column("holder", Name),
    _column("epoch", sa.BigInteger),
    _column("expires_ns", Ns),
)

#: Bars as they were seen. Revision 0 is what the engine got, if it came in time; later ones change nothing (B5).
bars = sa.Table(
    "bars",
    metadata,
    _column("instrument", Name, primary_key=True),
    _column("timeframe", Name, primary_key=True),
    _column("ts_ns", Ns, primary_key=True),
    _column("revision", sa.Integer, primary_key=True),
    _column("open", Number),
    _column("high", Number),
    _column("low", Number),
    _column("close", Number),
    _column("volume", Number),
    _column("received_ns", Ns),
    _column("late", sa.Boolean),  # came after its instant had passed
)

#: What we mean to tell a broker, committed before it is told. ``number`` is the order in which to tell it.
intents = sa.Table(
    "intents",
    metadata,
    _column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    _column("number", sa.BigInteger, primary_key=True),
    _column("action", Name),  # SUBMIT, MOVE, CANCEL
    _column("cid", Name),  # of the order it is about
    _column("order_no", sa.BigInteger),
    _column("instrument", Name),
    _column("side", sa.Integer),
    _column("qty", Number),
    _column("kind", Name),  # open, stop, target
    _column("reason", Name),
    _column("price", Number, default=0.0),  # level of a stop or target, 0 for an open order
    _column("reduces", sa.Boolean),  # closes or protects a position
    _column("contingent", sa.Boolean),  # waited for exits (D8)
    _column("decided_ns", Ns),
    _column("state", Name),  # live.intents.IntentState
    _column("epoch", sa.BigInteger),
    _column("sent_ns", Ns),
    _column("detail", Content),
    sa.Index("intents_open", "state"),
)

#: Our orders as we know them.
orders = sa.Table(
    "orders",
    metadata,
    _column("cid", Name, primary_key=True),
    _column("deployment_id", sa.ForeignKey("deployments.id")),
    _column("order_no", sa.BigInteger),
    _column("instrument", Name),
    _column("side", sa.Integer),
    _column("qty", Number),
    _column("kind", Name),
    _column("reason", Name),
    _column("price", Number),
    _column("decided_ns", Ns),
    _column("status", Name),
    _column("filled_qty", Number),
    _column("broker_id", Name),
    sa.UniqueConstraint("deployment_id", "order_no"),
)

#: Executions, once each: the only thing that moves position and cash.
fills = sa.Table(
    "fills",
    metadata,
    _column("account", Name, primary_key=True),
    _column("exec_id", Name, primary_key=True),
    _column("deployment_id", sa.ForeignKey("deployments.id")),
    _column("number", sa.BigInteger),  # in the order of booking
    _column("cid", Name),
    _column("order_no", sa.BigInteger),
    _column("ns", Ns),  # opening instant of the base bar (N5)
    _column("instrument", Name),
    _column("side", sa.Integer),
    _column("qty", Number),
    _column("price", Number),
    _column("charges", Number),
    _column("kind", Name),
    _column("reason", Name),
    sa.UniqueConstraint("deployment_id", "number"),
)

#: Append-only; each row holds the hash of the one before (``journal.chain``).
journal = sa.Table(
    "journal",
    metadata,
    # The number first, so that rows that many deployments write at one close lie side by side (``journal.rows``).
    _column("seq", sa.BigInteger, primary_key=True),  # from 1, without holes
    _column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    _column("instant_ns", Ns),  # what it is about
    _column("at_ns", Ns),  # when it was written
    _column("kind", Name),
    _column("body", Content),  # canonical JSON
    _column("hash", Name),
)

#: Kinds that every bar writes. All others are rare, and found by an index that a quiet bar leaves alone.
COMMON_KINDS = ("EVALUATED", "BAR_CLOSED_RECEIVED", "BAR_WARMED")
#: Written out as in the index: a database uses that only for a question that says the same words.
IS_RARE = sa.text(f"kind NOT IN ({', '.join(map(repr, COMMON_KINDS))})")
sa.Index(
    "journal_rare", journal.c.deployment_id, journal.c.kind, journal.c.seq,
    sqlite_where=IS_RARE, postgresql_where=IS_RARE,
)  # fmt: skip

#: The account at each instant at which an instrument had a bar (R2).
equity_points = sa.Table(
    "equity_points",
    metadata,
    _column("ts_ns", Ns, primary_key=True),
    _column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    _column("cash", Number),
    _column("position_value", Number),
    _column("held", sa.Boolean),
)

#: What people ask of the runner; it answers in ``done_ns`` and ``answer``.
commands = sa.Table(
    "commands",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _column("owner", Name),
    _column("deployment_id", Name),  # empty for everything of the owner
    _column("verb", Name),
    _column("body", Content),
    _column("created_ns", Ns),
    _column("done_ns", Ns),  # 0 while it waits
    _column("answer", Content),
    sa.Index("commands_waiting", "done_ns"),
)

#: How much an owner may do; absent means the default of ``live.limits``.
limits = sa.Table(
    "limits",
    metadata,
    _column("owner", Name, primary_key=True),
    _column("name", Name, primary_key=True),
    _column("value", Number),
    _column("who", Name, default=""),
    _column("changed_ns", Ns, default=0),
)

#: The embedded paper broker's own book. It is a broker: nothing of ours writes here.
paper_orders = sa.Table(
    "paper_orders",
    metadata,
    _column("broker_id", Name, primary_key=True),
    _column("account", Name),
    _column("cid", Name),
    _column("place", sa.BigInteger),  # in the order of arrival, by account
    _column("content", Content),  # JSON: brokers.paper_accounts.Resting
    _column("works", sa.Boolean),
    sa.Index("paper_orders_working", "account", "works"),
    sa.Index("paper_orders_cid", "cid", "account"),
)

paper_accounts = sa.Table(
    "paper_accounts",
    metadata,
    _column("account", Name, primary_key=True),
    _column("positions", Content),  # JSON: instrument -> quantity, entry's open_ns, entry's session
)

paper_events = sa.Table(
    "paper_events",
    metadata,
    _column("account", Name, primary_key=True),
    _column("seq", sa.BigInteger, primary_key=True),
    _column("content", Content),  # JSON: brokers.port.Event
)
