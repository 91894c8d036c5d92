"""What a function must keep that expressions keep by themselves: it says the same to whoever asks, and whenever."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from workbench.market.bars import Bars
from workbench.promotion.case import Case
from workbench.promotion.checks import Check, said
from workbench.promotion.functions import calling, kept_codes
from workbench.promotion.sandbox import Broke, Caller
from workbench.research.signals.tape import BITS

#: Up to how many research bars every one is asked as the last one; of more, the last of them and as many drawn.
EVERY = 20_000
#: Other processes that are asked: a set of two may be in the same order in some of them.
HASH_SEEDS = (1, 2, 3, 4, 5)
#: Histories that begin later, and bars of each that are looked at: what is said there is said without a past.
STARTS, EARLY = 24, 5
#: What part of them may say that it enters where a longer past says that it does not.
WITHOUT_PAST_FRAC = 0.5

_ENTERS = BITS["entry"] | BITS["short_entry"]


def contracts(case: Case) -> Iterator[Check]:
    """Ask again, in other ways."""
    codes = kept_codes(case.folder)
    asked: list[tuple[str, str, Callable[[Case, dict[str, npt.NDArray[np.uint8]]], str], str]] = [
        ("same_in_another_process", "another process says the same", _other_process,
         "Take out what depends on a clock, on chance, or on the order of a set."),
        ("same_when_asked_again", "asked again, it says the same", _again,
         "Take out what it remembers from one call to the next."),
        ("prefix_invariant", "what it says of a bar does not depend on later bars", _prefixes,
         "Take out what reads later bars: negative shifts, whole columns, back-filling, the last row."),
        ("no_entry_without_past", "no entry before there is a past to decide on", _without_past,
         "Wait until the longest window is full: what is missing is no signal."),
    ]  # fmt: skip
    for name, needed, ask, advice in asked:
        try:
            wrong = ask(case, codes)
        except Broke as error:
            wrong = str(error)
        yield said(name, not wrong, wrong or "it does", needed, advice)


def _other_process(case: Case, codes: dict[str, npt.NDArray[np.uint8]]) -> str:
    for seed in HASH_SEEDS:
        with calling(case.given, seed) as caller:
            if wrong := _first(case, codes, _whole(caller)):
                return wrong
    return ""


def _again(case: Case, codes: dict[str, npt.NDArray[np.uint8]]) -> str:
    """Twice more in one process, the second time about fewer bars in between."""
    with calling(case.given) as caller:
        for bars in case.given.data.values():
            caller.whole(bars)
            caller.upto(bars, np.arange(max(0, len(bars) - 50), len(bars)))
        return _first(case, codes, _whole(caller))


def _whole(caller: Caller) -> Callable[[str, Bars], tuple[npt.NDArray[np.uint8], npt.NDArray[np.intp]]]:
    """Asks about all bars."""
    return lambda _, bars: (caller.whole(bars), np.arange(len(bars)))


def _prefixes(case: Case, codes: dict[str, npt.NDArray[np.uint8]]) -> str:
    with calling(case.given) as caller:

        def ask(name: str, bars: Bars) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.intp]]:
            at = chosen(int(np.count_nonzero(~case.is_held_out(bars))), case.settings.unit_tests.seed)
            return caller.upto(bars, at), at

        return _first(case, codes, ask)


def _first(
    case: Case,
    codes: dict[str, npt.NDArray[np.uint8]],
    ask: Callable[[str, Bars], tuple[npt.NDArray[np.uint8], npt.NDArray[np.intp]]],
) -> str:
    """The first bar of which something else is said, in words; empty when there is none."""
    for name, bars in case.given.data.items():
        found, at = ask(name, bars)
        different = np.flatnonzero(found != codes[name][at])
        if len(different):
            i = int(at[different[0]])
            before, now = _named(int(codes[name][i])), _named(int(found[different[0]]))
            where = f"{len(different):,} of {len(at):,} bars differ; the first is {name} {bars.index[i]}"
            return f"{where}: {now}, and {before} with all the bars"
    return ""


def chosen(n: int, seed: int) -> npt.NDArray[np.intp]:
    """Bars of ``0 … n - 1`` that are asked as the last one: every one, or the last ones and a draw of the others."""
    if n <= EVERY:
        return np.arange(n)
    last = np.arange(n - EVERY // 2, n)
    drawn = np.random.default_rng(seed).choice(n - EVERY // 2, EVERY // 2, replace=False)
    return np.concatenate([np.sort(drawn), last])


def _without_past(case: Case, codes: dict[str, npt.NDArray[np.uint8]]) -> str:
    with calling(case.given) as caller:
        stray, looked = 0, 0
        for name, bars in case.given.data.items():
            for first in np.linspace(0, len(bars) // 2, STARTS).astype(int):
                early = caller_early(caller, bars, int(first))
                known = codes[name][first : first + EARLY] if first else np.zeros(EARLY, np.uint8)
                stray += int(np.count_nonzero((early & _ENTERS) & ~known & _ENTERS))
                looked += EARLY
    if stray <= WITHOUT_PAST_FRAC * looked:
        return ""
    return f"of {looked:,} bars without a past it enters at {stray:,} where a longer past says that it does not"


def caller_early(caller: Caller, bars: Bars, first: int) -> npt.NDArray[np.uint8]:
    """What is said of the first bars of a history that begins at one."""
    return caller.whole(bars, first)[:EARLY]


def _named(code: int) -> str:
    return " and ".join(name for name, bit in BITS.items() if code & bit) or "nothing"
