"""Stage 2: the contracts that every strategy must keep, on its own bars, and the user's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.promotion import contracts, function_contracts
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, said
from workbench.promotion.kept_limits import kept_limits
from workbench.promotion.user_tests import user_tests
from workbench.research.backtest import backtest
from workbench.research.lookahead import Lookahead, lookahead_check
from workbench.research.warmup import Warmup, warmup_check

#: Histories cut short and other futures that are tried.
CUTS, FUTURES = 250, 8
#: How many times the bars of the other contracts a history may take to settle.
WARM_TIMES = 2


def checks(case: Case) -> Iterator[Check]:
    """Ask all of them."""
    asked = case.settings.unit_tests
    some = case.last_bars(asked.bars)
    run = [backtest(case.strategy, some, case.given.initial_cash, case.given.costs) for _ in range(2)]
    yield contracts.same_twice(*run)
    yield contracts.same_bar_by_bar(case.strategy, some)
    if case.given.subject.is_function:
        yield from function_contracts.contracts(case)
    else:
        yield _lookahead(case)
        yield _warm_up(case)
    yield contracts.ordered_as_decided(case.result, "ordered_as_decided")
    gaps = contracts.with_gaps(some, asked.seed)
    broken = backtest(case.strategy, gaps, case.given.initial_cash, case.given.costs)
    yield contracts.ordered_as_decided(broken, "ordered_with_missing_bars")
    yield from kept_limits(case.result)
    if case.given.tests:
        yield user_tests(case.given.tests, case.folder / case.given.subject.file, case.settings.time.cell_s)


def figures(case: Case) -> Iterator[Any]:
    """What was cut and what history is needed."""
    if not case.given.subject.is_function:
        yield _lookahead_of(case)
        yield _warm_up_of(case)


def _lookahead_of(case: Case) -> Lookahead:
    asked = case.settings.unit_tests
    bars = case.last_bars(asked.bars)
    return case.once("lookahead", lambda: lookahead_check(case.strategy, bars, CUTS, FUTURES, asked.seed))


def _lookahead(case: Case) -> Check:
    found = _lookahead_of(case)
    return said(
        "lookahead", found.passed, repr(found).partition("\n")[0] if found.passed else repr(found),
        "nothing said of a bar depends on later bars", "Take out what reads a bar before it has closed.",
    )  # fmt: skip


def _warm_up_of(case: Case) -> Warmup:
    bars = case.last_bars(case.settings.unit_tests.bars * WARM_TIMES)
    return case.once("warm_up", lambda: warmup_check(case.strategy, bars))


def _warm_up(case: Case) -> Check:
    found = _warm_up_of(case)
    # Whether anything is ever true is a question of its own.
    passed = found.passed or (found.n_true == 0 and found.longest > 0)
    return said(
        "warm_up", passed, repr(found).partition("\n")[0],
        "a history after which decisions no longer change, within half of the bars it is tried on",
        "Use shorter averages, or give more bars and raise unit_tests.bars.",
    )  # fmt: skip
