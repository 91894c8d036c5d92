"""Figures for Prometheus, in its text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from workbench.live.client import Client
from workbench_jupyter.plain import rows_of

_NAMES = {
    "strategy_deployments_total": "Deployments that are not stopped",
    "strategy_executions_active": "Deployments that are evaluated",
    "strategy_deployment_errors_total": "Deployments that cannot run, or wait for a person",
    "strategy_deployments_stale": "Deployments of which bars are missing",
}
_OF_EACH = {
    "strategy_pnl_total": "Profit and loss since the start, in the instruments' currency",
    "strategy_trade_count_total": "Trades that ended",
}


def metrics_text(client: Client) -> bytes:
    """The figures of an owner's deployments now."""
    rows, ended, registry = rows_of(client.deployments()), client.trade_counts(), CollectorRegistry()
    alive = [row for row in rows if row["status"] != "STOPPED"]
    waits = [row for row in alive if row["status"] == "ERROR" or row["runtime_state"].startswith("PAUSED_")]
    active, stale = ([row for row in alive if row[name]] for name in ("is_evaluated", "stale"))
    counts = map(len, (alive, active, waits, stale))
    for (name, words), count in zip(_NAMES.items(), counts, strict=True):
        Gauge(name, words, registry=registry).set(count)
    pnl, trades = (Gauge(name, words, ["deployment"], registry=registry) for name, words in _OF_EACH.items())
    for row in alive:
        if row["pnl"] is not None:
            pnl.labels(row["name"]).set(row["pnl"])
        trades.labels(row["name"]).set(ended.get(row["name"], 0))
    return generate_latest(registry)
