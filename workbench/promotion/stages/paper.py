"""Stage 4: the held-out bars through the real runner on paper. Its orders must be those of the backtest, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.live.replay import Verdict, find, replayed
from workbench.market.bars import Bars
from workbench.promotion.beside_backtest import Compared, compared
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, at_least, said
from workbench.promotion.functions import calling, kept_codes, taped_data
from workbench.promotion.on_paper import traded_on_paper

#: The database that the runner leaves, beside the notebooks.
DATABASE = "paper.db"


class Traded(NamedTuple):
    """What became of a run on paper: beside the backtest, and run again from its own journal."""

    compared: list[Compared]
    replay: Verdict


def checks(case: Case) -> Iterator[Check]:
    """Trade, compare, and run the journal again."""
    traded = _traded(case)
    for one in traded.compared:
        measured = f"{one.on_paper:,} on paper, {one.in_backtest:,} in the backtest"
        yield said(
            f"same_{one.name}", not one.first, f"{measured}; {one.first}" if one.first else measured,
            "the same to the last bit",
            "Look at the first difference: what the runner knew then was not what the backtest knew.",
        )  # fmt: skip
    replay = traded.replay
    yield said(
        "replay", bool(replay.rows) and not replay.differences,
        "; ".join(replay.differences[:3]) or f"{replay.rows:,} rows of the journal give the same again",
        "the journal alone proves what was done", "Report it: the journal does not explain the run.",
    )  # fmt: skip
    orders = next(one.on_paper for one in traded.compared if one.name == "orders")
    least = case.settings.paper.min_orders
    yield at_least("paper_orders", orders, least, "Hold out more bars: without orders nothing is compared.", "orders")


def figures(case: Case) -> Iterator[Any]:
    """Rows side by side, and the held-out result."""
    rows = [(one.name, one.on_paper, one.in_backtest, one.first or "none") for one in _traded(case).compared]
    yield pd.DataFrame(rows, columns=["rows", "on paper", "in the backtest", "first difference"])
    yield case.held_out_result.plot()


def known_then(case: Case) -> dict[str, Bars]:
    """Bars with what a function says of each held-out one when that is the last it knows, as a runner would ask it."""
    codes = {name: one.copy() for name, one in kept_codes(case.folder).items()}
    with calling(case.given) as caller:
        for name, bars in case.given.data.items():
            at = np.flatnonzero(case.is_held_out(bars))
            codes[name][at] = caller.upto(bars, at)
    return taped_data(case.strategy, case.given.data, codes)


def _traded(case: Case) -> Traded:
    return case.once("traded", lambda: _trade(case))


def _trade(case: Case) -> Traded:
    for old in case.folder.glob(f"{DATABASE}*"):
        old.unlink()
    given = case.given
    data = known_then(case) if given.subject.is_function else case.data
    with traded_on_paper(
        case.folder / DATABASE, case.strategy, data, given.costs, given.initial_cash, case.held_out_from
    ) as (store, ident):
        beside = compared(store, ident, case.held_out_result)
        with store.read() as connection:
            return Traded(beside, replayed(connection, find(connection, ident, "local")))
