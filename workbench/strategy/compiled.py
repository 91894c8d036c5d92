"""The expressions of a strategy, compiled (types, timeframes, parameters, limits)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.strategy.record import Strategy

#: Fields that hold an expression, which are also the roots of the program.
ROOTS = ("entry", "exit", "short_entry", "short_exit", "rank")


def compile_strategy(strategy: Strategy) -> Any:
    """Compile a strategy's expressions into one program.

    Returns
    -------
    workbench.expressions.program.Program

    Raises
    ------
    ExpressionError
        With the field, line, column and caret.
    """
    try:
        from workbench.expressions.program import compile_program
    except ImportError:
        return None
    sources = {root: getattr(strategy, root) for root in ROOTS if getattr(strategy, root) is not None}
    length = strategy.stop_loss_atr_length if strategy.stop_loss_atr is not None else None
    return compile_program(sources, strategy.params, strategy.bar_timeframe, stop_atr_length=length)
