"""Taking the future away from one thing, in turn by cutting it off and by replacing it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import ConfigError
from workbench.research.lookahead.differing import Differing
from workbench.research.lookahead.futures import other_future
from workbench.research.lookahead.probed import DECISIONS, OfFunction, OfStrategy, Said

#: Failing histories that are tried again with more bars in front.
RETRIED = 12

#: Failing histories after which the future is replaced instead of cut off.
REPLACED_INSTEAD = 64


class Probing:
    """One strategy or function on one instrument.

    Parameters
    ----------
    subject : OfFunction or OfStrategy
        What is asked.
    instrument : str
        For the tables; empty where there is only one.

    Attributes
    ----------
    differing : Differing
        What was compared and what differed.
    compared, replaced : int
        Cuts and other futures that were compared.
    deterministic : bool
        Whether it said the same of the same bars each time.
    """

    def __init__(self, subject: OfFunction | OfStrategy, instrument: str) -> None:
        self.subject, self.instrument = subject, instrument
        self.bars = subject.bars
        self.whole = self._whole()
        self._known = subject.known()
        #: Bars that have a later one, and of which something was said.
        self.n_later = int(np.count_nonzero(self._known[:-1]))
        self.differing = Differing(self.whole, subject.exact)
        self.compared = self.replaced = 0
        self.deterministic = True
        self._moved = False
        self._failed: list[tuple[int, str, str, bool]] = []

    def run(self, cuts: npt.NDArray[np.intp], futures: npt.NDArray[np.intp], draw: np.random.Generator) -> None:
        """Cut after each of ``cuts``, replace what follows each of ``futures``, and ask again about the whole.

        If it does not say the same twice, nothing else can be concluded, and nothing else is tried.
        """
        self._again()
        if not self.deterministic:
            return
        cuts = cuts[self._known[cuts] > 0]
        for i in cuts.tolist():
            self.compared += self._try(i, "cut", partial(self.subject.upto, i))
        self._explain(cuts.tolist())
        for i in self._futures(futures):
            self.replaced += self._try(i, "replaced", partial(self._replaced, i, draw))
        self._again()

    @property
    def reads_prices(self) -> bool:
        """Whether other prices made the function say other things; expressions can read nothing else."""
        return self._moved or not self.replaced or not isinstance(self.subject, OfFunction)

    def failures(self) -> pd.DataFrame:
        """Histories about which nothing was said."""
        rows = [(self.instrument, self.bars.index[i], *rest) for i, *rest in self._failed]
        return pd.DataFrame(rows, columns=["instrument", "ts", "probe", "reason", "warm_up"])

    def notes(self) -> list[str]:
        """What a reader should know besides."""
        said = []
        entries = [self.whole.columns[name] for name in DECISIONS if name.endswith("entry") and name in
                   self.whole.columns]
        if not any((column == 1.0).any() for column in entries):
            shown = "the steps inside it were" if self.subject.exact else "the numbers that were returned with it were"
            said.append(f"entry is never true on these bars; {shown} compared")
        if not (self.whole.columns.get("warm", np.ones(1)) == 1.0).any():
            said.append("never warm on these bars: give data from earlier on")
        if isinstance(self.subject, OfFunction):
            if self.subject.changes_input:
                said.append("the function changes the prices it is given; every call had a copy of its own")
            if self.subject.skipped:
                said.append(f"not compared, for they hold no numbers: {', '.join(sorted(self.subject.skipped))}")
        return said

    def _whole(self) -> Said:
        try:
            return self.subject.whole()
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"the function fails on all {len(self.bars):,} bars: {_told(error)}") from error

    def _again(self) -> None:
        stamp = int(self.bars.ts_ns[-1])
        try:
            said = self.subject.whole()
        except Exception as error:  # noqa: BLE001 (a function of the user may raise anything)
            self._failed.append((len(self.bars) - 1, "again", _told(error), False))
            self.deterministic = False
            return
        if self.differing.add(said, len(self.whole.ts), stamp, "again"):
            self.deterministic = False

    def _try(self, i: int, probe: str, ask: Callable[[], Said]) -> int:
        """Compare one saying; 1 if there was one."""
        try:
            said = ask()
        except Exception as error:  # noqa: BLE001 (a function of the user may raise anything)
            self._failed.append((i, probe, _told(error), False))
            return 0
        self.differing.add(said, int(self._known[i]), int(self.bars.ts_ns[i]), probe)
        return 1

    def _replaced(self, i: int, draw: np.random.Generator) -> Said:
        bars = self.bars
        block = np.vstack([bars.open, bars.high, bars.low, bars.close, bars.volume])
        said = self.subject.replaced(other_future(block, i, draw))
        self._moved |= any(
            not np.array_equal(column, said.columns.get(name), equal_nan=True)  # type: ignore[arg-type]
            for name, column in self.whole.columns.items()
        )
        return said

    def _futures(self, chosen: npt.NDArray[np.intp]) -> list[int]:
        """After which bars: the first, those chosen, and ends of histories that failed, which no cut has seen."""
        failed = [i for i, probe, *_ in self._failed if probe == "cut"]
        begin = {int(np.argmax(self._known > 0))} if len(chosen) and self.n_later else set()
        return sorted(begin | {int(i) for i in chosen if self._known[i]} | set(_some(failed, REPLACED_INSTEAD)))

    def _explain(self, cuts: list[int]) -> None:
        """Tell failures of too short a history from others: with more bars in front, ending at the same bar, it runs.

        A failure after a history that sufficed is not a lack of history. Of many failures some are tried, and the
        longest history in any case.
        """
        if not self._failed or not isinstance(self.subject, OfFunction):
            return
        at = [i for i, *_ in self._failed]
        leading = self.compared > 0 and at == cuts[: len(at)]
        explained = leading and all(self._runs_longer(i) for i in _some(at, RETRIED))
        self._failed = [(i, probe, reason, explained) for i, probe, reason, _ in self._failed]

    def _runs_longer(self, i: int) -> bool:
        assert isinstance(self.subject, OfFunction)
        try:
            self.subject.longer(i)
        except Exception:  # noqa: BLE001 (whatever it raises, it did not run)
            return False
        return True


def _some(numbers: list[int], most: int) -> list[int]:
    """At most so many of them, evenly, the first and the last included."""
    if len(numbers) <= most:
        return numbers
    return [numbers[k] for k in np.linspace(0, len(numbers) - 1, most).astype(int)]


def _told(error: Exception) -> str:
    text = str(error).strip()
    first = text.splitlines()[0] if text else ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
