"""Deploying, its dry run, and what is read beside it, over HTTP."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from tests.server.test_server_answers import API, Fetch, failed, got, sent
from workbench.market import samples
from workbench_jupyter.calls import _thinned


@pytest.fixture
def wanted(tmp_path: pathlib.Path) -> dict[str, Any]:
    """What a strategy and its bars are sent as."""
    path = tmp_path / "SAMPLE_5m.parquet"
    samples.synthetic(seed=1, start="2023-01-02", end="2023-01-10").frame.reset_index().to_parquet(path)
    strategy = wb.Strategy(
        name="sent", version="1.0.0", instruments=("NSE:SAMPLE",), timeframe="15m", calendar="NSE", product="CNC",
        entry="RSI(6) < 35", exit="RSI(6) > 60",
    )  # fmt: skip
    return {"strategy": strategy.to_toml(), "bars": [str(path)], "costs": "zerodha", "cash": 200_000.0}


async def test_a_strategy_is_tried_then_deployed(jp_fetch: Fetch, wanted: dict[str, Any]) -> None:
    dry = await sent(jp_fetch, "preview", body=wanted)
    assert dry["can_deploy"] and dry["problems"] == []
    assert [one["name"] for one in await got(jp_fetch, "deployments")] == ["dip"]
    status = await sent(jp_fetch, "deployments", body=wanted)
    assert (status["name"], status["initial_cash"], status["mode"]) == ("sent", 200_000.0, "paper")
    assert [one["name"] for one in await got(jp_fetch, "deployments")] == ["dip", "sent"]
    named = {one["name"]: one for one in await got(jp_fetch, "strategies")}
    assert named["sent"]["toml"] == wanted["strategy"] and named["sent"]["deployments"] == ["sent"]
    code, body = await failed(jp_fetch(*API, "deployments", method="POST", body=json.dumps(wanted)))
    assert code == 409 and "already" in body["message"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strategy": "name = 1"}, "strategy"),
        ({"strategy": "name = "}, "not valid TOML"),
        ({"bars": ["nowhere.parquet"]}, "nowhere.parquet"),
        ({"costs": "zeroda"}, "Did you mean 'zerodha'?"),
        ({"start": "soon"}, "neither a date nor an instant"),
        ({"start": "at once"}, "Confirm that"),
        ({"mode": "live"}, "mode: "),
        ({"cash": "much"}, "cash: "),
    ],
)
async def test_what_cannot_be_deployed_is_422_and_said(
    jp_fetch: Fetch, wanted: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    code, body = await failed(jp_fetch(*API, "deployments", method="POST", body=json.dumps({**wanted, **changes})))
    assert code == 422 and said in body["message"]
    assert len(await got(jp_fetch, "deployments")) == 1


async def test_a_calendar_says_what_it_knows(jp_fetch: Fetch) -> None:
    found = await got(jp_fetch, "calendar", "NSE")
    assert found["name"] == "NSE" and isinstance(found["unknown"], list)
    code, body = await failed(jp_fetch(*API, "calendar", "NYSEE"))
    assert code == 404 and "NYSEE" in body["message"]


async def test_the_doctor_and_the_overview_are_read(jp_fetch: Fetch) -> None:
    found = await got(jp_fetch, "doctor")
    assert {"database", "runner", "versions"} <= {one["what"] for one in found["findings"]} and found["lines"] == []
    seen = await got(jp_fetch, "overview")
    assert [one["name"] for one in seen["deployments"]] == ["dip"] and seen["health"]["deployments"] == 1


async def test_closing_everything_needs_the_word(jp_fetch: Fetch) -> None:
    for confirm in ("", "flatten"):
        body = json.dumps({"why": "odd", "flatten": True, "confirm": confirm})
        code, answer = await failed(jp_fetch(*API, "kill", method="POST", body=body))
        assert code == 422 and [one["field"] for one in answer["fields"]] == ["confirm"]
    assert (await got(jp_fetch, "health"))["kills"] == []
    reply = await sent(jp_fetch, "kill", body={"why": "odd", "flatten": True, "confirm": "FLATTEN"})
    assert reply["is_done"] and "Nothing holds a position." in reply["text"]


def test_a_course_is_thinned_without_losing_its_worst_moments() -> None:
    equity = pd.Series([100.0, 101, 90, 102, 103, 80, 104, 105, 106, 107] * 100)
    frame = pd.DataFrame({"equity": equity, "drawdown_frac": equity / equity.cummax() - 1.0})
    found = _thinned(frame, 100)
    assert 50 <= len(found) <= 100 and found.index.is_monotonic_increasing
    assert found["drawdown_frac"].min() == frame["drawdown_frac"].min() and found.index[-1] == 999
    assert _thinned(frame, 1000) is frame
