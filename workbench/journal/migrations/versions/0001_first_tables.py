"""The first tables.

What each column means stands in ``journal.tables``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    _create_deployments()
    _create_work()
    _create_market()
    _create_orders()
    _create_journal()
    _create_paper()


def _create_deployments() -> None:
    """Strategies as they were deployed, deployments, where they stand and what they remember."""
    op.create_table(
        "strategy_versions",
        sa.Column("hash", sa.String(128), primary_key=True, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("version", sa.String(128), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "deployments",
        sa.Column("id", sa.String(128), primary_key=True, nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("strategy_hash", sa.String(128), sa.ForeignKey("strategy_versions.hash"), nullable=False),
        sa.Column("mode", sa.String(128), nullable=False),
        sa.Column("calendar", sa.String(128), nullable=False),
        sa.Column("timeframe", sa.String(128), nullable=False),
        sa.Column("costs", sa.Text(), nullable=False),
        sa.Column("instruments", sa.Text(), nullable=False),
        sa.Column("initial_cash", sa.Double(), nullable=False),
        sa.Column("history_from_ns", sa.BigInteger(), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("owner", "name"),
    )
    op.create_table(
        "deployment_states",
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), primary_key=True, nullable=False),
        sa.Column("status", sa.String(128), nullable=False),
        sa.Column("runtime_state", sa.String(128), nullable=False),
        sa.Column("instant_ns", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("heartbeat_ns", sa.BigInteger(), nullable=False),
        sa.Column("evaluated_ns", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(128), nullable=False),
        sa.Column("warm_bars", sa.Integer(), nullable=False),
        sa.Column("records", sa.LargeBinary(), nullable=False),
        sa.Column("layout", sa.String(128), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.String(128), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("stale", sa.Text(), server_default="", nullable=False),
    )
    op.create_table(
        "memories",
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), primary_key=True, nullable=False),
        sa.Column("instant_ns", sa.BigInteger(), nullable=False),
        sa.Column("engine", sa.String(128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def _create_work() -> None:
    """What is to be done, by whom, and how much of it."""
    op.create_table(
        "jobs",
        sa.Column("key", sa.String(128), primary_key=True, nullable=False),
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), primary_key=True, nullable=False),
        sa.Column("done_ns", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column("resource", sa.String(128), primary_key=True, nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True, nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("deployment_id", sa.String(128), nullable=False),
        sa.Column("verb", sa.String(128), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("done_ns", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
    )
    op.create_index("commands_waiting", "commands", ["done_ns"])
    op.create_table(
        "limits",
        sa.Column("owner", sa.String(128), primary_key=True, nullable=False),
        sa.Column("name", sa.String(128), primary_key=True, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("changed_ns", sa.BigInteger(), nullable=False),
    )


def _create_market() -> None:
    """Bars as they were seen."""
    op.create_table(
        "bars",
        sa.Column("instrument", sa.String(128), primary_key=True, nullable=False),
        sa.Column("timeframe", sa.String(128), primary_key=True, nullable=False),
        sa.Column("ts_ns", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("revision", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("received_ns", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
    )


def _create_orders() -> None:
    """Intents, orders, fills."""
    op.create_table(
        "intents",
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), primary_key=True, nullable=False),
        sa.Column("number", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("action", sa.String(128), nullable=False),
        sa.Column("cid", sa.String(128), nullable=False),
        sa.Column("order_no", sa.BigInteger(), nullable=False),
        sa.Column("instrument", sa.String(128), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("qty", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(128), nullable=False),
        sa.Column("price", sa.Double(), nullable=False),
        sa.Column("reduces", sa.Boolean(), nullable=False),
        sa.Column("contingent", sa.Boolean(), nullable=False),
        sa.Column("decided_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(128), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("sent_ns", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    op.create_index("intents_open", "intents", ["state"])
    op.create_table(
        "orders",
        sa.Column("cid", sa.String(128), primary_key=True, nullable=False),
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), nullable=False),
        sa.Column("order_no", sa.BigInteger(), nullable=False),
        sa.Column("instrument", sa.String(128), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("qty", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(128), nullable=False),
        sa.Column("price", sa.Double(), nullable=False),
        sa.Column("decided_ns", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(128), nullable=False),
        sa.Column("filled_qty", sa.Double(), nullable=False),
        sa.Column("broker_id", sa.String(128), nullable=False),
        sa.UniqueConstraint("deployment_id", "order_no"),
    )
    op.create_table(
        "fills",
        sa.Column("account", sa.String(128), primary_key=True, nullable=False),
        sa.Column("exec_id", sa.String(128), primary_key=True, nullable=False),
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("cid", sa.String(128), nullable=False),
        sa.Column("order_no", sa.BigInteger(), nullable=False),
        sa.Column("ns", sa.BigInteger(), nullable=False),
        sa.Column("instrument", sa.String(128), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("qty", sa.Double(), nullable=False),
        sa.Column("price", sa.Double(), nullable=False),
        sa.Column("charges", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(128), nullable=False),
        sa.UniqueConstraint("deployment_id", "number"),
    )


def _create_journal() -> None:
    """The journal and the curve of the account."""
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), primary_key=True, nullable=False),
        sa.Column("instant_ns", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(128), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
    )
    rare = sa.text("kind NOT IN ('EVALUATED', 'BAR_CLOSED_RECEIVED', 'BAR_WARMED')")
    op.create_index(
        "journal_rare", "journal", ["deployment_id", "kind", "seq"], sqlite_where=rare, postgresql_where=rare
    )
    op.create_table(
        "equity_points",
        sa.Column("ts_ns", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("deployment_id", sa.String(128), sa.ForeignKey("deployments.id"), primary_key=True, nullable=False),
        sa.Column("cash", sa.Double(), nullable=False),
        sa.Column("position_value", sa.Double(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
    )


def _create_paper() -> None:
    """The embedded paper broker's own book."""
    op.create_table(
        "paper_accounts",
        sa.Column("account", sa.String(128), primary_key=True, nullable=False),
        sa.Column("positions", sa.Text(), nullable=False),
    )
    op.create_table(
        "paper_events",
        sa.Column("account", sa.String(128), primary_key=True, nullable=False),
        sa.Column("seq", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )
    op.create_table(
        "paper_orders",
        sa.Column("broker_id", sa.String(128), primary_key=True, nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("cid", sa.String(128), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
    )
    op.create_index("paper_orders_working", "paper_orders", ["account", "works"])
    op.create_index("paper_orders_cid", "paper_orders", ["cid", "account"])
