"""The expressions of a strategy, compiled into one program, and errors that name the field."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from workbench.errors import ExpressionError, StrategyError
from workbench.expressions.check import parameters
from workbench.expressions.program import SESSION_MINUTES, Program, compile_program
from workbench.strategy.checks import suggestion

if TYPE_CHECKING:
    from workbench.strategy.record import Strategy

#: Fields that hold an expression; they are the roots of the program.
ROOTS = ("entry", "exit", "short_entry", "short_exit", "rank")

#: Minutes of a normal session by calendar; the count of bars until a strategy is warm is told by it.
_MINUTES = {"XNYS": 390, "XNAS": 390, "FX": 1440, "24x7": 1440}


def compile_strategy(strategy: Strategy) -> Program:
    """Compile a strategy's expressions into one program; equal content gives the same object.

    Raises
    ------
    ExpressionError
        With the field, line, column and caret.
    StrategyError
        A parameter is bound that no expression uses.
    """
    sources, timeframe, length, minutes = expressions_of(strategy)
    return _compiled(sources, tuple(sorted(strategy.params.items())), timeframe, length, minutes)


def expressions_of(strategy: Strategy) -> tuple[tuple[tuple[str, str], ...], str, int | None, int]:
    """All that a strategy's program depends on but its parameters: the arguments of ``Family``, texts as pairs."""
    sources = tuple([(root, text) for root in ROOTS if (text := getattr(strategy, root)) is not None])
    length = strategy.stop_loss_atr_length if strategy.stop_loss_atr is not None else None
    return sources, strategy.timeframe, length, _MINUTES.get(strategy.calendar, SESSION_MINUTES)


@lru_cache(maxsize=256)
def _compiled(
    sources: tuple[tuple[str, str], ...],
    bound: tuple[tuple[str, float], ...],
    timeframe: str,
    stop_atr_length: int | None,
    session_minutes: int,
) -> Program:
    params = dict(bound)
    try:
        program = compile_program(dict(sources), params, timeframe, stop_atr_length, session_minutes)
    except ExpressionError as error:
        root = _root_of(error, sources, params, timeframe)
        message = f"in {root}: {error.message}" if root else error.message
        raise ExpressionError(message, error.line, error.column, error.source, error.hint) from None
    used = [name for _, text in sources for name in parameters(text)]
    idle = [name for name in params if name not in used]
    if idle:
        said = ", ".join(f"{name!r}{suggestion(name, [one for one in used if one not in params])}" for name in idle)
        raise StrategyError(f"params binds {said}, which no expression uses; write ${idle[0]} in one, or leave it out")
    return program


def _root_of(
    error: ExpressionError, sources: tuple[tuple[str, str], ...], params: dict[str, float], timeframe: str
) -> str | None:
    """The field whose expression fails alone as all of them did together; None when only their sum is too much."""
    for root, text in sources:
        try:
            compile_program({root: text}, params, timeframe)
        except ExpressionError as alone:
            if str(alone) == str(error):
                return root
    return None
