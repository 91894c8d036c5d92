"""The OpenAPI document, made from the table of routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench_jupyter.routes import Route

_COMMON = {
    "403": "no credentials, or no right to it",
    "404": "there is nothing of that name",
    "409": "it cannot be done as things stand; nothing was changed",
    "422": "what was sent is wrong; the fields are named",
    "503": "the database is in use, try again",
}


def document(routes: Sequence[Route], others: Mapping[str, str], version: str) -> dict[str, Any]:
    """What can be asked, for programs.

    Parameters
    ----------
    routes : sequence of Route
        The table.
    others : mapping of str to str
        Paths that are only read, and are no routes of the table, with what they are.
    version : str
        Of Workbench.
    """
    words = {"200": {"description": "read"}, "403": {"description": _COMMON["403"]}}
    paths: dict[str, dict[str, Any]] = {
        f"/{path}": {"get": {"summary": summary, "parameters": [], "responses": words}}
        for path, summary in others.items()
    }
    for route in routes:
        paths.setdefault(f"/{route.path}", {})[route.verb.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Workbench", "version": version},
        "servers": [{"url": "workbench/api"}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}}},
        "security": [{"token": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in route.names
    ]  # fmt: skip
    asked, body = [], {}
    if route.sent is not None and route.verb == "GET":
        schema = route.sent.model_json_schema()
        required = schema.get("required", [])
        asked = [
            {"name": name, "in": "query", "required": name in required, "schema": one}
            for name, one in schema["properties"].items()
        ]
    elif route.sent is not None:
        schema = route.sent.model_json_schema()
        body = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    words = {"200": {"description": "done, or read"}}
    words |= {code: {"description": text} for code, text in _COMMON.items()}
    return {"summary": route.summary, "parameters": [*named, *asked], **body, "responses": words}
