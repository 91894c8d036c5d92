"""The engine against the slow reference of the law, on random small worlds: every table, every row, every field.

The reference (``tests/reference``) shares no code with the product but the kernel of charges, so that a misreading of
the law must happen twice, in the same way, to pass here. Rules D, S, X, F, R together: tick sizes, lots, gaps,
pauses, special sessions, unknown days, reversals, named exits, every sizing policy.
"""

from __future__ import annotations

import copy
import functools
import math
from collections import Counter
from typing import Any

import pytest

from tests.engine_adapter import build, callable_charges, rates_table, run_engine
from tests.reference import run as run_reference
from tests.reference import scenario

Tables = dict[str, list[dict[str, Any]]]

TABLES = ("decisions", "fills", "orders", "equity", "trades", "notes")
SUITE_SCENARIOS, BATCH = 150, 30
FUZZ_SCENARIOS, FUZZ_BATCH = 6_000, 500
#: Far from the suite's seeds.
FUZZ_FROM = 100_000


def same(a: Any, b: Any) -> bool:
    """Equal, or numbers within 1e-9 of each other; the reference adds up in another order."""
    if a is None or b is None:
        return all(x is None or (isinstance(x, float) and math.isnan(x)) for x in (a, b))
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))
    return bool(a == b)


def ordered(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in an order that does not depend on how orders are numbered, and closed trades only."""
    if table == "trades":
        return [row for row in rows if not row.get("is_open", False)]
    if table == "orders":
        return sorted(rows, key=lambda row: (row["ts"], row["instrument"], row["kind"], row["reason"]))
    return rows


def first_difference(expected: Tables, got: Tables) -> str | None:
    """Where two results part, in words; None when they agree."""
    for table in TABLES:
        theirs, ours = ordered(table, expected[table]), ordered(table, got[table])
        if len(theirs) != len(ours):
            return f"{table}: {len(theirs)} rows in the reference, {len(ours)} in the engine"
        for number, (a, b) in enumerate(zip(theirs, ours, strict=True)):
            wrong = [name for name in b if name in a and name != "order_id" and not same(a[name], b[name])]
            if wrong:
                said = ", ".join(f"{name} {a[name]!r} against {b[name]!r}" for name in wrong)
                return f"{table}, row {number} (the reference against the engine): {said}; {b}"
    return None


@functools.cache
def both(seed: int) -> tuple[Tables, Tables]:
    """The reference's and the engine's tables of one scenario."""
    given, rates = scenario(seed), rates_table(seed)
    given["costs"]["charges"] = callable_charges(rates)
    return run_reference(**given), run_engine(build(given, rates))


def compare(seeds: range) -> Counter[str]:
    """Run scenarios through both, fail at the first difference, and count what happened in them."""
    seen: Counter[str] = Counter()
    for seed in seeds:
        expected, got = both.__wrapped__(seed)
        difference = first_difference(expected, got)
        assert difference is None, f"scenario {seed}: {difference}"
        for table in TABLES:
            seen[table] += len(got[table])
        seen.update(row["decision"] for row in got["decisions"])
        seen.update(f"exit {row['exit_reason']}" for row in got["trades"])
        seen.update(f"order {row['status']}" for row in got["orders"])
    return seen


@pytest.mark.parametrize("first", range(0, SUITE_SCENARIOS, BATCH))
def test_the_engine_agrees_with_the_reference_on_random_worlds(first: int) -> None:
    seen = compare(range(first, first + BATCH))
    print(f"\nscenarios {first} to {first + BATCH - 1}: {dict(sorted(seen.items()))}")
    assert seen["trades"] > 100 and seen["fills"] > 200 and seen["decisions"] > 1_000


@pytest.mark.fuzz
@pytest.mark.heavy
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("first", range(FUZZ_FROM, FUZZ_FROM + FUZZ_SCENARIOS, FUZZ_BATCH))
def test_the_engine_agrees_with_the_reference_on_thousands_of_worlds(first: int) -> None:
    seen = compare(range(first, first + FUZZ_BATCH))
    print(f"\nscenarios {first} to {first + FUZZ_BATCH - 1}: {dict(sorted(seen.items()))}")
    reasons = {
        "KILL",
        "DAILY_LOSS",
        "FORCED_FLATTEN",
        "TRADE_DRAWDOWN",
        "STOP_LOSS",
        "TRAILING_STOP",
        "TAKE_PROFIT",
        "MAX_HOLDING",
        "EXIT_SIGNAL",
    }
    assert {name for name in reasons if not seen[f"exit {name}"]} == set()


@functools.cache
def a_busy_scenario() -> int:
    """The first seed whose result has a row in every table."""
    return next(seed for seed in range(500) if all(both(seed)[1][table] for table in TABLES))


@pytest.mark.parametrize(
    ("table", "field", "change"),
    [
        ("fills", "price", lambda value: value * (1 + 2e-9) + 2e-9),
        ("fills", "qty", lambda value: value + 1.0),
        ("fills", "ts", lambda value: value + 1),
        ("fills", "side", lambda value: "BUY" if value == "SELL" else "SELL"),
        ("fills", "charges", lambda value: value + 1e-6),
        ("orders", "status", lambda value: value + "_NOT"),
        ("orders", "stop_price", lambda _: 1.0),
        ("decisions", "decision", lambda value: "NO_BAR" if value != "NO_BAR" else "ENTRY_FALSE"),
        ("decisions", "reason", lambda _: "KILL"),
        ("equity", "cash", lambda value: value + 0.01),
        ("trades", "bars_held", lambda value: value + 1),
        ("trades", "mae_frac", lambda value: value - 1e-6),
        ("notes", "instrument", lambda _: "NSE:NOBODY"),
    ],
)
def test_the_comparison_sees_one_changed_field(table: str, field: str, change: Any) -> None:
    expected, got = both(a_busy_scenario())
    assert first_difference(expected, got) is None
    changed = copy.deepcopy(got)
    row = changed[table][len(changed[table]) // 2]
    row[field] = change(row[field])
    assert str(first_difference(expected, changed)).startswith(f"{table}, row")


@pytest.mark.parametrize("table", TABLES)
def test_the_comparison_sees_a_lost_row(table: str) -> None:
    expected, got = both(a_busy_scenario())
    changed = {**got, table: got[table][:-1]}
    assert str(first_difference(expected, changed)).startswith(f"{table}: ")
