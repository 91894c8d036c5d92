"""At which bars the conditions of a program are true, as bits: no column of numbers for a condition nobody else reads.

A sweep has two or four conditions a set. What most of them come to is a comparison of columns that many sets share, so
the relation of two columns is found once and comparisons, crossings, AND and OR of a root are made of bytes. What is
true is what ``update`` says (rule E9): a condition is true where it is neither false nor missing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.expressions.evaluate import Evaluation, Node
from workbench.indicators.ops import Op
from workbench.indicators.relation import Bytes, mark, mark_both, mark_bytes, mark_true, relations

COMPARISONS = frozenset((Op.GT, Op.GE, Op.LT, Op.LE, Op.EQ, Op.NE, Op.CROSS_ABOVE, Op.CROSS_BELOW))

#: Conditions below this depth are left to the columns, which know no depth.
DEEPEST = 32


def mark_conditions(evaluation: Evaluation, number: int, bits: Mapping[str, int], marks: Bytes) -> int:
    """Set a bit for each condition where it is true; may be called once for each program.

    Parameters
    ----------
    evaluation : Evaluation
        Of some programs.
    number : int
        Which one.
    bits : mapping of str to int
        Of the roots that are conditions; one the program does not have is left out.
    marks : uint8[n strategy bars]
        Written to.

    Returns
    -------
    int
        The strategy bar from which on the program is warm (rule E7). Ask for other roots before.
    """
    marking = Marking(evaluation, marks)
    for root, bit in bits.items():
        node = evaluation.root(number, root)
        if node is not None:
            marking.mark(node, bit, marks, 0)
    return evaluation.warm_from(number)


class Marking:
    """The conditions of one program.

    Parameters
    ----------
    evaluation : Evaluation
        Whose columns are read.
    marks : uint8[n]
        For its length.
    """

    def __init__(self, evaluation: Evaluation, marks: Bytes) -> None:
        self.evaluation, self.n = evaluation, len(marks)
        self._relations: dict[tuple[int, int], Bytes] = {}

    def mark(self, node: Node, bit: int, marks: Bytes, depth: int) -> None:
        """Set ``bit`` where a condition is true, and be its reader no longer."""
        own = node.readers == 1 and not node.done and not node.is_call and depth < DEEPEST
        if own and node.op is Op.OR:
            for child in node.children:
                self.mark(child, bit, marks, depth + 1)
        elif own and node.op is Op.AND:
            scratch = np.zeros(self.n, np.uint8)
            for child, side in zip(node.children, (1, 2), strict=True):
                self.mark(child, side, scratch, depth + 1)
            mark_both(1, 2, scratch, bit, marks)
        elif own and node.op in COMPARISONS:
            mark(int(node.op), self._relation(node), bit, marks)
        else:
            if node.readers > 1 and node.op is not Op.CONST:
                mark_bytes(self.evaluation.truth(node), bit, marks)
            else:
                mark_true(self.evaluation.column(node), bit, marks)
            self.evaluation.release(node)
            return
        self.evaluation.passed(node)

    def _relation(self, node: Node) -> Bytes:
        """How the two children stand to each other at every bar, and be their reader no longer."""
        one, other = node.children
        found = self._relations.get((id(one), id(other)))
        if found is None:
            found = self._relations[id(one), id(other)] = np.empty(self.n, np.uint8)
            relations(self.evaluation.column(one), self.evaluation.column(other), found)
        for child in node.children:
            self.evaluation.release(child)
        return found
