"""What no file of the project says: unfinished work without a note, paths of one machine, hosts of one network."""

from __future__ import annotations

import re

import pytest

from tests.tidy.source import ROOT, listed, tracked

#: Put together from halves, so that this file does not contain them.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
MACHINE_PATH = re.compile(
    r"(?<![\w.<}/-])/(?:home|Users|root|opt|work|mnt|srv|private)/[\w.]+"
    r"|\b[A-Z]:\\\\?(?:Users|Windows)\b"
)
REGISTRY = re.compile(
    r"|".join(
        ("py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(?:org|com)", "arti" + "factory", "jf" + "rog")
    )
    + r"|--(?:extra-)?index-"
    + "url[ =]"
    + r"|find-"
    + "links *="
)
WORDS = {"unfinished work": UNFINISHED, "machine path": MACHINE_PATH, "registry host": REGISTRY}
TEXT = (
    ".py",
    ".md",
    ".toml",
    ".lock",
    ".cfg",
    ".ini",
    ".ipynb",
    ".j2",
    ".html",
    ".css",
    ".js",
    ".json",
    ".yaml",
    ".yml",
)
TEXT += (".lark", ".csv", ".txt", ".sh", ".service", "Makefile", ".ci/run", ".gitignore")


def said(path: str, text: str) -> list[str]:
    """Every line that says one of the words, with what it is."""
    return [
        f"{path}:{number}: {kind}: {found.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for kind, words in WORDS.items()
        if (found := words.search(line))
    ]


def test_no_file_says_what_belongs_to_one_machine_or_to_another_day() -> None:
    texts = [(path, (ROOT / path).read_text(encoding="utf-8")) for path in tracked() if path.endswith(TEXT)]
    complaints = [complaint for path, text in texts for complaint in said(path, text)]
    assert not complaints, listed(complaints)


def test_no_file_is_large() -> None:
    # Bars and reports are made, not kept: what is kept is read by people.
    large = [path for path in tracked() if (ROOT / path).stat().st_size > 400_000]
    assert not large, listed(large)


@pytest.mark.parametrize(
    "line",
    [
        "# TO" + "DO: later",
        "x = 1  # FIX" + "ME",
        "'/ho" + "me/someone/bars.csv'",
        "path = /Us" + "ers/someone",
        "/ro" + "ot/.cache",
        '"C:\\\\Us' + 'ers"',
        "https://py" + "pi.org/simple",
        "pip install --index-" + "url=x",
    ],
)
def test_a_forbidden_word_is_seen(line: str) -> None:
    assert said("a.md", line)


@pytest.mark.parametrize(
    "line",
    ["work/main", "<root>/opt", "notebooks/home.ipynb", "./work", "a XXXL shirt", "{root}/opt/x", "/usr/bin/env bash"],
)
def test_an_innocent_line_passes(line: str) -> None:
    assert not said("a.md", line)
