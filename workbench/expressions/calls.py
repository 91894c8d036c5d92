"""Terms of the calls: arguments, constants, and the timeframe a call runs on (rules E3, E8, B4)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NoReturn

from workbench.errors import ConfigError
from workbench.expressions import syntax
from workbench.expressions.operators import crossing
from workbench.expressions.scope import CONDITION, NUMBER, WORDS, Scope, Way
from workbench.expressions.source import quoted
from workbench.expressions.terms import Application, Conflict, Constant, Reach, Source, Term, new, together
from workbench.indicators import registry
from workbench.indicators.signature import Argument, Function, Kind, Overload, Series, ValueType
from workbench.market.timeframe import Timeframe

#: Longest length, in bars of the call's own timeframe (rule E8).
LOOKBACK_LIMIT: Final = 50_000

_CLOSE: Final = registry.series("close")

# Longer than any timeframe; a longer text is not looked at.
_TEXT_LIMIT: Final = 40

# The way to call each function with so many arguments.
_WAYS: Final = {
    (function.name, count): overload
    for function in registry.FUNCTIONS
    for count in range(1 + max(len(one.arguments) for one in function.overloads))
    if (overload := function.overload(count)) is not None
}


@lru_cache(maxsize=4096)
def named(name: str) -> Series | Function | None:
    """What a name of the language stands for, in any case."""
    return registry.series(name) or registry.function(name)


def argument_nodes(node: syntax.Call) -> tuple[syntax.Node, ...]:
    """Arguments of a call without the timeframe at their end."""
    if node.operands and isinstance(node.operands[-1], syntax.Text):
        return node.operands[:-1]
    return node.operands


def series_term(scope: Scope, node: syntax.Name | syntax.Call, series: Series) -> Source:
    """Term of a series on the timeframe of its surroundings."""
    return new(Source, (NUMBER, node.at, 1, node.depth, scope.here, series, None))


def call_term(scope: Scope, node: syntax.Call, operands: tuple[Term, ...]) -> Term:
    """Term of a call over the terms of its arguments.

    Raises
    ------
    ExpressionError
        A wrong count or type of arguments, a length that is none, a timeframe that cannot be.
    """
    count = len(operands)
    text = node.operands[-1] if len(node.operands) > count else None
    key = node.name, count, text.value if isinstance(text, syntax.Text) else None
    way = scope.ways.get(key)
    if way is None:
        way = scope.ways[key] = _way(scope, node, count)
    if way[1] is None:
        series, _, on = way
        reach = scope.only(on)[1]
        return new(Source, (NUMBER, node.at, 1, node.depth, reach, series, None if on is scope.timeframe else on))
    called, overload, timeframe = way
    if called.result is CONDITION and called.name in ("CROSS_ABOVE", "CROSS_BELOW"):
        return crossing(scope, node, called.name == "CROSS_ABOVE", operands)
    if count < len(overload.arguments):
        operands = (new(Source, (NUMBER, node.at, 0, 0, scope.here, _CLOSE, None)), *operands)
    return _application(scope, node, (called, overload), operands, timeframe)


def _way(scope: Scope, node: syntax.Call, count: int) -> Way:
    """What a call calls, which way, and on which timeframe; a series has no ways."""
    timeframe = _timeframe(scope, node)
    called = named(node.name)
    assert called is not None, "the walk looks names up"
    if isinstance(called, Series):
        if count > 0 or timeframe is None:
            name = called.name
            hint = f'Write {name}, or {name}("1h") for a timeframe. The value 5 bars ago is LAG({name}, 5).'
            scope.refuse(node.at, f"{name} is a series, not a function", hint)
        return called, None, timeframe
    overload = _WAYS.get((called.name, count))
    if overload is None:
        _refuse_count(scope, node, called, count)
    if not called.takes_timeframe and timeframe is not None:
        hint = "It steps the bars of its surroundings; give its operands the timeframe."
        scope.refuse(node.at, f"{called.name} takes no timeframe", hint)
    return called, overload, timeframe


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
    timeframe, _ = scope.only(timeframe)
    if timeframe < scope.timeframe:
        hint = "An expression reads its strategy's timeframe and higher ones: make the strategy's the lower of the two."
        scope.refuse(text.at, f"timeframe {timeframe} is lower than the strategy's {scope.timeframe}", hint)
    if not scope.timeframe.divides(timeframe):
        hint = f"Bars of {timeframe} cannot be built from whole bars of {scope.timeframe}: take a multiple, or 1d."
        scope.refuse(text.at, f"the strategy's {scope.timeframe} does not divide {timeframe}", hint)
    scope.timeframes[text.value] = timeframe
    return timeframe


def _refuse_count(scope: Scope, node: syntax.Call, function: Function, count: int) -> NoReturn:
    text = node.operands[-1] if node.operands else None
    fuller = _WAYS.get((function.name, count + 1))
    if isinstance(text, syntax.Text) and fuller is not None:
        _refuse_missing(scope, text, function, fuller.arguments[-1])
    given = "one argument" if count == 1 else f"{count} arguments"
    wrong = f"does not take {given}" if count else "needs arguments"
    scope.refuse(node.at, f"{function.name} {wrong}", f"Write {_usage(function)}.")


def _usage(function: Function, timeframe: str = "") -> str:
    """``SMA([x], n)`` as a person writes it, with what may be left out in brackets."""
    ways = (
        ", ".join(f"[{one.name}]" if one.may_be_left_out else one.name for one in overload.arguments)
        for overload in function.overloads
    )
    return " or ".join(f"{function.name}({way}{timeframe})" for way in ways)


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
            if not isinstance(term, Constant):
                _refuse_constant(scope, node, way, argument, terms)
            constants.append(_constant(scope, argument, term))
            continue
        # Both branches of IF are of one type, whichever it is.
        wanted = CONDITION if kind is Kind.CONDITION else NUMBER
        if term.type is not wanted and not (kind is Kind.NUMBER and function.name == "IF"):
            scope.need(term, wanted, f"argument {argument.name} of {function.name}")
        operands.append(term)
    kept = tuple(operands)
    result = _branches(scope, kept) if function.name == "IF" else function.result
    reach = together(kept)
    key = function.element_wise, timeframe, reach
    place = scope.places.get(key)
    if place is None:
        place = _place(scope, node, function, reach, timeframe)
        if place[1].conflict is None:
            scope.places[key] = place
    return new(
        Application, (result, node.at, *counts, place[1], function, overload, kept, tuple(constants), place[0])
    )


def _refuse_constant(
    scope: Scope, node: syntax.Call, way: tuple[Function, Overload], argument: Argument, terms: tuple[Term, ...]
) -> NoReturn:
    """Refuse what varies from bar to bar as a length or factor, or say that the series took a length's place."""
    function, overload = way
    term = terms[overload.arguments.index(argument)]
    kind = "length" if argument.kind is Kind.LENGTH else "factor"
    text = node.operands[-1]
    if isinstance(text, syntax.Text) and overload.least == len(node.operands) - 1 < len(overload.arguments):
        _refuse_missing(scope, text, function, overload.arguments[-1])
    message = f"argument {argument.name} of {function.name} is a {kind} and must be constant"
    scope.refuse(term.at, message, f"It holds numbers, parameters and + - * / of them. Write {_usage(function)}.")


def _refuse_missing(scope: Scope, text: syntax.Text, function: Function, argument: Argument) -> NoReturn:
    """Refuse a timeframe that stands where an argument is missing: ``SMA(close, "1h")``."""
    what = {Kind.LENGTH: "a length", Kind.FACTOR: "a factor", Kind.CONDITION: "a condition", Kind.NUMBER: "a number"}
    message = f"{function.name} lacks {what[argument.kind]}: the timeframe stands in the place of {argument.name}"
    way = _usage(function, ', "' + quoted(text.value)[1:-1] + '"')
    scope.refuse(text.at, message, f"Write {way}.")


def _constant(scope: Scope, argument: Argument, term: Constant) -> float:
    """Value of a factor or a length; a length is whole up to rounding (rule E5), at least 1 and not too long."""
    if argument.kind is Kind.FACTOR:
        return term.value
    if term.value.is_integer() and 1.0 <= term.value <= LOOKBACK_LIMIT:
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
    scope: Scope, node: syntax.Call, function: Function, reach: Reach, timeframe: Timeframe | None
) -> tuple[Timeframe | None, Reach]:
    """Timeframe a call runs on if not its surroundings', and what it reaches.

    A call that reads earlier bars and names no timeframe runs on the one timeframe of what it reads. Naming the
    strategy's own timeframe equals naming none.
    """
    inside, stepped, conflict = reach
    if timeframe is not None and timeframe is not scope.timeframe:
        _, alone = scope.only(timeframe)
        if inside - alone.named:
            others = ", ".join(str(one) for one in sorted(inside - alone.named))
            hint = "A timeframe applies to the whole call: name one, at the end of the outermost call."
            scope.refuse(node.at, f"{function.name} runs on {timeframe} and names {others} inside", hint)
        return timeframe, alone
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
    return (None if runs_on is scope.timeframe else runs_on), Reach(inside, stepped or scope.own, conflict)


def refuse_variable_call(scope: Scope, node: syntax.Call) -> NoReturn:
    """Refuse ``n(3)`` where ``n`` is a variable."""
    hint = "A variable takes no arguments; give the calls inside its definition a timeframe."
    scope.refuse(node.at, f"{quoted(node.name)} is a variable, not a function", hint)
