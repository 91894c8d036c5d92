"""Running the parse table that lark computes from the grammar.

lark reads ``grammar.lark``, finds its conflicts and computes the LALR(1) table. Its own loop over the table keeps books
for purposes that an expression does not have, and takes twice as long; this one is the textbook's: a stack of states
and a stack of values, one move for each terminal.

A move is a state to shift to, or a reduction: how many values it takes, what it makes of them, and the rule it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import Any, Final, NamedTuple

END: Final = "$END"


class Token(NamedTuple):
    """One terminal of a text, with its offset."""

    kind: str
    text: str
    at: int


class Reduction(NamedTuple):
    """Makes one value of the last ``size`` ones; without ``make`` the value stays as it is."""

    size: int
    make: Callable[[list[Any]], Any] | None
    rule: str


class Unexpected(Exception):  # noqa: N818 - it becomes an ExpressionError as soon as it is out of the parser
    """A terminal that cannot stand where it stands; ``accepted`` are the terminals that could."""

    def __init__(self, token: Token, accepted: Collection[str]) -> None:
        super().__init__(token.text)
        self.token, self.accepted = token, accepted


class Table:
    """The table of one grammar, with what is made of each rule.

    Parameters
    ----------
    grammar : lark.Lark
        An LALR parser.
    builder : object
        Has a method for each rule or alias that is not passed on as it is; it takes the list of the rule's parts.
    """

    def __init__(self, grammar: Any, builder: object) -> None:
        table = grammar.parser.parser.parser.parse_table
        self._start, self._last = table.start_states["start"], table.end_states["start"]
        reductions: dict[Any, Reduction] = {}
        self._moves: dict[Any, dict[str, Any]] = {}
        for state, actions in table.states.items():
            moves = self._moves[state] = {}
            for symbol, (action, target) in actions.items():
                if action.name == "Reduce" and target not in reductions:
                    reductions[target] = _reduction(target, builder)
                moves[str(symbol)] = reductions[target] if action.name == "Reduce" else target

    def run(self, tokens: Iterable[Token], end: int) -> Any:
        """Value of a whole text.

        Parameters
        ----------
        tokens : iterable of Token
            Its terminals.
        end : int
            Offset of its end.

        Raises
        ------
        Unexpected
            At the first terminal that no rule accepts, or at the end.
        """
        moves, states = self._moves, [self._start]
        values: list[Any] = []
        for token in chain(tokens, (Token(END, "", end),)):
            kind = token[0]
            while True:
                move = moves[states[-1]].get(kind)
                if move.__class__ is not Reduction:
                    break
                size, make, rule = move
                if make is not None:
                    values[-size:] = (make(values[-size:]),)
                del states[-size:]
                states.append(moves[states[-1]][rule])
            if move is None:
                if kind == END and states[-1] == self._last:
                    return values[0]
                raise Unexpected(token, self._accepted(states))
            states.append(move)
            values.append(token)
        raise AssertionError("the end is always a last move")

    def _accepted(self, states: list[Any]) -> set[str]:
        return {kind for kind in self._moves[states[-1]] if kind.isupper() and self._accepts(states, kind)}

    def _accepts(self, states: list[Any], kind: str) -> bool:
        """Whether a terminal can follow: the reductions it causes end in a shift."""
        stack = states.copy()
        while isinstance(move := self._moves[stack[-1]].get(kind), Reduction):
            del stack[-move.size :]
            stack.append(self._moves[stack[-1]][move.rule])
        return move is not None


def _reduction(rule: Any, builder: object) -> Reduction:
    """What one rule of lark's makes: rules of its own making, for repetitions, gather lists that their users spread."""
    symbols = [symbol.name for symbol in rule.expansion]
    origin = str(rule.origin.name)
    lists = [i for i, symbol in enumerate(symbols) if symbol.startswith("__")]
    if origin.startswith("__"):
        return Reduction(len(symbols), _gathered if lists else list, origin)
    if rule.alias is None and len(symbols) == 1 and rule.options.expand1:
        return Reduction(1, None, origin)
    make = getattr(builder, rule.alias or origin)
    return Reduction(len(symbols), _spreading(make, lists) if lists else make, origin)


def _gathered(parts: list[Any]) -> list[Any]:
    gathered: list[Any] = parts[0]
    gathered.extend(parts[1:])
    return gathered


def _spreading(make: Callable[[list[Any]], Any], lists: list[int]) -> Callable[[list[Any]], Any]:
    """Hand a rule its parts with the gathered lists spread out."""

    def spread(parts: list[Any]) -> Any:
        flat: list[Any] = []
        for i, part in enumerate(parts):
            if i in lists:
                flat.extend(part)
            else:
                flat.append(part)
        return make(flat)

    return spread
