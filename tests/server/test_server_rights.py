"""Who may ask what: every path and verb of the routing table itself, with every kind of credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from workbench_jupyter.handlers import handlers
from workbench_jupyter.routes import ROUTES

#: What is no route of the table; the stream is a websocket, and says 400 to who asks for it as for a page.
OTHERS = ("health", "overview", "doctor", "metrics", "openapi.json", "stream")
STREAM = ("/workbench/api/stream", "GET")
VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")


class ReadOnly(Authorizer):
    """Everybody may look, nobody may touch."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return action == "read" and resource == "workbench"


class Nobody(Authorizer):
    """Nobody may do anything."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return False


def asked() -> Iterator[tuple[str, str]]:
    """Every path of the routing table, with every verb."""
    for pattern, _ in handlers():
        path = pattern.replace("(?P<name>[^/]+)", "dip").replace("(?P<path>.*)", "what/ever")
        assert "(" not in path, f"a pattern that this test cannot fill: {pattern}"
        for verb in VERBS:
            yield path, verb


def known() -> set[tuple[str, str]]:
    """What has an answer."""
    others = {(f"/workbench/api/{one}", "GET") for one in OTHERS}
    return {(f"/workbench/api/{one.path.replace('{name}', 'dip')}", one.verb) for one in ROUTES} | others


class Door(NamedTuple):
    """A server as a stranger reaches it."""

    server: Any
    client: Any
    base: str

    async def answer(self, path: str, verb: str, headers: dict[str, str]) -> Any:
        body = "{}" if verb in ("POST", "PUT", "PATCH") else None
        return await self.client.fetch(
            f"{self.base}{path}", method=verb, headers=headers, body=body, follow_redirects=False, raise_error=False
        )

    async def statuses(self, headers: dict[str, str]) -> dict[tuple[str, str], int]:
        """What every path and verb is answered."""
        return {one: (await self.answer(*one, headers)).code for one in asked()}

    async def logged_in(self) -> dict[str, str]:
        """The cookies of a browser that came with the token once."""
        cookie = SimpleCookie[str]()
        for path in ("/login", f"/login?token={self.server.identity_provider.token}"):
            response = await self.answer(path, "GET", {})
            for line in response.headers.get_list("Set-Cookie"):
                cookie.load(line)
        return {name: morsel.value for name, morsel in cookie.items()}


@pytest.fixture
def door(jp_serverapp: Any, http_server_client: Any, jp_base_url: str) -> Door:
    return Door(jp_serverapp, http_server_client, jp_base_url.rstrip("/"))


def allowed(one: tuple[str, str], code: int) -> bool:
    """Whether that is an answer of ours, and no refusal for want of rights."""
    path, verb = one
    if verb in ("DELETE", "PATCH", "HEAD"):
        return code == 405
    if one in known():
        return code in (200, 400 if one == STREAM else 404 if "calendar" in path else 422)
    return code == (404 if path.endswith("what/ever") else 405)


def test_the_table_is_all_there_is() -> None:
    paths = {path for path, _ in asked()}
    assert {path for path, _ in known()} <= paths and len(paths) > 15


async def test_without_credentials_or_with_wrong_ones_nothing_is_answered(door: Door) -> None:
    for headers in ({}, {"Authorization": "token wrong"}, {"Cookie": "username-localhost=forged"}):
        found = await door.statuses(headers)
        wrong = {one: code for one, code in found.items() if code not in (403, 405) or (one in known() and code != 403)}
        assert not wrong


async def test_with_the_token_everything_is_answered(door: Door, jp_auth_header: dict[str, str]) -> None:
    found = await door.statuses(jp_auth_header)
    assert {one: code for one, code in found.items() if not allowed(one, code)} == {}


async def answered(door: Door, headers: dict[str, str]) -> int:
    """What somebody gets who opens the websocket: 101 when it opens."""
    address = f"ws://127.0.0.1:{door.server.port}{door.base}{STREAM[0]}"
    try:
        socket = await websocket_connect(HTTPRequest(address, headers=headers))
    except HTTPClientError as error:
        return int(error.code)
    message = await socket.read_message()
    assert message is not None and json.loads(message)["kind"] == "all"
    socket.close()
    return 101


async def test_who_may_open_the_stream(door: Door, jp_auth_header: dict[str, str]) -> None:
    cookies = {"Cookie": as_header(await door.logged_in())}
    there = {"Origin": f"http://127.0.0.1:{door.server.port}"}
    expected = [
        ({}, 403),
        ({"Authorization": "token wrong"}, 403),
        ({"Cookie": "username-localhost=forged"}, 403),
        (jp_auth_header, 101),
        ({**cookies, **there}, 101),
        ({**cookies, "Origin": "https://evil.example"}, 403),
    ]
    assert [(headers, await answered(door, headers)) for headers, _ in expected] == expected
    server = door.server
    server.web_app.settings["authorizer"] = ReadOnly(parent=server, identity_provider=server.identity_provider)
    assert await answered(door, jp_auth_header) == 101
    server.web_app.settings["authorizer"] = Nobody(parent=server, identity_provider=server.identity_provider)
    assert await answered(door, jp_auth_header) == 403


async def test_who_may_do_nothing_is_answered_nothing(door: Door, jp_auth_header: dict[str, str]) -> None:
    server = door.server
    server.web_app.settings["authorizer"] = Nobody(parent=server, identity_provider=server.identity_provider)
    found = await door.statuses(jp_auth_header)
    assert {one: found[one] for one in known() if found[one] != 403} == {}


def as_header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


async def test_a_browser_needs_the_xsrf_header_to_change_something(door: Door) -> None:
    cookies = await door.logged_in()
    bare = {"Cookie": as_header(cookies)}
    whole = {**bare, "X-XSRFToken": cookies["_xsrf"]}
    without, having = await door.statuses(bare), await door.statuses(whole)
    changing = [one for one in known() if one[1] != "GET"]
    assert {one: without[one] for one in changing if without[one] != 403} == {}
    assert {one: code for one, code in having.items() if not allowed(one, code)} == {}


async def test_a_page_of_another_origin_is_refused(door: Door) -> None:
    cookies = await door.logged_in()
    foreign = {"Cookie": as_header(cookies), "X-XSRFToken": cookies["_xsrf"], "Origin": "https://evil.example"}
    found = await door.statuses(foreign)
    assert {one: found[one] for one in known() - {STREAM} if found[one] not in (403, 404)} == {}


async def test_who_may_only_read_changes_nothing(door: Door, jp_auth_header: dict[str, str]) -> None:
    server = door.server
    server.web_app.settings["authorizer"] = ReadOnly(parent=server, identity_provider=server.identity_provider)
    found = await door.statuses(jp_auth_header)
    wrong = {one: found[one] for one in known() if (found[one] == 403) != (one[1] != "GET")}
    assert wrong == {} and found[STREAM] == 400
