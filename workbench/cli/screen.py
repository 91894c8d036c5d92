"""How the command line shows things: text, tables, progress.

Results go to standard output, everything else to standard error. Text that came from a user or a file is shown letter
for letter: no markup is read in it, and what is not printable (an escape sequence in a CSV, say) is spelt out.
Off a terminal there are no colours, no progress, and lines are as long as they are.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

#: Columns of a table that is read by another program.
OFF_TERMINAL_WIDTH = 400

#: Columns that a long text is given at least.
BROKEN_WIDTH = 24


def results() -> Console:
    """Standard output."""
    return _console(stderr=False)


def errors() -> Console:
    """Standard error: failures, warnings, progress."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = OFF_TERMINAL_WIDTH
    return console


def printable(value: object) -> str:
    r"""Text in which only line breaks, spaces and printable letters are themselves; others are spelt, as ``\x1b``."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(one if _is_harmless(one) else one.encode("unicode_escape").decode() for one in text)


def _is_harmless(letter: str) -> bool:
    return letter.isprintable() or letter == "\n" or unicodedata.category(letter) == "Zs"


def plain(value: object, style: str = "") -> Text:
    """Text for the screen, letter for letter."""
    from rich.text import Text

    return Text(printable(value), style=style)


def say(value: object, style: str = "") -> None:
    """A line on standard output."""
    results().print(plain(value, style), soft_wrap=True)


def warn(value: object) -> None:
    """A remark on standard error."""
    errors().print(plain(value, "yellow"), soft_wrap=True)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Show a table on standard output.

    Parameters
    ----------
    title : str
        Above it; nothing when empty.
    columns : sequence of str
        Headings. Those of columns that stand on the right begin with ``>``, those of long texts, which may be broken
        into lines between words, with ``~``.
    rows : iterable of sequences
        Cells; None is an empty one, a ``Text`` keeps its style.
    """
    from rich import box
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    texts = [[cell if isinstance(cell, Text) else plain("" if cell is None else cell) for cell in row] for row in rows]
    table = Table(
        title=plain(title, "bold") if title else None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False
    )
    for at, name in enumerate(columns):
        justify: Literal["left", "right"] = "right" if name[:1] == ">" else "left"
        heading, breaks = plain(name.lstrip(">~")), name[:1] == "~"
        widest = max(text.cell_len for text in [heading, *(row[at] for row in texts)])
        least = min(widest, BROKEN_WIDTH) if breaks else widest
        table.add_column(heading, justify=justify, no_wrap=not breaks, min_width=least, overflow="fold")
    for row in texts:
        table.add_row(*row)
    console = results()
    # A table that is wider than the terminal is broken by the terminal: nothing in it may be cut off.
    needed = Measurement.get(console, console.options.update(max_width=OFF_TERMINAL_WIDTH), table).minimum
    console.width = max(console.width, needed)
    console.print(table)


@contextlib.contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[object], None]]:
    """A bar for long work on a terminal, nothing elsewhere or for a single piece.

    Parameters
    ----------
    total : int
        Pieces of work.
    what : str
        Before the bar.

    Yields
    ------
    callable
        To be called with a name when the work on a piece begins.
    """
    screen = errors()
    if not screen.is_terminal or total < 2:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as shown:
        task = shown.add_task(what, total=total)
        begun = 0

        def begin(name: object) -> None:
            nonlocal begun
            shown.update(task, completed=begun, description=f"{what} {printable(name)}")
            begun += 1

        yield begin


@contextlib.contextmanager
def busy(what: str) -> Iterator[None]:
    """A sign that one long piece of work is going on, on a terminal only."""
    screen = errors()
    if not screen.is_terminal:
        yield
        return
    with screen.status(plain(what)):
        yield
