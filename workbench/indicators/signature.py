"""What the registry says of a function: its arguments, what it means, and how it becomes primitive operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from workbench.indicators.ops import Op


class Kind(Enum):
    """What an argument must be."""

    NUMBER = "number"  # any numeric expression
    CONDITION = "condition"  # any boolean expression
    LENGTH = "length"  # constant arithmetic, whole and >= 1 once bound
    FACTOR = "factor"  # constant arithmetic, any finite number


class ValueType(Enum):
    """Type of an expression's value; both may be missing."""

    NUMBER = "number"
    CONDITION = "condition"


@dataclass(frozen=True)
class Argument:
    """One argument of a function.

    Parameters
    ----------
    name : str
        As shown to the user.
    kind : Kind
        What it must be.
    may_be_left_out : bool
        The series x in first place, which is ``close`` when it is left out.
    """

    name: str
    kind: Kind
    may_be_left_out: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether the argument is bound when a strategy is made, not computed at each bar."""
        return self.kind in (Kind.LENGTH, Kind.FACTOR)


class Build(Protocol):
    """Makes a node of a program, or hands back the equal node that exists; owned by the compiler."""

    def __call__(self, op: Op, children: Sequence[int] = (), p0: float = 0.0, p1: float = 0.0, p2: float = 0.0) -> int:
        """Index of the node ``op(children; p0, p1, p2)`` on the timeframe of the call being lowered."""
        ...


#: Turns one call into nodes: ``lower(build, nodes, constants)``. ``nodes`` are the numeric and boolean
#: arguments, ``constants`` the lengths and factors, each in the order of the signature.
Lower = Callable[[Build, Sequence[int], Sequence[float]], int]


@dataclass(frozen=True)
class Overload:
    """One way to call a function.

    Parameters
    ----------
    arguments : tuple of Argument
        In order, without the optional timeframe at the end.
    lower : Lower
        How a call becomes nodes.
    formula : str
        The value, in words or symbols.
    first_text : str
        Index of the first bar with a value on a series without missing values, as a formula.
    first : callable
        The same as a function of the constants (lengths and factors, in order), counted from the first bar
        on which every numeric argument has a value.
    """

    arguments: tuple[Argument, ...]
    lower: Lower
    formula: str
    first_text: str
    first: Callable[[Sequence[float]], int]

    @property
    def least(self) -> int:
        """Fewest arguments of a call: the series in first place may be left out."""
        return len(self.arguments) - sum(a.may_be_left_out for a in self.arguments)


@dataclass(frozen=True)
class Function:
    """A function of the expression language.

    Parameters
    ----------
    name : str
        Its one canonical name, in capitals.
    overloads : tuple of Overload
        The ways to call it; no two accept the same count of arguments.
    doc : str
        One sentence.
    group : str
        Heading under which the reference shows it.
    aliases : tuple of str
        Other names for it.
    result : ValueType
        Type of its value.
    element_wise : bool
        Whether its value depends on the inputs of one bar alone (rule E3).
    takes_timeframe : bool
        Whether a timeframe may follow its arguments.
    counts_for_warm : bool
        Whether rule E7 waits for it.
    talib : str
        Name of the TA-Lib function with the same values, or nothing.
    """

    name: str
    overloads: tuple[Overload, ...]
    doc: str
    group: str
    aliases: tuple[str, ...] = ()
    result: ValueType = ValueType.NUMBER
    element_wise: bool = False
    takes_timeframe: bool = True
    counts_for_warm: bool = True
    talib: str = ""

    def overload(self, count: int) -> Overload | None:
        """The way to call it with that many arguments (a timeframe not counted), or nothing."""
        for overload in self.overloads:
            if overload.least <= count <= len(overload.arguments):
                return overload
        return None


@dataclass(frozen=True)
class Series:
    """A series of the bars themselves, such as ``close``; it may be called with a timeframe alone."""

    name: str
    lower: Callable[[Build], int]
    doc: str
    aliases: tuple[str, ...] = ()
