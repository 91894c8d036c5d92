"""No input whatever makes the compiler of expressions do anything but compile or refuse with an ExpressionError.

The suite runs ten thousand inputs; ``pytest -m fuzz -s tests/property/test_expressions_fuzz.py`` runs a million (or
``WORKBENCH_FUZZ`` of them) and prints counts and the slowest.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from dataclasses import dataclass, field

import pytest

from tests.property.random_expressions import PARAMS, script
from workbench.errors import ExpressionError
from workbench.expressions.naming import KEYWORDS
from workbench.expressions.program import compile_program
from workbench.indicators import registry
from workbench.indicators.signature import ValueType

SLOW_S = 0.050
SIGNS = "( ) (( )) , + - * / > >= < <= == != = # //".split()
WORDS = "5 .5 1e-3 1e999 0 14 $n $low $x x n 1h '1d' \" ' \"1h\"".split()
FOREIGN = "&& || ! ^ % [1] ; \x00 é \u2028 \ud800 __import__ eval( lambda: os.system".split(" ")
TOKENS = (*registry.names(), *KEYWORDS, *SIGNS, *WORDS, *FOREIGN, "\n", " ", "\t", "x = ", "\nx = ")
DEEP = (
    *("(", "-", "NOT ", "ABS(", "IF(", "a AND ", "1+", "1,", "f(", "f(a,", "a,", "(-", "NOT(", "a=", "a=b\n", "$n*"),
    *("close > ", "x = 1\n", "SMA(close, 5) + ", "close CROSSES_ABOVE ", "1 BETWEEN ", "close\n", "\n", '"1h",', "#"),
    *("close > 1 AND ", "RSI(14) < 30 OR ", 'SMA(close("1h"), 5) * ', "(close) - ", " ", "\x00"),
    *(".", "e", "9", "0", "_"),
)


def raw(rng: random.Random) -> str:
    """Any characters."""
    size = rng.choice([1, 3, 10, 40, 200]) if rng.random() < 0.99 else rng.choice([2_000, 9_999, 100_000])
    kind = rng.random()
    if kind < 0.5:
        return "".join(map(chr, rng.choices(range(32, 127), k=size)))
    if kind < 0.8:
        return "".join(map(chr, rng.choices(range(256), k=size)))
    return "".join(map(chr, rng.choices(range(0x11_0000), k=size)))


def of_tokens(rng: random.Random) -> str:
    """Words of the language in any order."""
    size = rng.choice([1, 3, 8, 20]) if rng.random() < 0.99 else rng.choice([200, 1_500])
    return rng.choice(["", " "]).join(rng.choices(TOKENS, k=size))


def repeated(rng: random.Random) -> str:
    """One part over and over, up to and beyond the limits."""
    part = "".join(rng.choices(DEEP, k=rng.choice([1, 1, 2])))
    count = rng.choice([3, 30, 64, 65, 100]) if rng.random() < 0.8 else rng.choice([1_000, 10_000]) // len(part)
    return part * count + rng.choice(["", "close", "close > 1", ")" * count])


def valid(rng: random.Random) -> str:
    """A right expression."""
    wanted = rng.choice([ValueType.NUMBER, ValueType.CONDITION])
    return script(rng, ("15m", "1h", "1d"), wanted, depth=rng.choice([1, 2, 2, 3]))


def mutated(rng: random.Random) -> str:
    """A right expression with some characters or words changed."""
    text = valid(rng)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        until = at + rng.choice([0, 0, 1, 3, 10])
        text = text[:at] + rng.choice(["", rng.choice(TOKENS), chr(rng.randrange(256))]) + text[until:]
    return text


KINDS = {"raw": raw, "tokens": of_tokens, "repeated": repeated, "valid": valid, "mutated": mutated}
WEIGHTS = (30, 20, 4, 16, 30)


@dataclass
class Tally:
    """What came of a run."""

    inputs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    compiled: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    slow: list[tuple[float, str]] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def add(self, other: Tally) -> None:
        for kind in KINDS:
            self.inputs[kind] += other.inputs[kind]
            self.compiled[kind] += other.compiled[kind]
        self.slow += other.slow
        self.slowest = max(self.slowest, other.slowest)


def compiles(text: str) -> bool:
    """Whether an input compiles; anything but that and an ExpressionError that can be shown goes up."""
    try:
        compile_program({"value": text}, PARAMS, "15m")
    except ExpressionError as error:
        refused = error
    else:
        return True
    shown = str(refused)
    shown.encode("utf-8")
    assert refused.line >= 1 and refused.column >= 1 and refused.message
    assert len(shown) < 2_000
    return False


def run(seed: int, count: int) -> Tally:
    """Try ``count`` inputs; what takes longest is tried again, so that only the input's own time counts."""
    rng, tally = random.Random(seed), Tally()
    compiles("close > 1")
    for _ in range(count):
        kind = rng.choices(tuple(KINDS), WEIGHTS)[0]
        text = KINDS[kind](rng)
        started = time.perf_counter()
        good = compiles(text)
        took = time.perf_counter() - started
        tally.inputs[kind] += 1
        tally.compiled[kind] += good
        if took > min(SLOW_S, tally.slowest[0]):
            took = min(took, again(text))
        tally.slowest = max(tally.slowest, (took, text[:200]))
        if took > SLOW_S:
            tally.slow.append((took, text))
    return tally


def again(text: str, times: int = 12) -> float:
    """Shortest of several times, spread so that a busy machine does not count against an input.

    Each text differs by a line end, so that the cache of parsed ones does not hold it.
    """
    best = SLOW_S * 100
    for i in range(times):
        started = time.thread_time()
        compiles(text + "\n" * (i + 1))
        best = min(best, time.thread_time() - started)
        if best <= SLOW_S and i > 1:
            break
        time.sleep(0.01 * i)
    return best


def test_E1_ten_thousand_inputs_compile_or_are_refused():
    tally = run(20_240_108, 10_000)
    assert sum(tally.inputs.values()) == 10_000
    assert tally.compiled["valid"] == tally.inputs["valid"] > 1_000
    assert 0 < tally.compiled["mutated"] < tally.inputs["mutated"]
    assert not tally.slow, tally.slow[:3]


@pytest.mark.parametrize("value", [b"close", None, 1, 1.5, [], {}, ["close"], ("a",), object(), type, True])
def test_E1_what_is_no_text_is_refused(value):
    with pytest.raises(ExpressionError, match="an expression is text"):
        compile_program({"value": value}, {}, "15m")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "eval('1')",
        "exec('1')",
        "close.__class__",
        "().__class__.__bases__",
        "{close}",
        "lambda: close",
        "open('/etc/passwd')",
        "$n.__class__",
        "[c for c in close]",
        "close; import os",
        "`id`",
    ],
)
def test_E1_nothing_of_an_input_is_executed(text, monkeypatch):
    def never(*_: object) -> None:
        raise AssertionError("executed")

    monkeypatch.setattr(os, "system", never)
    monkeypatch.setattr("builtins.eval", never)
    monkeypatch.setattr("builtins.exec", never)
    with pytest.raises(ExpressionError):
        compile_program({"value": text}, {"n": 5}, "15m")


@pytest.mark.fuzz
@pytest.mark.timeout(0)
def test_E1_a_million_inputs_compile_or_are_refused():
    count = int(os.environ.get("WORKBENCH_FUZZ", "1000000"))
    parts = 100
    total = Tally()
    started = time.perf_counter()
    # Half the processors: two on one core would slow each other, and it is the inputs that are timed.
    with multiprocessing.get_context("spawn").Pool(max(1, (os.cpu_count() or 1) // 2)) as pool:
        for tally in pool.starmap(run, [(seed, count // parts) for seed in range(parts)]):
            total.add(tally)
    print(f"\n{sum(total.inputs.values()):,} inputs in {time.perf_counter() - started:.0f} s")
    for kind, inputs in total.inputs.items():
        print(f"  {kind:10} {inputs:9,} inputs, {total.compiled[kind]:9,} compiled, the others refused")
    print(f"  {len(total.slow)} over {SLOW_S * 1e3:.0f} ms; the slowest {total.slowest[0] * 1e3:.1f} ms:")
    print(f"  {total.slowest[1]!r}")
    assert total.compiled["valid"] == total.inputs["valid"]
    assert not total.slow, total.slow[:3]
