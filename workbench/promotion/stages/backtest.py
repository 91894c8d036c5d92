"""Stage 3, the research bars with costs on: does it trade, can it pay for what it orders, is anything left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.promotion.case import Case
from workbench.promotion.checks import Check, above, at_least, at_most, number, said
from workbench.promotion.kept_limits import entry_orders
from workbench.research.backtest import backtest
from workbench.research.result import Result
from workbench.strategy import FixedCash, FixedQty


def checks(case: Case) -> Iterator[Check]:
    """Ask all of them."""
    asked, result, stats = case.settings.backtest, case.result, case.result.stats
    model = case.given.costs
    if asked.needs_costs:
        charged = stats["n_trades"] == 0 or float(stats["charges"] or 0.0) > 0.0 or _slips(case)
        yield said("costs_on", charged, model.name, "a cost model that charges something", "Give costs=..., such as "
                   "wb.costs.zerodha_equity(slippage_bps=2).")  # fmt: skip
    yield at_least("trades", number(stats["n_trades"]), asked.min_trades, "Give more bars, or loosen the entry: so "
                   "few trades say nothing.", "trades")  # fmt: skip
    yield _left(case)
    yield at_most("blocked_for_cash", blocked_for_cash(result), asked.max_blocked_for_cash_frac,
                  "Make positions smaller: what is sized outgrows the cash.", "%")  # fmt: skip
    yield from _cut(case)
    yield above("final_equity", number(stats["final_equity"]), 0.0, "Make positions smaller: the account is in debt.")


def figures(case: Case) -> Iterator[Any]:
    """The result and its chart."""
    yield case.result
    yield case.result.plot()


def _left(case: Case) -> Check:
    """What is left after costs; where nothing is, whether it is the costs that took it."""
    value, least = number(case.result.stats["total_return_frac"]), case.settings.backtest.min_total_return_frac
    free = number(_without_costs(case).stats["total_return_frac"])
    advice = "It loses without costs too: there is no edge on these bars."
    if free is not None and free > least:
        advice = f"Without costs it returns {100 * free:.2f} %: trade less often, for more at a time."
    return above("return_after_costs", value, least, advice, "%")


def _without_costs(case: Case) -> Result:
    return case.once(
        "without costs", lambda: backtest(case.strategy, case.research, case.given.initial_cash)
    )  # fmt: skip


def _slips(case: Case) -> bool:
    """Whether prices of fills differ from those without costs."""
    ours, free = case.result.fills["price"], _without_costs(case).fills["price"]
    return len(ours) != len(free) or not ours.equals(free)


def _cut(case: Case) -> Iterator[Check]:
    """How many entries of a fixed size were smaller than it, for want of cash: with ten times the cash they are not."""
    if not isinstance(case.strategy.sizing, FixedCash | FixedQty):
        return
    rich = backtest(case.strategy, case.research, 10.0 * case.given.initial_cash, case.given.costs)
    ours, theirs = (
        entry_orders(one).set_index(["ts", "instrument"])["qty"] for one in (case.result, rich)
    )
    both = ours.to_frame("ours").join(theirs.rename("theirs"), how="inner")
    cut = float((both["ours"] < both["theirs"]).mean()) if len(both) else 0.0
    most = case.settings.backtest.max_cut_to_cash_frac
    yield at_most("cut_to_cash", cut, most, "Make positions smaller: their fixed size outgrows the cash.", "%")


def blocked_for_cash(result: Result) -> float:
    """The part of true entries that the cash did not reach for."""
    counts = result.decisions["decision"].value_counts()
    blocked = int(counts.get("BLOCKED_CASH", 0))
    entered = int(counts.get("ENTRY_TRUE", 0))
    return blocked / (blocked + entered) if blocked else 0.0
