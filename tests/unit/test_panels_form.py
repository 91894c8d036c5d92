"""The form that deploys: it shows the dry run, asks what must be said, and says what came of it."""

from __future__ import annotations

import html
import pathlib
import re

import pandas as pd
import pytest

import workbench as wb
from tests.operated import CASH, COSTS, Operated, folder, strategy
from tests.page import Page
from tests.unit.test_live_beside import shorts
from workbench.errors import ConfigError
from workbench.panels import lines
from workbench.panels.form import DeployForm
from workbench.research.backtest import backtest

__all__ = ["folder"]

EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script>"


@pytest.fixture
def desk(folder: pathlib.Path) -> Operated:
    """A database, at the end of a week of bars."""
    operated = Operated(folder)
    operated.clock.wait_until(int(operated.data["NSE:AAA"].grid.close_ns[-1]))
    return operated


def form_of(desk: Operated, made: wb.Strategy | None = None, **more: object) -> DeployForm:
    return wb.panels.deploy(made or strategy(), desk.data, COSTS, CASH, client=desk.client, **more)  # type: ignore[arg-type]


def shown(form: DeployForm) -> str:
    """Everything that the form says, as text."""
    parts = (form.head.value, form.facts.value, form.risk.value, form.said.value)
    return html.unescape(re.sub(r"<[^>]+>", " ", " ".join(parts)))


def names(desk: Operated) -> list[str]:
    return list(desk.client.deployments()["name"])


# --- what it shows ----------------------------------------------------------------------------------------------------


def test_it_shows_the_dry_run(desk: Operated) -> None:
    text = shown(form_of(desk))
    found = desk.client.preview(strategy(), desk.data, COSTS, CASH)
    assert found["last_bar"]["text"] in text and found["warm_up"]["text"] in text
    (values,) = found["last_bar"]["values"].values()
    assert f"(RSI(close, 5) = {values['RSI(close, 5)']:.6g})" in text
    assert "calendar NSE covers the next 10 sessions" in text
    assert "nothing else of yours holds NSE:AAA" in text
    assert "no runner is running" in text
    assert "0 of 1,000,000 orders per day" in text
    assert "next evaluations 2023-01-12 09:30, 09:45, 10:00" in text
    assert "PAPER" in text and "1.0.0" in text and "days ago" not in text
    assert names(desk) == [], "looking deploys nothing"


def test_it_starts_from_the_result_of_a_backtest(desk: Operated) -> None:
    result = backtest(strategy(), desk.data, 250_000.0, COSTS)
    form = wb.panels.deploy(result, client=desk.client)
    assert form.cash.value == 250_000.0 and form.called.value == "dip"
    form.button.click()
    status = desk.client.status("dip")
    assert status["initial_cash"] == 250_000.0 and form.deployment_id == status["id"]


def test_a_strategy_without_bars_is_refused_before_there_is_a_form(desk: Operated) -> None:
    with pytest.raises(ConfigError, match="no bars for dip"):
        wb.panels.deploy(strategy(), client=desk.client)
    with pytest.raises(ConfigError, match=r"type str; a wb\.Strategy is asked"):
        wb.panels.deploy("dip", desk.data, client=desk.client)  # type: ignore[arg-type]


def test_an_old_history_and_a_runner_are_told(desk: Operated) -> None:
    desk.clock.wait_until(desk.clock.now_ns() + 30 * 86_400 * 10**9)
    desk.start()
    text = shown(form_of(desk))
    assert "the history ends 30 days ago" in text
    assert "runner: test" in text


def test_days_that_no_calendar_covers_are_told(desk: Operated) -> None:
    found = desk.client.preview(strategy(), desk.data, COSTS, CASH)
    day = pd.Timestamp("2023-01-13").date()
    unknown = {"name": "NSE", "sessions": 10, "unknown": [day], "is_known": True}
    assert "does not cover 2023-01-13" in lines.facts({**found, "calendar": unknown})
    none = {"name": "NSE", "sessions": 0, "unknown": [], "is_known": True}
    assert "knows no session to come" in lines.facts({**found, "calendar": none})


# --- what is changed in it --------------------------------------------------------------------------------------------


def test_name_and_capital_can_be_changed_and_the_dry_run_follows(desk: Operated) -> None:
    desk.deploy()
    form = form_of(desk)
    assert form.button.disabled and "called 'dip' already" in shown(form)
    form.called.value = " second "
    assert not form.button.disabled and "already" not in shown(form)
    form.cash.value = 50_000.0
    form.button.click()
    assert names(desk) == ["dip", "second"] and desk.client.status("second")["initial_cash"] == 50_000.0


def test_what_is_wrong_is_said_and_nothing_is_lost(desk: Operated) -> None:
    form = form_of(desk)
    form.called.value, form.cash.value = "mine", -5.0
    assert "initial_cash is -5.0; it is money above zero" in shown(form)
    assert form.button.disabled
    assert (form.called.value, form.cash.value) == ("mine", -5.0)
    form.cash.value = 5_000.0
    assert not form.button.disabled and "above zero" not in shown(form)


def test_a_strategy_that_does_not_fit_its_bars_is_said_in_the_form(desk: Operated) -> None:
    form = form_of(desk, strategy().replace(timeframe="7m"))
    assert form.button.disabled and "which cannot be built from 5m bars" in shown(form)
    form = form_of(desk, shorts(daily_loss_limit_frac=None))
    assert form.button.disabled and "without a daily loss limit" in shown(form)


def test_what_is_refused_at_the_last_moment_is_said_and_can_be_mended(desk: Operated) -> None:
    form = form_of(desk)
    desk.deploy()  # somebody was quicker
    form.button.click()
    assert "called 'dip' already" in shown(form) and form.deployment_id == ""
    assert not form.called.disabled and form.button in form.children
    form.called.value = "other"
    form.button.click()
    assert names(desk) == ["dip", "other"]


# --- what must be said ------------------------------------------------------------------------------------------------


def test_X5_a_short_has_its_paragraph_and_its_tick(desk: Operated) -> None:
    form = form_of(desk, shorts())
    assert "a short loses without bound" in shown(form) and "daily loss limit is 5 %" in shown(form)
    assert form.short in form.children and form.button.disabled
    form.short.value = True
    assert not form.button.disabled
    form.button.click()
    assert names(desk) == ["fade"]
    long = form_of(desk)
    assert long.short not in long.children and long.risk.value == ""


def test_X5_to_enter_at_once_is_asked_again(desk: Operated) -> None:
    form = form_of(desk)
    form.at_once.value = True
    assert "Begins at once, with that bar" in shown(form)
    form.button.click()
    assert names(desk) == [] and form.again in form.children and form.button not in form.children
    form.no.click()
    assert form.again not in form.children and form.button in form.children
    form.button.click()
    form.yes.click()
    assert names(desk) == ["dip"]
    with desk.store.read() as connection:
        settings = connection.exec_driver_sql("SELECT settings FROM deployments").scalar_one()
    assert "at_once" in settings


def test_a_start_at_once_is_ticked_and_can_be_taken_back(desk: Operated) -> None:
    form = form_of(desk, start="at once")
    assert form.at_once.value
    form.at_once.value = False
    assert "Begins with the first bar from" in shown(form)
    form.button.click()
    assert names(desk) == ["dip"]


# --- what came of it --------------------------------------------------------------------------------------------------


def test_after_deploying_it_says_where_the_deployment_stands(desk: Operated) -> None:
    form = form_of(desk)
    form.button.click()
    text = shown(form)
    assert "Deployed as dip. It runs in the runner, not in this kernel." in text
    assert "not evaluated yet: no runner is running" in text and "Next evaluations (UTC) 2023-01-12 04:00" in text
    assert form.button not in form.children
    assert all(field.disabled for field in form.fields)
    assert form.deployment_id == desk.client.status("dip")["id"]


def test_text_of_a_strategy_is_text(desk: Operated) -> None:
    form = form_of(desk, name=EVIL)
    form.button.click()
    assert f"Deployed as {EVIL}." in shown(form)
    for part in (form.head, form.facts, form.said):
        assert "<script" not in part.value and "<img" not in part.value
        assert Page(part.value).scripts == []


def test_without_a_client_it_is_the_database_of_the_command_line(
    desk: Operated, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_DATABASE", str(folder / "w.db"))
    form = wb.panels.deploy(strategy(), desk.data, COSTS, CASH, name="found")
    form.button.click()
    assert names(desk) == ["found"]


def test_a_database_that_cannot_be_read_is_said_in_the_form(
    desk: Operated, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "no.db").write_bytes(b"no database at all" * 100)
    monkeypatch.setenv("WORKBENCH_DATABASE", str(folder / "no.db"))
    form = wb.panels.deploy(strategy(), desk.data, COSTS, CASH)
    assert form.button.disabled and "no.db" in shown(form)
    monkeypatch.setenv("WORKBENCH_DATABASE", str(folder / "w.db"))
    form.called.value = "again"
    form.button.click()
    assert names(desk) == ["again"]
