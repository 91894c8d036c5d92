"""The kill switch: a file that stops whom it names, and everybody when nobody can read it."""

from __future__ import annotations

import errno
import os
import pathlib
import threading
from collections.abc import Callable

import filelock
import pytest

from workbench.errors import ConfigError, HaltError, RetryableError
from workbench.journal.store import Store
from workbench.live import killswitch
from workbench.live.killswitch import Kill, KillSwitch, down_words
from workbench.live.places import places_of, places_of_url

ALL = Kill("local", "", "asha", "fat finger", 5)
ONE = Kill("local", "dip", "asha", "bad bars", 7)


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Where the flag would be."""
    return tmp_path / "w.db.KILLED"


def test_it_stops_whom_it_names(path: pathlib.Path) -> None:
    switch = KillSwitch(path)
    assert not switch.down() and not switch.down("local", "dip")
    assert switch.kill(ONE) == ONE
    assert switch.down() and switch.down("local", "dip")
    assert not switch.down("local", "other") and not switch.down("ben", "dip")
    switch.kill(ALL)
    assert switch.down("local", "other") and not switch.down("ben", "dip")


def test_it_is_on_the_disk_for_every_other_process(path: pathlib.Path) -> None:
    KillSwitch(path).kill(ALL)
    again = KillSwitch(path)
    assert again.kills() == (ALL,)
    KillSwitch(path).kill(ONE)
    assert again.kills() == (ALL, ONE)
    KillSwitch(path).arm("local", "", 5)
    assert again.kills() == (ONE,)


def test_the_first_word_counts(path: pathlib.Path) -> None:
    switch = KillSwitch(path)
    switch.kill(ALL)
    assert switch.kill(ALL._replace(who="ben", when_ns=9)) == ALL
    assert switch.kills() == (ALL,)


def test_arming_lifts_what_was_killed_under_that_very_name_until_then(path: pathlib.Path) -> None:
    switch = KillSwitch(path)
    switch.kill(ALL)
    switch.kill(ONE)
    assert switch.arm("local", "", 4) == ()
    assert switch.arm("ben", "", 100) == ()
    assert switch.arm("local", "", 5) == (ALL,)
    assert switch.kills() == (ONE,)
    assert switch.arm("local", "dip", 7) == (ONE,)
    assert not path.exists() and not switch.down()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kills": []}', '{"kills": [{"owner": "x"}]}', "\x00\xff"])
def test_what_nobody_can_read_stops_everybody(path: pathlib.Path, text: str) -> None:
    path.write_text(text)
    switch = KillSwitch(path)
    assert switch.down("anybody", "anything")
    switch.kill(ALL)
    assert switch.down("anybody", "anything"), "a kill of one owner lifted that of everybody"
    assert switch.arm("local", "", 100) == (ALL,)
    assert switch.down("anybody", "anything")


def test_a_flag_that_cannot_be_looked_at_stops_everybody(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(killswitch, "stamp_of", refused)
    assert KillSwitch(path).down("anybody", "anything")


def test_a_kill_does_not_wait_for_a_writer_that_stands_still(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(killswitch, "_TURN_S", 0.01)
    switch = KillSwitch(path)
    with filelock.FileLock(f"{path}.lock"):
        switch.kill(ALL)
        assert switch.down("local", "dip")
        with pytest.raises(RetryableError, match="in the hands of somebody else"):
            switch.arm("local", "", 100)
    assert switch.arm("local", "", 100) == (ALL,)


def test_a_kill_that_cannot_be_written_says_so(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killswitch, "write_atomically", refusing(errno.EROFS))
    with pytest.raises(HaltError, match="Read-only file system"):
        KillSwitch(path).kill(ALL)


def refusing(number: int) -> Callable[[object, bytes], None]:
    """A disk that refuses every content for one reason."""

    def refuse(_path: object, _content: bytes) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("before", [None, ONE])
def test_a_kill_without_room_on_the_disk_is_an_empty_file_that_stops_everybody(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, before: Kill | None
) -> None:
    switch = KillSwitch(path)
    if before is not None:
        switch.kill(before)
    monkeypatch.setattr(killswitch, "write_atomically", refusing(errno.ENOSPC))
    kill = switch.kill(ALL)
    assert path.read_bytes() == b"" and switch.down("anybody", "anything")
    assert kill.words().startswith("everything of everybody")
    monkeypatch.setattr(killswitch.Path, "open", lambda *_: (_ for _ in ()).throw(OSError(errno.EROFS, "no")))
    with pytest.raises(HaltError, match="No space left on device"):
        switch.kill(ONE)


def test_a_kill_waits_until_what_is_being_sent_is_sent(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killswitch, "_TURN_S", 30.0)
    sender, killer = KillSwitch(path), KillSwitch(path)
    told: list[str] = []

    def kill() -> None:
        killer.kill(ALL)
        told.append("down")
        assert killer.settled()
        told.append("settled")

    with sender.sending() as may_open:
        assert may_open and not sender.down()
        thread = threading.Thread(target=kill)
        thread.start()
        while told != ["down"]:
            thread.join(0.001)
        told.append("sent")
    thread.join()
    assert told == ["down", "sent", "settled"]
    with sender.sending() as may_open:
        assert may_open and sender.down("local", "dip")


def test_a_kill_does_not_wait_for_ever_for_a_runner_that_stands_in_the_middle_of_sending(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(killswitch, "_TURN_S", 0.01)
    switch = KillSwitch(path)
    with KillSwitch(path).sending():
        switch.kill(ALL)
        assert not switch.settled()
        assert down_words(ALL, False).endswith("an entry may still arrive.")
        with switch.sending() as may_open:
            assert not may_open
    assert switch.settled()
    assert "arrive" not in down_words(ALL, True)


def test_where_no_lock_can_be_made_no_entry_is_sent_and_a_kill_does_not_promise(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    switch = KillSwitch(tmp_path / "file" / "w.db.KILLED")
    assert not switch.settled()
    with pytest.raises(HaltError, match=r"KILLED\.sending cannot be made"), switch.sending():
        raise AssertionError("it may not be held")


def test_its_place_is_known_without_opening_the_database(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("a.db", str(tmp_path / "b" / ".." / "c.db"), f"sqlite:///{tmp_path}/d.db", ":memory:"):
        with Store.open(url) as store:
            assert places_of(store) == places_of_url(url)
    assert places_of_url("a.db").flag == pathlib.Path(os.path.realpath(tmp_path)) / "a.db.KILLED"
    with pytest.raises(ConfigError, match="cannot be read"):
        places_of_url("post gres://:secret@x:y/z")


def test_its_place_for_a_server_is_the_home_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    assert places_of_url("postgresql://me:secret@host:5432/trading").flag == tmp_path / "trading.KILLED"
