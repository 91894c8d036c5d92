"""Sets of a sweep on a Dask cluster: bars are sent once, strategies in parts, rows come back as they finish.

The worker runs what a thread would run here, on the same engine or not at all, so a row is the same to the last bit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.errors import ConfigError, WorkbenchError
from workbench.jit import sources_hash
from workbench.market.bars import Bars
from workbench.research.sweep.run import Batch, Row, ground_of
from workbench.research.sweep.settings import Chosen
from workbench.strategy import Strategy

#: Parts that each thread of the cluster gets, so that all of them are busy to the end; and the largest part.
PARTS_A_THREAD = 4
LARGEST_PART = 256


def client_of() -> Any:
    """The Dask client that is at work in this process.

    Raises
    ------
    ConfigError
        Dask is not installed, or nobody has connected to a cluster.
    """
    try:
        from distributed import get_client
    except ImportError as error:
        raise ConfigError('executor="dask" needs Dask: pip install "workbench[cluster]"') from error
    try:
        return get_client()
    except ValueError as error:
        raise ConfigError(
            'executor="dask" finds no cluster. Connect to one first, here or by its address:\n'
            "from dask.distributed import Client; client = Client()"
        ) from error


def in_cluster(
    client: Any, strategies: Sequence[Strategy], data: Mapping[str, Bars], how: Chosen, names: Sequence[str]
) -> Iterator[tuple[int, Row]]:
    """Rows as they finish, with the number of their strategy. Leaving early takes back what has not begun."""
    from distributed import as_completed

    completed: Any = as_completed

    threads = sum(client.nthreads().values())
    if not threads:
        raise ConfigError("the Dask cluster has no workers; wait for them with client.wait_for_workers(1).")
    length = min(max(1, len(strategies) // (threads * PARTS_A_THREAD)), LARGEST_PART)
    # What chooses the sets may be a function that cannot travel, and its work is done.
    how = dataclasses.replace(how, where=None)
    # A key of its own: one made of the content may be that which the sweep before is just giving back.
    (sent,) = client.scatter([dict(data)], broadcast=True, hash=False)
    parts = [range(first, min(first + length, len(strategies))) for first in range(0, len(strategies), length)]
    code = sources_hash("research")
    futures = {
        client.submit(run_part, sent, [strategies[i] for i in part], how, names, code, pure=False): part
        for part in parts
    }
    try:
        for future in completed(list(futures)):
            yield from zip(futures[future], future.result(), strict=True)
    finally:
        client.cancel(list(futures))


def run_part(
    data: Mapping[str, Bars],
    strategies: Sequence[Strategy],
    how: Chosen,
    names: Sequence[str],
    code: str,
) -> list[Row]:
    """Run some sets, on a worker.

    Raises
    ------
    WorkbenchError
        The worker has another engine than who asked.
    """
    if code != sources_hash("research"):
        raise WorkbenchError(
            "a worker of the cluster runs another version of the engine, whose rows could differ; install the same "
            "one there and start the workers anew."
        )
    batch = Batch(strategies, ground_of(data), how, names)
    return [batch.row(i) for i in range(len(strategies))]
