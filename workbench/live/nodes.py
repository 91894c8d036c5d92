"""What each node of a program is, in words, so that its value can be explained: ``RSI(close, 6) < 35``.

The words are those of the language where it has them; an indicator that is made of several primitives is shown as what
it is made of. A node whose words would be long names its children by their numbers, the first being ``#1``.
"""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.expressions.program import Program
from workbench.indicators.ops import Op
from workbench.schema import Leaf

#: Letters of the words of a child; a longer one is named by its number.
_MOST: Final = 60

_BETWEEN: Final = {
    Op.ADD: "+", Op.SUB: "-", Op.MUL: "*", Op.DIV: "/", Op.DIFFERENCE: "-", Op.AND: "AND", Op.OR: "OR", Op.GT: ">",
    Op.GE: ">=", Op.LT: "<", Op.LE: "<=", Op.EQ: "==", Op.NE: "!=", Op.CROSS_ABOVE: "CROSSES_ABOVE",
    Op.CROSS_BELOW: "CROSSES_BELOW", Op.MOVING_UP: "MOVING_UP", Op.MOVING_DOWN: "MOVING_DOWN",
}  # fmt: skip
_BEFORE: Final = {Op.NEG: "-", Op.NOT: "NOT "}
#: Primitives that show one constant after their children: the length of a window, or a factor.
_WITH_CONSTANT: Final = frozenset(
    {
        Op.LAG, Op.SUM, Op.SMA, Op.WMA, Op.EMA, Op.RMA, Op.HIGHEST, Op.LOWEST, Op.COUNT, Op.VAR, Op.STDDEV,
        Op.STDDEV_SAMPLE, Op.SUPERTREND, Op.SUPERTREND_DIR, Op.RSI, Op.CCI, Op.PLUS_DI, Op.MINUS_DI, Op.ADX, Op.BAND,
    }
)  # fmt: skip


def described(program: Program) -> list[str]:
    """What each node is, in the order of the nodes.

    Returns
    -------
    list of str
        As long as the program; the value of node ``k`` in a journal is that of the text ``k``.
    """
    texts: list[str] = []
    for number, node in enumerate(program.nodes):
        children = [int(one) for one in node["args"] if one >= 0]
        texts.append(_words(node, [_child(texts, one, number) for one in children], program))
    return texts


def _child(texts: list[str], child: int, parent: int) -> str:
    """A child's words; a child that stands after its parent has none yet."""
    known = texts[child] if child < parent else ""
    return known if 0 < len(known) <= _MOST else f"#{child + 1}"


def _words(node: Any, children: list[str], program: Program) -> str:
    op = Op(int(node["op"]))
    if op is Op.CONST:
        return _number(float(node["p"][0]))
    if op is Op.LEAF:
        return Leaf(int(node["p"][0])).name.lower()
    if op is Op.ALIGN:
        source = program.timeframes[int(program.nodes["tf"][int(node["args"][0])])]
        return f"{children[0]} of {source}"
    if op in _BETWEEN:
        return f" {_BETWEEN[op]} ".join(map(_grouped, children))
    if op in _BEFORE:
        return f"{_BEFORE[op]}{_grouped(children[0])}"
    constant = [_number(float(node["p"][0]))] if op in _WITH_CONSTANT else []
    return f"{op.name}({', '.join([*children, *constant])})"


def _grouped(text: str) -> str:
    """In parentheses when it is more than one word or call."""
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == " " and depth == 0:
            return f"({text})"
    return text


def _number(value: float) -> str:
    return f"{value:.10g}" if math.isfinite(value) else "missing"
