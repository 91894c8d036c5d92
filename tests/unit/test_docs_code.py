"""Whatever the documentation says to type is typed here, and shows what the documentation says it shows."""

from __future__ import annotations

import pathlib
import re

import pytest

from tests.pages import ROOT, Block, Reader, agrees, blocks

PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")))
WITH_CODE = [name for name in PAGES if any(block.runs for block in blocks((ROOT / name).read_text(encoding="utf-8")))]


#: Pages that take longer than all the others: soak reads them.
SLOW = {"docs/promotion.md"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.soak] * (name in SLOW)) for name in WITH_CODE])
def test_what_a_page_says_to_type_shows_what_it_says(name: str, tmp_path: pathlib.Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks((ROOT / name).read_text(encoding="utf-8")):
        if not block.runs:
            continue
        shown = reader.run(block)
        wanted = block.text if block.language == "console" else block.shown or ""
        folder = tmp_path if block.language == "console" else None
        assert agrees(shown, wanted, folder), f"{name}, line {block.line} shows\n{shown}\nthe page says\n{wanted}"


def test_pages_with_code_are_found() -> None:
    assert {"README.md", "docs/expressions.md"} <= set(WITH_CODE)


@pytest.mark.parametrize("name", PAGES)
def test_blocks_have_a_language_that_is_known(name: str) -> None:
    known = {"python", "console", "toml", "csv", "expression", "text", "bash", "ebnf", "yaml", ""}
    strangers = [
        (block.line, block.language)
        for block in blocks((ROOT / name).read_text(encoding="utf-8"))
        if block.language not in known
    ]
    assert not strangers


def test_bash_blocks_name_only_make_targets() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    lines = [
        line
        for name in PAGES
        for block in blocks((ROOT / name).read_text(encoding="utf-8"))
        if block.language == "bash"
        for line in block.text.splitlines()
    ]
    assert lines
    for line in lines:
        command = re.fullmatch(r"make ([a-z]+)( \w+=\S.*)?( +#.*)?", line)
        assert command is not None, line
        assert command[1] in targets, line


def test_a_page_that_shows_something_else_is_seen(tmp_path: pathlib.Path) -> None:
    page = "```python\n1 + 1\n```\n\n```text\n3\n```\n"
    found: list[Block] = blocks(page)
    assert Reader(tmp_path).run(found[0]) == "2\n"
    assert found[0].shown == "3\n"
    assert not agrees("2\n", "3\n")
    assert agrees("a 1.5 b \n", "a ... b\n")
    assert agrees("in /long\n name", "in ...\n", pathlib.Path("/long name"))
