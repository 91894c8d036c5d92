"""What a person sees and does in the sidebar and the status bar."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from tests.browser.lab import Lab
from tests.browser.screen import Screen
from workbench.live.client import Client

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def statuses(lab: Lab) -> dict[str, str]:
    with Client.open(lab.database) as client:
        rows = client.deployments()
    return dict(zip(rows["name"], rows["status"], strict=True))


def newest(lab: Lab, name: str, kind: str) -> dict[str, Any]:
    """What the newest row of a kind says."""
    with Client.open(lab.database) as client:
        found: dict[str, Any] = client.journal(name, kind, limit=1)["body"].iloc[0]
    return found


def holding(screen: Screen, name: str) -> None:
    """Wait until a deployment holds a position."""
    screen.page.locator(f".wb-row[data-name='{name}']:has-text('24x7:SAMPLE')").wait_for(timeout=120_000)


def test_the_sidebar_fills(screen: Screen) -> None:
    screen.runs(2)
    assert screen.names() == ["dip", "second"]
    text = screen.row("dip").inner_text()
    assert "● RUNNING" in text and "PAPER" in text and "1.0.0" in text
    assert "2 of 2 deployments · last updated" in screen.page.locator(".wb-panel .wb-foot").inner_text()
    screen.shot("sidebar")


def test_the_status_bar_says_who_runs_and_when_the_next_bar_closes(screen: Screen) -> None:
    text = screen.page.locator(".wb-status-text")
    screen.says(".wb-status-text", "● Workbench  2 running · ")
    screen.says(".wb-status-text", " · next bar ")
    # What is read aloud does not count seconds.
    assert screen.page.locator(".wb-status [role=status]").text_content().startswith("Workbench: 2 running")
    assert "(" not in screen.page.locator(".wb-status [role=status]").text_content()
    screen.page.locator("[data-id='workbench-sidebar']").click()
    screen.page.locator("#workbench-sidebar").wait_for(state="hidden")
    text.click()
    screen.page.locator("#workbench-sidebar").wait_for(state="visible")


def test_filter_and_sort(screen: Screen) -> None:
    panel = screen.page.locator(".wb-panel")
    panel.get_by_label("Filter deployments").fill("sec")
    assert screen.names() == ["second"]
    assert "1 of 2 deployments" in panel.locator(".wb-foot").inner_text()
    panel.get_by_label("Filter deployments").fill("")
    panel.get_by_label("State").select_option("stopped")
    assert screen.names() == []
    panel.get_by_label("State").select_option("running")
    assert screen.names() == ["dip", "second"]
    panel.get_by_label("State").select_option("")
    panel.get_by_label("Mode").select_option("live")
    assert screen.names() == []
    panel.get_by_label("Mode").select_option("")


def test_pause_says_what_it_keeps_and_really_pauses(screen: Screen, lab: Lab) -> None:
    screen.row("dip").get_by_role("button", name="Pause dip").click()
    assert "No evaluation and no new order until you resume." in screen.dialog().inner_text()
    assert "never open a position" in screen.dialog().inner_text()
    screen.shot("pause")
    screen.accept("Pause", "lunch")
    screen.row("dip").get_by_role("button", name="Resume dip").wait_for()
    assert statuses(lab) == {"dip": "PAUSED", "second": "RUNNING"}
    assert newest(lab, "dip", "PAUSED")["why"] == "lunch"
    screen.says(".wb-row[data-name='dip']", "paused by")
    assert "▲ PAUSED" in screen.row("dip").inner_text()
    panel = screen.page.locator(".wb-panel")
    panel.get_by_label("Sort by").select_option("state")
    panel.get_by_label("State").select_option("paused")
    assert screen.names() == ["dip"]
    panel.get_by_label("State").select_option("")
    panel.get_by_label("Sort by").select_option("name")
    screen.shot("paused")


def test_resume_says_what_has_happened_since(screen: Screen, lab: Lab) -> None:
    screen.row("dip").get_by_role("button", name="Resume dip").click()
    assert "Since it was paused: " in screen.dialog().inner_text()
    screen.accept("Resume")
    screen.row("dip").get_by_role("button", name="Pause dip").wait_for()
    assert statuses(lab)["dip"] == "RUNNING"


def test_a_dialog_that_is_dismissed_changes_nothing(screen: Screen, lab: Lab) -> None:
    with Client.open(lab.database) as client:
        before = client.journal("dip", "PAUSED").shape
    screen.row("dip").get_by_role("button", name="Pause dip").click()
    screen.accept("Cancel")
    screen.row("dip").get_by_role("button", name="Stop dip").click()
    screen.dialog()
    screen.page.keyboard.press("Escape")
    screen.page.locator(".jp-Dialog").wait_for(state="detached")
    with Client.open(lab.database) as client:
        assert client.journal("dip", "PAUSED").shape == before
    assert statuses(lab)["dip"] == "RUNNING"


def test_stop_asks_what_becomes_of_the_position(screen: Screen, lab: Lab) -> None:
    holding(screen, "second")
    screen.row("second").get_by_role("button", name="Stop second").click()
    dialog = screen.dialog()
    assert "What becomes of the position?" in dialog.inner_text() and "stop " in dialog.inner_text()
    screen.shot("stop")
    dialog.get_by_role("button", name="Stop", exact=True).click()  # without a choice
    dialog.get_by_role("alert").filter(has_text="Choose what becomes of the position.").wait_for()
    dialog.get_by_label("Flatten first").check()
    screen.accept("Stop", "enough")
    screen.row("second").get_by_role("button", name="Resume second").wait_for()
    assert statuses(lab)["second"] == "PAUSED"
    assert newest(lab, "second", "FLATTEN_REQUESTED")["why"] == "enough"
    screen.row("second").get_by_role("button", name="Resume second").click()
    screen.accept("Resume")
    screen.row("second").get_by_role("button", name="Pause second").wait_for()


def test_flatten_names_the_orders_it_will_send(screen: Screen, lab: Lab) -> None:
    holding(screen, "dip")
    screen.row("dip").get_by_role("button", name="Flatten dip").click()
    assert "Closed at the next open: SELL " in screen.dialog().inner_text()
    screen.accept("Cancel")
    assert statuses(lab)["dip"] == "RUNNING"


def test_exposure_folds_out(screen: Screen) -> None:
    holding(screen, "dip")
    screen.says(".wb-exposure summary", "24x7:SAMPLE")
    screen.page.locator(".wb-panel .wb-exposure summary").click()
    table = screen.page.locator(".wb-panel .wb-exposure table")
    assert "24x7:SAMPLE" in table.inner_text() and "dip" in table.inner_text()
    screen.shot("exposure")
    screen.page.locator(".wb-panel .wb-exposure summary").click()


def test_everything_works_with_the_keyboard_alone(screen: Screen, lab: Lab) -> None:
    keyboard = screen.page.keyboard
    screen.page.get_by_label("Filter deployments").focus()
    seen = []
    for _ in range(7):  # three selects, the name of the first row, and its buttons
        keyboard.press("Tab")
        seen.append(screen.page.evaluate("(document.activeElement.ariaLabel || document.activeElement.textContent)"))
    assert seen == ["Mode", "State", "Sort by", "dip", "Pause dip", "Flatten dip", "Stop dip"]
    width = screen.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "2px", "what has the focus can be seen"
    keyboard.press("Shift+Tab")
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    screen.dialog()
    keyboard.type("by keyboard")
    keyboard.press("Enter")
    screen.page.locator(".jp-Dialog").wait_for(state="detached")
    screen.row("dip").get_by_role("button", name="Resume dip").wait_for()
    assert newest(lab, "dip", "PAUSED")["why"] == "by keyboard"
    # The row was drawn anew; the focus is where it was.
    screen.page.wait_for_function("document.activeElement.getAttribute('aria-label') === 'Resume dip'")
    keyboard.press("Enter")
    screen.dialog()
    keyboard.press("Enter")
    screen.row("dip").get_by_role("button", name="Pause dip").wait_for()
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    screen.page.locator(".wb-detail").get_by_role("tab", name="Summary").focus()
    keyboard.press("ArrowRight")
    assert screen.page.evaluate("document.activeElement.textContent") == "Equity"
    keyboard.press("End")
    assert screen.page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert screen.page.evaluate("document.activeElement.textContent") == "Diagnostics"


def test_a_runner_that_dies_is_shown_within_two_seconds_and_heals(screen: Screen, lab: Lab) -> None:
    with Client.open(lab.database) as client:
        pid = int(client.health()["runner"].split(" pid ")[1].split(" ")[0])
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    screen.says(".wb-status-text", "■ Workbench  runner stopped", timeout=4_000)
    shown_s = time.monotonic() - began
    print(f"a dead runner is shown after {shown_s:.2f} s")
    assert shown_s < 2.0
    screen.says(".wb-list", "NOT EVALUATED")
    assert "RUNNING" not in screen.page.locator(".wb-panel .wb-list").last.inner_text()
    screen.shot("runner-dead")
    screen.says(".wb-status-text", "● Workbench", timeout=120_000)
    with Client.open(lab.database) as client:
        assert f" pid {pid} " not in client.health()["runner"], "the lease of the dead one is nobody's health"


def test_the_kill_switch_needs_its_confirmation_and_a_reason(screen: Screen, lab: Lab) -> None:
    kill = screen.page.get_by_role("button", name="Kill switch")
    kill.click()
    said = "for 2 deployments? Protective orders and forced flattening stay. Positions are not closed."
    assert said in screen.dialog().inner_text()
    screen.shot("kill")
    screen.dialog().get_by_role("button", name="Kill", exact=True).click()  # without a reason
    screen.dialog().get_by_role("alert").filter(has_text="Say why").wait_for()
    with Client.open(lab.database) as client:
        assert client.health()["kills"] == []
    screen.accept("Kill", "fat finger")
    screen.says(".wb-status-text", "killed")
    screen.says(".wb-row[data-name='second']", "fat finger")
    assert "■ NOT EVALUATED" in screen.row("second").inner_text(), "nothing says RUNNING that is not evaluated"
    screen.shot("killed")
    screen.page.evaluate("() => { jupyterapp.commands.execute('workbench:arm') }")
    screen.accept("Arm", "looked at")
    screen.says(".wb-status-text", "● Workbench")
    with Client.open(lab.database) as client:
        assert client.health()["kills"] == []


def test_kill_and_flatten_needs_the_typed_word(screen: Screen, lab: Lab) -> None:
    holding(screen, "dip")
    screen.page.get_by_role("button", name="Kill switch").click()
    screen.dialog().get_by_label("Why?").fill("the end of the world")
    screen.dialog().get_by_role("button", name="Kill and flatten all…").click()
    dialog = screen.dialog().filter(has_text="every position is closed at the next open")
    dialog.wait_for()
    dialog.get_by_label("Type FLATTEN").fill("flatten")  # not the word
    dialog.get_by_role("button", name="Kill and flatten all").click()
    dialog.get_by_role("alert").filter(has_text="Nothing is done until you type FLATTEN.").wait_for()
    with Client.open(lab.database) as client:
        assert client.health()["kills"] == [] and len(client.journal("dip", "FLATTEN_REQUESTED")) == 0
    dialog.get_by_label("Type FLATTEN").fill("FLATTEN")
    screen.shot("kill-and-flatten")
    dialog.get_by_role("button", name="Kill and flatten all").click()
    dialog.wait_for(state="detached")
    screen.says(".wb-status-text", "killed")
    screen.says(".wb-row[data-name='dip']", "■ PAUSED")  # the switch is down first, then everything is flattened
    with Client.open(lab.database) as client:
        assert len(client.health()["kills"]) == 1 and len(client.journal("dip", "FLATTEN_REQUESTED")) == 1
        client.arm("test")
