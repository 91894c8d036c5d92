"""The language reference, ``docs/expressions.md``: prose from a template, tables from the registry of functions.

Run as ``python -m workbench.research.reference > docs/expressions.md``. A test compares the page with what this makes,
so that a function cannot change without its description.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from workbench.expressions.builder import DEPTH_LIMIT, NODE_LIMIT
from workbench.expressions.calls import LOOKBACK_LIMIT
from workbench.expressions.check import TIMEFRAME_LIMIT
from workbench.expressions.source import SOURCE_LIMIT
from workbench.expressions.tokens import TOKEN_LIMIT
from workbench.indicators import registry
from workbench.indicators.signature import Function, Overload

#: Where our values are not TA-Lib's, by name; each is held by a test of the indicators against TA-Lib.
EXCEPTIONS: Final = {
    "RSI": "no change at all: 50, there 0",
    "MACD": "MACD seeds the fast average where the slow one begins",
    "MACD_SIGNAL": "see MACD",
    "MACD_HIST": "see MACD",
    "STOCH_K": "there %K is withheld until %D exists",
    "PLUS_DI": "length 1 is a percentage too",
    "MINUS_DI": "length 1 is a percentage too",
    "CCI": "a window flat but for rounding: 0",
    "MFI": "typical prices equal but for rounding: no flow",
}


def expression_reference() -> str:
    """Text of ``docs/expressions.md``, Markdown."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Markdown, not HTML: nothing is escaped but the bars of tables.
    environment = Environment(
        loader=PackageLoader("workbench", "templates"),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    limits = {
        "nodes": NODE_LIMIT,
        "depth": DEPTH_LIMIT,
        "timeframes": TIMEFRAME_LIMIT,
        "lookback": LOOKBACK_LIMIT,
        "tokens": TOKEN_LIMIT,
        "characters": SOURCE_LIMIT,
    }
    return environment.get_template("expressions.md.j2").render(
        limits={name: f"{limit:,}" for name, limit in limits.items()},
        series=[{"name": one.name, "doc": _cell(one.doc), "also": _codes(one.aliases)} for one in registry.SERIES],
        groups=[{"name": name, "functions": members} for name, members in _groups().items()],
    )


def _groups() -> dict[str, list[dict[str, str]]]:
    """Rows of the tables of functions, by group, in the order of the registry."""
    groups: dict[str, list[dict[str, str]]] = {}
    for function in registry.FUNCTIONS:
        also = f" Also {_codes(function.aliases)}." if function.aliases else ""
        ways = function.overloads
        formulas = "; ".join(_labelled(function, way) for way in ways)
        row = {
            "calls": " ".join(f"`{_call(function, way)}`" for way in ways),
            "meaning": f"{_cell(function.doc)}{also}<br>{_cell(formulas)}",
            "first": "; ".join(way.first_text for way in ways),
            "talib": _talib(function),
        }
        groups.setdefault(function.group, []).append(row)
    return groups


def _labelled(function: Function, way: Overload) -> str:
    """A formula, with the call it belongs to where there are several."""
    return way.formula if len(function.overloads) == 1 else f"{_call(function, way)}: {way.formula}"


def _call(function: Function, way: Overload) -> str:
    shown = [f"[{one.name}]" if one.may_be_left_out else one.name for one in way.arguments]
    return f"{function.name}({', '.join(shown)})"


def _talib(function: Function) -> str:
    return "; ".join(part for part in (function.talib, EXCEPTIONS.get(function.name, "")) if part)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    """Text inside a cell of a table."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(expression_reference())
