"""What is told over the websocket: everything first, then what changes; and events on Jupyter's own stream."""

from __future__ import annotations

import asyncio
import json
import logging
import pathlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from jupyter_events import EventLogger
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

import workbench as wb
from tests.operated import Operated, folder  # noqa: F401 - a fixture
from workbench.errors import RetryableError
from workbench.live.client import Client
from workbench.live.overview import Overview
from workbench.market import samples
from workbench_jupyter import watch as watching
from workbench_jupyter.events import KINDS, TOPICS, register, schema_id, tell
from workbench_jupyter.lookout import Lookout
from workbench_jupyter.threads import Threads
from workbench_jupyter.watch import Sight, Watch

Fetch = Callable[..., Awaitable[Any]]
NAME = "NSE:SAMPLE"


class Line:
    """A browser's end of the stream."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket

    async def message(self) -> dict[str, Any]:
        text = await asyncio.wait_for(self.socket.read_message(), 20)
        assert text is not None, "the line is closed"
        found: dict[str, Any] = json.loads(text)
        return found

    async def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message of which that is true."""
        while True:
            message = await self.message()
            if fits(message):
                return message


Opens = Callable[[], Awaitable[Line]]


@pytest.fixture
def opens(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str, jp_auth_header: dict[str, str]
) -> Iterator[Opens]:
    """Opens a stream; it is closed after the test."""
    address = f"ws://127.0.0.1:{jp_serverapp.port}{jp_base_url.rstrip('/')}/workbench/api/stream"
    opened: list[Line] = []

    async def connect() -> Line:
        opened.append(Line(await websocket_connect(HTTPRequest(address, headers=jp_auth_header))))
        return opened[-1]

    yield connect
    for line in opened:
        line.socket.close()


async def test_everything_is_told_first(opens: Opens) -> None:
    line = await opens()
    first = await line.message()
    assert first["kind"] == "all" and first["at"].endswith("Z")
    assert first["health"]["hosting"]["state"] == "ATTACHED" and first["health"]["database"] == ""
    (one,) = first["deployments"]
    assert (one["name"], one["seq"], one["holdings"], one["is_evaluated"]) == ("dip", 0, [], False)
    assert one["next_evaluation"].endswith("Z") and "bars" in one["warm_up"]
    assert first["health"]["next_evaluation"] is None, "nobody evaluates it"
    assert first["exposure"] == []


async def test_what_changes_is_told_and_nothing_else(opens: Opens, database: pathlib.Path) -> None:
    line = await opens()
    await line.message()
    with Client.open(database) as client:
        client.set_limit("orders_per_day", 5)
        client.kill("odd", wait_s=0.0)
    told = await line.until(lambda message: bool(message["deployments"]))
    assert told["kind"] == "changes" and "odd" in told["deployments"][0]["hindrance"]
    assert told["gone"] == [] and told["exposure"] is None and "odd" in told["health"]["kills"][0]
    silent = await line.message()
    assert silent["deployments"] == [] and silent["health"] == told["health"]


async def test_a_silent_line_is_told_that_it_lives(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SILENCE_S", 1.5)
    line = await opens()
    await line.message()
    began = time.monotonic()
    assert (await line.message())["deployments"] == []
    assert time.monotonic() - began > 0.4


async def test_a_database_that_cannot_be_looked_at_is_told_and_what_was_known_stays(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await opens()
    await line.message()

    def refuses(_: Overview) -> Any:
        raise RetryableError("somebody else writes")

    with monkeypatch.context() as patch:
        patch.setattr(Overview, "glance", refuses)
        told = await line.until(lambda message: message["health"]["database"] != "")
    assert told["health"]["database"] == "somebody else writes" and told["gone"] == []
    healed = await line.until(lambda message: message["health"]["database"] == "")
    assert healed["gone"] == []


async def test_streams_are_counted_and_let_go(opens: Opens, jp_fetch: Fetch) -> None:
    line = await opens()
    await line.message()
    assert json.loads((await jp_fetch("workbench", "api", "health")).body)["streams"] == 1
    line.socket.close()
    for _ in range(200):
        if json.loads((await jp_fetch("workbench", "api", "health")).body)["streams"] == 0:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a stream that was closed is still counted")


async def test_what_happens_is_on_jupyters_stream_of_events(
    opens: Opens, database: pathlib.Path, jp_serverapp: Any
) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.append((schema_id, data))

    jp_serverapp.event_logger.add_listener(listener=listener)
    line = await opens()
    await line.message()
    bars = samples.synthetic(seed=1, start="2023-01-02", end="2023-01-10")
    strategy = wb.Strategy(
        name="later", version="1.0.0", instruments=(NAME,), timeframe="15m", calendar="NSE", product="CNC",
        entry="RSI(6) < 35", exit="RSI(6) > 60",
    )  # fmt: skip
    with Client.open(database) as client:
        client.deploy(strategy, bars, wb.costs.none(), 100_000.0)
    await line.until(lambda message: any(one["name"] == "later" for one in message["deployments"]))
    for _ in range(200):
        if heard:
            break
        await asyncio.sleep(0.05)
    ((topic, data),) = heard
    assert topic == schema_id("strategy.deployed")
    assert (data["deployment"], data["kind"], data["body"]["strategy"]) == ("later", "DEPLOYED", "later")


async def test_rows_of_a_journal_are_told_once_under_their_topics(folder: pathlib.Path) -> None:  # noqa: F811
    desk, told = Operated(folder), list[Mapping[str, Any]]()
    desk.deploy()
    eye = Overview(desk.store, clock=desk.clock)

    async def overview() -> Overview:
        return eye

    lookout = Lookout(overview, lambda: {"state": "ATTACHED"}, told.extend, Threads())
    await lookout.look()
    desk.start().run(lambda: bool(desk.rows("TRADE_CLOSED")))
    desk.client.pause("dip", "lunch", wait_s=0.0)
    desk.obey()
    await lookout.look()
    await lookout.look()
    wanted = [row for row in desk.rows() if row["kind"] in KINDS]
    assert [(row["seq"], row["kind"], row["body"]) for row in told] == [
        (row["seq"], row["kind"], row["body"]) for row in wanted
    ]
    assert {"STARTED", "FILLED", "TRADE_CLOSED", "PAUSED"} <= {row["kind"] for row in told}
    logger = EventLogger()
    register(logger)
    heard = list[str]()

    async def listener(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.append(schema_id)

    logger.add_listener(listener=listener)
    tell(logger, told)
    await logger.gather_listeners()
    topic_of = {kind: topic for topic, kinds in TOPICS.items() for kind in kinds}
    assert sorted(heard) == sorted(schema_id(topic_of[row["kind"]]) for row in wanted)
    desk.store.close()


def test_every_topic_has_kinds_of_its_own() -> None:
    assert len(set(KINDS)) == len(KINDS) == sum(map(len, TOPICS.values()))


class Ear:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.heard = asyncio.Condition()

    def tell(self, message: bytes, everything: Callable[[], bytes]) -> None:
        self.told.append(json.loads(message))
        asyncio.get_running_loop().create_task(self._notify())

    async def has_heard(self, count: int) -> None:
        async with self.heard:
            await self.heard.wait_for(lambda: len(self.told) >= count)

    async def _notify(self) -> None:
        async with self.heard:
            self.heard.notify_all()


async def test_rows_that_are_gone_are_named_and_same_rows_are_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "INTERVAL_S", 0.01)
    one, two = {"name": "a"}, {"name": "b"}
    sights = [Sight(1, {}, [one, two], []), Sight(2, {}, [one], []), Sight(3, {"x": 1}, [one], [])]
    over = asyncio.Event()

    async def look() -> Sight:
        if len(sights) == 1:
            over.set()
        return sights.pop(0) if len(sights) > 1 else sights[0]

    watch, listener = Watch(look, logging.getLogger("test")), Ear()
    watch.join(listener)
    await asyncio.wait_for(over.wait(), 5)
    await asyncio.wait_for(listener.has_heard(3), 5)
    await watch.stop()
    assert [[row["name"] for row in told["deployments"]] for told in listener.told] == [["a", "b"], [], []]
    assert [told["gone"] for told in listener.told] == [[], ["b"], []]
