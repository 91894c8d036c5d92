"""Terms of the calls: arguments, constants, and the timeframe a call runs on (rules E3, E8, B4)."""

from __future__ import annotations

from typing import Final, NoReturn

from workbench.errors import ConfigError
from workbench.expressions import syntax
from workbench.expressions.operators import crossing
from workbench.expressions.scope import CONDITION, NUMBER, WORDS, Scope
from workbench.expressions.source import quoted
from workbench.expressions.terms import Application, Conflict, Constant, Reach, Source, Term, Timeframes, together
from workbench.indicators import registry
from workbench.indicators.signature import Argument, Function, Kind, Overload, Series, ValueType
from workbench.market.timeframe import Timeframe

#: Longest length, in bars of the call's own timeframe (rule E8).
LOOKBACK_LIMIT: Final = 50_000

# Longer than any timeframe; a longer text is not looked at.
_TEXT_LIMIT: Final = 40

# The way to call each function with so many arguments.
_WAYS: Final = {
    (function.name, count): overload
    for function in registry.FUNCTIONS
    for count in range(1 + max(len(one.arguments) for one in function.overloads))
    if (overload := function.overload(count)) is not None
}


def argument_nodes(node: syntax.Call) -> tuple[syntax.Node, ...]:
    """Arguments of a call without the timeframe at their end."""
    if node.operands and isinstance(node.operands[-1], syntax.Text):
        return node.operands[:-1]
    return node.operands


def series_term(scope: Scope, node: syntax.Name | syntax.Call, series: Series) -> Source:
    """Term of a series on the timeframe of its surroundings."""
    return Source(NUMBER, node.at, 1, node.depth, scope.here, series, None)


def _series_call(scope: Scope, node: syntax.Call, series: Series, timeframe: Timeframe | None) -> Source:
    if len(node.operands) > 1 or timeframe is None:
        name = series.name
        hint = f'Write {name}, or {name}("1h") for a timeframe. The value 5 bars ago is LAG({name}, 5).'
        scope.refuse(node.at, f"{name} is a series, not a function", hint)
    only: Timeframes = frozenset((timeframe,))
    on = None if timeframe == scope.timeframe else timeframe
    return Source(NUMBER, node.at, 1, node.depth, Reach(only, only, None), series, on)


def call_term(scope: Scope, node: syntax.Call, operands: tuple[Term, ...]) -> Term:
    """Term of a call over the terms of its arguments.

    Raises
    ------
    ExpressionError
        A wrong count or type of arguments, a length that is none, a timeframe that cannot be.
    """
    timeframe = _timeframe(scope, node)
    series = registry.series(node.name)
    if series is not None:
        return _series_call(scope, node, series, timeframe)
    function = registry.function(node.name)
    assert function is not None, "the walk looks names up"
    overload = _WAYS.get((function.name, len(operands)))
    if overload is None:
        _refuse_count(scope, node, function, len(operands))
    if not function.takes_timeframe and timeframe is not None:
        hint = "It steps the bars of its surroundings; give its operands the timeframe."
        scope.refuse(node.at, f"{function.name} takes no timeframe", hint)
    if function.name in ("CROSS_ABOVE", "CROSS_BELOW"):
        return crossing(scope, node, function.name == "CROSS_ABOVE", operands)
    if len(operands) < len(overload.arguments):
        close = registry.series("close")
        assert close is not None
        operands = (series_term(scope, node, close)._replace(size=0, depth=0), *operands)
    return _application(scope, node, (function, overload), operands, timeframe)


def _timeframe(scope: Scope, node: syntax.Call) -> Timeframe | None:
    text = node.operands[-1] if node.operands else None
    if not isinstance(text, syntax.Text):
        return None
    known = scope.timeframes.get(text.value)
    if known is not None:
        return known
    if len(text.value) > _TEXT_LIMIT:
        scope.refuse(text.at, "this text is no timeframe", 'Timeframes are written "5m", "1h" or "1d".')
    try:
        timeframe = Timeframe.parse(text.value)
    except ConfigError as wrong:
        scope.refuse(text.at, str(wrong))
    if timeframe < scope.timeframe:
        hint = "An expression reads its strategy's timeframe and higher ones: make the strategy's the lower of the two."
        scope.refuse(text.at, f"timeframe {timeframe} is lower than the strategy's {scope.timeframe}", hint)
    if not scope.timeframe.divides(timeframe):
        hint = f"Bars of {timeframe} cannot be built from whole bars of {scope.timeframe}: take a multiple, or 1d."
        scope.refuse(text.at, f"the strategy's {scope.timeframe} does not divide {timeframe}", hint)
    scope.timeframes[text.value] = timeframe
    return timeframe


def _refuse_count(scope: Scope, node: syntax.Call, function: Function, count: int) -> NoReturn:
    given = "no arguments" if count == 0 else "one argument" if count == 1 else f"{count} arguments"
    scope.refuse(node.at, f"{function.name} does not take {given}", f"Write {_usage(function)}.")


def _usage(function: Function) -> str:
    """``SMA([x], n)`` as a person writes it, with what may be left out in brackets."""
    ways = (
        ", ".join(f"[{one.name}]" if one.may_be_left_out else one.name for one in overload.arguments)
        for overload in function.overloads
    )
    return " or ".join(f"{function.name}({way})" for way in ways)


def _application(
    scope: Scope,
    node: syntax.Call,
    way: tuple[Function, Overload],
    terms: tuple[Term, ...],
    timeframe: Timeframe | None,
) -> Term:
    function, overload = way
    counts = scope.count(node, terms, level=1)
    constants: list[float] = []
    operands: list[Term] = []
    for argument, term in zip(overload.arguments, terms, strict=True):
        kind = argument.kind
        if kind is Kind.LENGTH or kind is Kind.FACTOR:
            constants.append(_constant(scope, function, argument, term))
            continue
        # Both branches of IF are of one type, whichever it is.
        wanted = CONDITION if kind is Kind.CONDITION else NUMBER
        if term.type is not wanted and not (kind is Kind.NUMBER and function.name == "IF"):
            scope.need(term, wanted, f"argument {argument.name} of {function.name}")
        operands.append(term)
    kept = tuple(operands)
    result = _branches(scope, kept) if function.name == "IF" else function.result
    on, reach = _place(scope, node, function, kept, timeframe)
    return Application(result, node.at, *counts, reach, function, overload, kept, tuple(constants), on)


def _constant(scope: Scope, function: Function, argument: Argument, term: Term) -> float:
    """Value of a factor or a length; a length is whole up to rounding (rule E5), at least 1 and not too long."""
    if not isinstance(term, Constant):
        kind = "length" if argument.kind is Kind.LENGTH else "factor"
        message = f"argument {argument.name} of {function.name} is a {kind} and must be constant"
        scope.refuse(term.at, message, f"It holds numbers, parameters and + - * / of them. Write {_usage(function)}.")
    if argument.kind is Kind.FACTOR:
        return term.value
    whole = float(round(term.value))
    if abs(term.value - whole) > 1e-9 * abs(term.value):
        scope.refuse(term.at, f"length {argument.name} is {term.value:g}, not a whole number", "Lengths count bars.")
    if whole < 1:
        scope.refuse(term.at, f"length {argument.name} is {whole:g}", "A length is at least 1.")
    if whole > LOOKBACK_LIMIT:
        hint = f"At most {LOOKBACK_LIMIT:,} bars of the call's own timeframe: name a higher timeframe instead."
        scope.refuse(term.at, f"length {argument.name} is {whole:,.0f}", hint)
    return whole


def _branches(scope: Scope, operands: tuple[Term, ...]) -> ValueType:
    _, yes, no = operands
    if yes.type is not no.type:
        message = f"the branches of IF are {WORDS[yes.type]} and {WORDS[no.type]}"
        scope.refuse(no.at, message, "Both must be numbers, or both conditions.")
    return yes.type


def _place(
    scope: Scope, node: syntax.Call, function: Function, operands: tuple[Term, ...], timeframe: Timeframe | None
) -> tuple[Timeframe | None, Reach]:
    """Timeframe a call runs on if not its surroundings', and what it reaches.

    A call that reads earlier bars and names no timeframe runs on the one timeframe of what it reads. Naming the
    strategy's own timeframe equals naming none.
    """
    reach = together(operands)
    inside, stepped, conflict = reach
    if timeframe is not None and timeframe != scope.timeframe:
        only: Timeframes = frozenset((timeframe,))
        if inside - only:
            others = ", ".join(str(one) for one in sorted(inside - only))
            hint = "A timeframe applies to the whole call: name one, at the end of the outermost call."
            scope.refuse(node.at, f"{function.name} runs on {timeframe} and names {others} inside", hint)
        return timeframe, Reach(only, only, None)
    if timeframe is not None:
        inside |= scope.own
    if function.element_wise:
        return None, Reach(inside, stepped, conflict) if timeframe is not None else reach
    if len(stepped) > 1:
        both = " and ".join(str(one) for one in sorted(stepped))
        hint = f'Name one timeframe for the whole call, as its last argument: {function.name}(…, "{max(stepped)}").'
        mixed = Conflict(node.at, f"{function.name} reads earlier bars of {both} at once", hint)
        return None, Reach(inside, stepped, conflict or mixed)
    if not inside and not conflict and stepped <= scope.own:
        return None, scope.here
    (runs_on,) = stepped or scope.own
    return (None if runs_on == scope.timeframe else runs_on), Reach(inside, stepped or scope.own, conflict)


def refuse_variable_call(scope: Scope, node: syntax.Call) -> NoReturn:
    """Refuse ``n(3)`` where ``n`` is a variable."""
    hint = "A variable takes no arguments; give the calls inside its definition a timeframe."
    scope.refuse(node.at, f"{quoted(node.name)} is a variable, not a function", hint)
