"""What the server answers: tables and facts, commands that are written down, and errors with a status."""

from __future__ import annotations

import asyncio
import json
import pathlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tornado.httpclient import HTTPClientError

from workbench.live.client import Client
from workbench.live.killswitch import KillSwitch
from workbench.live.overview import Overview
from workbench.live.places import places_of_url
from workbench_jupyter.handlers import OTHERS
from workbench_jupyter.routes import ROUTES

Fetch = Callable[..., Awaitable[Any]]
API = ("workbench", "api")


async def got(jp_fetch: Fetch, *path: str, **given: Any) -> Any:
    return json.loads((await jp_fetch(*API, *path, **given)).body)


async def sent(jp_fetch: Fetch, *path: str, body: object = None, method: str = "POST") -> Any:
    return await got(jp_fetch, *path, method=method, body=json.dumps({} if body is None else body))


async def failed(fetch: Awaitable[Any]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(HTTPClientError) as caught:
        await fetch
    assert caught.value.response is not None
    return caught.value.code, json.loads(caught.value.response.body)


async def test_deployments_are_listed_and_shown(jp_fetch: Fetch) -> None:
    (one,) = await got(jp_fetch, "deployments")
    assert (one["name"], one["status"], one["is_evaluated"]) == ("dip", "RUNNING", False)
    assert one["hindrance"] == "no runner is running" and one["last_evaluation"] is None
    status = await got(jp_fetch, "deployments", "dip")
    assert status["strategy"] == "dip" and status["position"] == []
    assert status["begins"].endswith("Z") and all(one.endswith("Z") for one in status["next_evaluations"])


@pytest.mark.parametrize("table", ["journal", "orders", "fills", "trades", "equity", "slippage"])
async def test_a_table_of_what_has_not_begun_is_empty(jp_fetch: Fetch, table: str) -> None:
    assert await got(jp_fetch, "deployments", "dip", table) == []


async def test_a_command_is_written_and_waits_for_a_runner(jp_fetch: Fetch) -> None:
    reply = await sent(jp_fetch, "deployments", "dip", "pause", body={"why": "lunch"})
    assert reply["number"] == 1 and not reply["is_done"]
    assert "No runner is running" in reply["text"]


async def test_a_kill_holds_without_a_runner_and_is_shown(jp_fetch: Fetch) -> None:
    reply = await sent(jp_fetch, "kill", body={"why": "fat finger"})
    assert reply["is_done"] and "The kill switch is down" in reply["text"]
    (one,) = await got(jp_fetch, "deployments")
    assert "fat finger" in one["hindrance"]


async def test_a_limit_is_set_and_shown(jp_fetch: Fetch) -> None:
    rows = await sent(jp_fetch, "limits", "orders_per_day", method="PUT", body={"value": 10})
    assert {one["name"]: one["allowed"] for one in rows}["orders_per_day"] == 10


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (("deployments", "dop"), 404, "Did you mean 'dip'?"),
        (("deployments", "dop", "journal"), 404, "there is no deployment 'dop'"),
        (("nothing",), 404, ""),
    ],
)
async def test_what_is_not_there_is_404(jp_fetch: Fetch, path: tuple[str, ...], status: int, said: str) -> None:
    code, body = await failed(jp_fetch(*API, *path))
    assert code == status and said in body["message"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (("deployments", "dip", "pause"), '{"wy": "typo"}', "wy"),
        (("deployments", "dip", "stop"), '{"keep": "yes"}', "keep"),
        (("deployments", "dip", "resolve"), '{"choice": "sell"}', "choice"),
        (("deployments", "dip", "resolve"), "{}", "choice"),
        (("kill",), "{}", "why"),
        (("arm",), '{"why": ""}', "why"),
        (("deployments", "dip", "pause"), "[1]", "body"),
    ],
)
async def test_a_wrong_body_is_422_with_the_field(
    jp_fetch: Fetch, path: tuple[str, ...], body: str, field: str
) -> None:
    code, answer = await failed(jp_fetch(*API, *path, method="POST", body=body))
    assert code == 422 and [one["field"] for one in answer["fields"]] == [field]
    assert answer["message"].startswith(f"{field}: ")


async def test_a_body_that_is_no_json_is_422(jp_fetch: Fetch) -> None:
    code, answer = await failed(jp_fetch(*API, "kill", method="POST", body="{"))
    assert code == 422 and "is not JSON" in answer["message"]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "many"}, {"before": "0"}, {"kinds": "FILLED"}])
async def test_a_wrong_query_is_422_with_the_field(jp_fetch: Fetch, query: dict[str, str]) -> None:
    code, answer = await failed(jp_fetch(*API, "deployments", "dip", "journal", params=query))
    assert code == 422 and [one["field"] for one in answer["fields"]] == list(query)


async def test_another_verb_is_405_and_says_which_there_are(jp_fetch: Fetch) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(*API, "deployments", method="PUT", body="{}")
    assert caught.value.code == 405 and caught.value.response is not None
    assert caught.value.response.headers["Allow"] == "GET, POST"


async def test_health_says_who_runs_and_what_is_killed(jp_fetch: Fetch) -> None:
    health = await got(jp_fetch, "health")
    assert health["hosting"]["state"] == "ATTACHED" and health["runner"] == "" and health["database"] == ""
    assert (health["deployments"], health["evaluated"], health["kills"]) == (1, 0, [])
    await sent(jp_fetch, "deployments", "dip", "kill", body={"why": "odd"})
    assert (await got(jp_fetch, "health"))["kills"] == ["dip, by server token: odd"]


async def test_health_answers_when_the_database_cannot_be_opened(
    jp_fetch: Fetch, database: pathlib.Path, jp_serverapp: Any
) -> None:
    await asyncio.to_thread(database.write_bytes, b"no database at all, but long enough to be taken for one" * 100)
    health = await got(jp_fetch, "health")
    assert "workbench.db" in health["database"]


async def test_a_kill_holds_although_the_database_cannot_be_opened(jp_fetch: Fetch, database: pathlib.Path) -> None:
    await asyncio.to_thread(database.write_bytes, b"no database at all, but long enough to be taken for one" * 100)
    reply = await sent(jp_fetch, "kill", body={"why": "odd", "flatten": True, "confirm": "FLATTEN"})
    assert reply["is_done"] and "The kill switch is down" in reply["text"] and "No position is being" in reply["text"]
    (kill,) = KillSwitch(places_of_url(str(database)).flag).kills()
    assert (kill.name, kill.why, kill.who) == ("", "odd", "server token")
    await sent(jp_fetch, "deployments", "dip", "kill", body={"why": "this too"})
    assert len(KillSwitch(places_of_url(str(database)).flag).kills()) == 2
    code, _ = await failed(jp_fetch(*API, "deployments", "dip", "pause", method="POST", body="{}"))
    assert code == 500


async def test_metrics_are_prometheus_text(jp_fetch: Fetch) -> None:
    answer = await jp_fetch(*API, "metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    figures = {line.split(" ")[0]: float(line.split(" ")[1]) for line in answer.body.decode().splitlines()
               if not line.startswith("#")}  # fmt: skip
    assert figures["strategy_deployments_total"] == 1.0 and figures["strategy_executions_active"] == 0.0
    assert figures['strategy_trade_count_total{deployment="dip"}'] == 0.0


async def test_the_openapi_document_holds_every_route_and_is_valid(jp_fetch: Fetch) -> None:
    found = await got(jp_fetch, "openapi.json")
    stated = {(verb.upper(), path[1:]) for path, verbs in found["paths"].items() for verb in verbs}
    assert stated == {(one.verb, one.path) for one in ROUTES} | {("GET", path) for path, _ in OTHERS}
    assert all(verb["summary"] for verbs in found["paths"].values() for verb in verbs.values())
    for path, verbs in found["paths"].items():
        for verb in verbs.values():
            named = {one["name"] for one in verb["parameters"] if one["in"] == "path"}
            assert {f"{{{name}}}" for name in named} == {part for part in path.split("/") if part.startswith("{")}
            body = verb.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if body is not None:
                Draft202012Validator.check_schema(body)


async def test_a_slow_database_holds_up_nobody_else(jp_fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, over = threading.Event(), threading.Event()

    def slow(self: Client) -> Any:
        begun.set()
        over.wait(20)
        return self.limits()

    monkeypatch.setattr(Client, "deployments", slow)
    waiting = asyncio.ensure_future(got(jp_fetch, "deployments"))
    assert await asyncio.to_thread(begun.wait, 20)
    assert (await got(jp_fetch, "openapi.json"))["openapi"] == "3.1.0"
    assert await got(jp_fetch, "exposure") == []
    assert not waiting.done()
    over.set()
    assert len(await waiting) > 0


async def test_a_kill_waits_for_nobody_who_only_asks(
    jp_fetch: Fetch, database: pathlib.Path, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (app,) = jp_serverapp.extension_manager.extension_apps["workbench_jupyter"]
    app.threads._many = ThreadPoolExecutor(3)
    over = threading.Event()

    def slow(self: Client) -> Any:
        over.wait(30)
        return self.limits()

    monkeypatch.setattr(Client, "deployments", slow)
    waiting = [asyncio.ensure_future(got(jp_fetch, "deployments")) for _ in range(5)]
    try:
        reply = await asyncio.wait_for(sent(jp_fetch, "kill", body={"why": "odd"}), 20)
        assert reply["is_done"] and KillSwitch(places_of_url(str(database)).flag).kills()
        assert not any(one.done() for one in waiting)
    finally:
        over.set()
    assert all(await asyncio.gather(*waiting))


async def test_a_kill_of_what_does_not_exist_is_taken_back(jp_fetch: Fetch, database: pathlib.Path) -> None:
    code, body = await failed(jp_fetch(*API, "deployments", "dop", "kill", method="POST", body='{"why": "odd"}'))
    assert code == 404 and "dop" in body["message"]
    assert KillSwitch(places_of_url(str(database)).flag).kills() == ()


async def test_many_who_look_at_once_share_a_look(jp_fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    await got(jp_fetch, "health")
    looks, glance = list[int](), Overview.glance

    def counted(self: Overview) -> Any:
        looks.append(1)
        return glance(self)

    monkeypatch.setattr(Overview, "glance", counted)
    found = await asyncio.gather(*(got(jp_fetch, "overview") for _ in range(20)))
    assert all(one["health"]["deployments"] == 1 for one in found)
    assert 1 <= len(looks) < 20


async def test_what_was_asked_before_a_look_is_in_it(jp_fetch: Fetch) -> None:
    for _ in range(5):
        looking = asyncio.ensure_future(got(jp_fetch, "overview"))
        await sent(jp_fetch, "kill", body={"why": "odd"})
        assert (await got(jp_fetch, "overview"))["health"]["kills"]
        await looking
        await sent(jp_fetch, "arm", body={"why": "well"})
