"""Every line of docs/server.md that begins with ``curl`` is run as it is written, against a real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.lab import TOKEN, deployed, feed, serving
from tests.tidy.source import ROOT

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

LINES = [line for line in (ROOT / "docs/server.md").read_text().splitlines() if line.startswith("curl ")]
#: What an answer holds at least, by the end of the path; of a table, what each of its rows holds.
HOLDS: dict[str, set[str]] = {
    "health": {"hosting", "database", "runner", "kills", "deployments", "evaluated"},
    "deployments": {"name", "strategy", "status", "runtime_state", "is_evaluated", "position", "equity"},
    "dip": {"name", "status", "warm_up", "position", "equity", "next_evaluations"},
    "journal": {"seq", "kind", "body"},
    "doctor": {"findings", "lines"},
    **{verb: {"number", "is_done", "text"} for verb in ("pause", "resume", "kill", "arm")},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address; it hosts a runner that replays bars to a deployment called ``dip``."""
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    folder = tmp_path_factory.mktemp("curl")
    database, bars = deployed(folder, ("dip",))
    with serving(folder, database, feed(bars)) as lab:
        yield lab.url.rstrip("/")


def asked(line: str, server: str) -> tuple[int, str]:
    """The status and the body of what a shell gets for a line."""
    # curl itself says the status after the body; the line stays as it is written.
    shell = f"curl() {{ command curl --silent --show-error --write-out '\\n%{{http_code}}' \"$@\"; }}\n{line}"
    environment = {**os.environ, "TOKEN": TOKEN, "SERVER": server, "NO_PROXY": "*", "HOME": os.devnull}
    done = subprocess.run(
        ["bash", "-c", shell], env=environment, capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def end_of(line: str) -> str:
    """The last part of the path that a line asks for."""
    return line.rsplit(maxsplit=1)[-1].strip('"').partition("?")[0].rpartition("/")[2]


def test_there_are_examples_of_reading_and_of_asking() -> None:
    assert len(LINES) >= 8
    assert {end_of(line) for line in LINES} == HOLDS.keys() | {"metrics"}


def test_every_line_works_as_it_is_written(server: str) -> None:
    """One after the other: what is paused is resumed by the next line."""
    for line in LINES:
        status, body = asked(line, server)
        assert status == 200, line + body
        if end_of(line) == "metrics":
            assert "strategy_deployments_total 1.0" in body
            continue
        answer = json.loads(body)
        rows: list[dict[str, Any]] = answer if isinstance(answer, list) else [answer]
        assert not [row for row in rows if HOLDS[end_of(line)] - row.keys()], line + body
        assert rows or end_of(line) == "journal", "nothing was filled yet"


def test_a_wrong_token_is_refused(server: str) -> None:
    status, body = asked(LINES[0].replace("$TOKEN", "wrong"), server)
    assert status == 403 and "message" in json.loads(body)
