"""Running the parse table that lark computes from the grammar.

lark reads ``grammar.lark``, finds its conflicts and computes the LALR(1) table. Its own loop over the table keeps books
for purposes that an expression does not have, and takes several times as long; this one is the textbook's, a stack of
states and a stack of values, with two shortcuts that are taken when the table is read:

- A rule that only hands a value on (an operand that is all of an arithmetic) is no move. What would come after it is
  entered where the value is put down.
- A state in which everything completes one rule is not entered: the terminal that leads there completes it.

A state is the dictionary of its moves, by terminal, and of the states that follow a rule, by the rule's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, NamedTuple

END: Final = "$END"

State = dict[str, Any]


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


class Completion(NamedTuple):
    """Makes one value of the last ``size`` ones and the terminal after them."""

    size: int
    make: Callable[[list[Any]], Any]
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
        reductions: dict[Any, Reduction] = {}
        self._plain: dict[Any, dict[str, Any]] = {}
        for state, actions in table.states.items():
            moves = self._plain[state] = {}
            for symbol, (action, target) in actions.items():
                if action.name == "Reduce" and target not in reductions:
                    reductions[target] = _reduction(target, builder)
                moves[str(symbol)] = reductions[target] if action.name == "Reduce" else target
        self._states: dict[tuple[Any, ...], State] = {}
        self._chains: dict[int, tuple[Any, ...]] = {}
        self._start = self._state((table.start_states["start"],))
        self._end: State = self._start["start"]

    def _state(self, chain: tuple[Any, ...]) -> State:
        """State that stands for a chain of lark's, each of which is left for the next by handing a value on."""
        made = self._states.get(chain)
        if made is not None:
            return made
        state = self._states[chain] = {}
        self._chains[id(state)] = chain
        for plain in chain[::-1]:
            for symbol, move in self._plain[plain].items():
                if isinstance(move, Reduction):
                    if move.make is not None:
                        state[symbol] = move
                elif symbol.isupper() or symbol == END:
                    state[symbol] = self._shift(move)
                else:
                    state[symbol] = self._state(self._after(plain, symbol))
        return state

    def _after(self, plain: Any, rule: str) -> tuple[Any, ...]:
        """Chain of the states that follow a rule: its own, and those after the rules that hand its value on."""
        chain = []
        while True:
            target = self._plain[plain][rule]
            chain.append(target)
            on = {move.rule for move in self._plain[target].values() if _hands_on(move)}
            if not on:
                return tuple(chain)
            (rule,) = on

    def _shift(self, target: Any) -> State | Completion:
        moves = set(self._plain[target].values())
        only = moves.pop()
        if not moves and isinstance(only, Reduction) and only.make is not None:
            return Completion(only.size - 1, only.make, only.rule)
        return self._state((target,))

    def run(self, tokens: Iterable[Token]) -> Any:
        """Value of a whole text.

        Parameters
        ----------
        tokens : iterable of Token
            Its terminals, the last one END.

        Raises
        ------
        Unexpected
            At the first terminal that no rule accepts, or at the end.
        """
        state = self._start
        states = [state]
        values: list[Any] = []
        make: Any  # no rule that hands a value on is a move
        for token in tokens:
            move = state.get(token[0])
            while move.__class__ is Reduction:
                size, make, rule = move
                values[-size:] = (make(values[-size:]),)
                del states[-size:]
                state = states[-1][rule]
                states.append(state)
                move = state.get(token[0])
            if move.__class__ is dict:
                state = move
                values.append(token)
            elif move is not None:
                size, make, rule = move
                if size:
                    values[-size:] = (make([*values[-size:], token]),)
                    del states[-size:]
                else:
                    values.append(make([token]))
                state = states[-1][rule]
            elif token[0] == END and state is self._end:
                return values[0]
            else:
                raise Unexpected(token, self._accepted(states, token[0]))
            states.append(state)
        raise AssertionError("the end is always a last move")

    def _accepted(self, states: list[State], wrong: str) -> set[str]:
        """Terminals that could follow where lark notices the wrong one: after the rules it allows to be completed."""
        chain = self._chains[id(states[-1])]
        while _hands_on(self._plain[chain[0]].get(wrong)):
            chain = chain[1:]
        stack = [*states[:-1], self._state(chain)]
        return {kind for kind in stack[-1] if kind.isupper() and kind != END and self._accepts(stack, kind)}

    def _accepts(self, states: list[State], kind: str) -> bool:
        """Whether a terminal can follow: the reductions it causes end in a shift."""
        stack = states.copy()
        while isinstance(move := stack[-1].get(kind), Reduction):
            del stack[-move.size :]
            stack.append(stack[-1][move.rule])
        return move is not None


def _hands_on(move: object) -> bool:
    return isinstance(move, Reduction) and move.make is None


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
