"""Stage 1: whether it is a strategy, and fits the bars it is to be judged on.

Everything is asked of the text. A question that needs an answer before it is not asked when that one is no.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from workbench.engine.desk import instrument_records
from workbench.engine.fitting import bars_by_instrument, check_timeframes, common_grid, instruments_of
from workbench.errors import ConfigError, ExpressionError, WorkbenchError
from workbench.market.resample import columns_of
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, at_least, at_most, said
from workbench.promotion.functions import calling, keep
from workbench.promotion.sandbox import Broke
from workbench.strategy import Strategy


def checks(case: Case) -> Iterator[Check]:
    """Ask, as long as the answers are yes."""
    readings = (_loads, _answers) if case.given.subject.is_function else (_toml,)
    for question in (*readings, _fields, _round_trip, _bars, _costs, _length):
        found = list(question(case))
        yield from found
        if not all(one.passed for one in found):
            return


def figures(case: Case) -> Iterator[Any]:
    """The strategy as it was understood."""
    yield case.strategy


def _toml(case: Case) -> Iterator[Check]:
    needed = "a TOML file"
    try:
        fields = tomllib.loads(case.given.subject.text)
    except tomllib.TOMLDecodeError as error:
        yield said("parse", False, f"not valid TOML: {error}", needed, "Mend the line it names.")
        return
    yield said("parse", True, f"{len(fields)} fields", needed)


def _loads(case: Case) -> Iterator[Check]:
    needed = "a function with @wb.signals that loads in a process without network, files and secrets"
    try:
        with calling(case.given) as caller:
            apart = ", ".join(caller.apart) or "nothing, by this system's word"
            yield said("parse", True, f"{len(caller.fields)} fields; kept from: {apart}", needed)
    except Broke as error:
        yield said("parse", False, str(error), needed, "Mend the file; a function may read bars, and nothing else.")


def _answers(case: Case) -> Iterator[Check]:
    """What it says of all bars is the tape that every later stage reads."""
    needed = "a DataFrame with the index of the bars and the boolean columns entry and exit, in time"
    try:
        with calling(case.given) as caller:
            codes = {name: caller.whole(bars) for name, bars in case.given.data.items()}
            keep(case.folder, caller.fields, codes)
    except Broke as error:
        yield said("answers", False, str(error), needed, "Mend the function; it may compute, and nothing else.")
        return
    signals = sum(int((one > 0).sum()) for one in codes.values())
    yield said("answers", True, f"{signals:,} bars with a signal of {sum(map(len, codes.values())):,}", needed)


def _fields(case: Case) -> Iterator[Check]:
    needed = "every field known, of its type and within its range; expressions that compile"
    try:
        strategy = case.strategy
        program = strategy.program
    except ExpressionError as error:
        yield said("expressions", False, str(error), needed, "Mend the expression where the caret points.")
        return
    except ConfigError as error:
        yield said("fields", False, str(error), needed, "Mend what it names; docs/strategies.md lists every field.")
        return
    yield said("fields", True, f"{strategy.name} {strategy.version}, all fields sound", needed)
    yield said("expressions", True, f"warm after {program.warm_bars:,} bars of {strategy.timeframe}", needed)


def _round_trip(case: Case) -> Iterator[Check]:
    again = Strategy.from_toml(case.strategy.to_toml())
    yield said(
        "round_trip", again.hash == case.strategy.hash, f"hash {again.hash[:12]} after writing and reading",
        f"hash {case.strategy.hash[:12]}", "Report it: a strategy must survive its file.",
    )  # fmt: skip


def _bars(case: Case) -> Iterator[Check]:
    needed = "bars of every instrument, on the strategy's calendar, at least as fine as its timeframe"
    try:
        data = bars_by_instrument(case.strategy, case.data)
        check_timeframes(case.strategy, common_grid(data))
    except WorkbenchError as error:
        yield said("bars", False, str(error), needed, "Give bars that fit, or mend calendar, instruments or timeframe.")
        return
    count = sum(len(item) for item in data.values())
    yield said("bars", True, f"{count:,} bars of {len(data)} instrument(s)", needed)


def _costs(case: Case) -> Iterator[Check]:
    needed = "rates for product, exchange and currency"
    try:
        instrument_records(case.strategy, instruments_of(case.data), case.given.costs)
    except WorkbenchError as error:
        yield said("costs_known", False, str(error), needed, "Choose a cost model that covers it: costs=...")
        return
    yield said("costs_known", True, case.given.costs.name, needed)


def _length(case: Case) -> Iterator[Check]:
    settings, count = case.settings.data, len(case.sessions)
    out = case.n_held_out if count > 1 else 0
    more = "Give bars over more sessions."
    yield at_least("sessions", count - out, settings.min_sessions, more, "sessions of research")
    yield at_least("held_out_sessions", out, settings.min_held_out_sessions, more, "sessions held out")
    if 0 < out < count:
        yield _warm(case)


def _warm(case: Case) -> Check:
    """Of the research bars at most half are needed until the expressions have values."""
    strategy = case.strategy
    cut = strategy.execution == "proxy_close"
    bars = min(columns_of(item, strategy.timeframe, cut_at_proxy=cut).n for item in case.research.values())
    need = strategy.program.warm_bars
    return at_most("warm_bars", need, bars // 2, "Use shorter averages, or give more bars.", f"bars of {bars:,}")
