"""Which sessions train and which test, by their positions and nothing else (pure).

Test windows follow each other without a gap and end with the last session. Before each lie the purged sessions, before
those its training. What comes before the first training is history for indicators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from workbench.errors import ConfigError

#: How training moves on: with the test window, or from one origin.
SCHEMES = ("rolling", "anchored")

#: Sessions of training for each of a test window, where neither length is given: a fifth of a window is untouched.
TRAINING_FOR_A_TEST = 4

#: A deviation needs two returns.
LEAST_TRAINING = 2


class Fold(NamedTuple):
    """One training window and the test window after it, as positions among the sessions.

    Attributes
    ----------
    train, test : range
        Sessions; the purged ones lie between them.
    embargoed : tuple of range
        Sessions of ``train`` that do not count when a set is chosen.
    """

    train: range
    test: range
    embargoed: tuple[range, ...] = ()

    @property
    def counted(self) -> int:
        """How many sessions of training count."""
        return len(self.train) - sum(len(one) for one in self.embargoed)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is asked of the folds.

    Attributes
    ----------
    folds : int or None
        How many; None: as many as fit.
    scheme : {"rolling", "anchored"}
        Training of one length that moves on, or from the first session on, longer with each fold.
    train_sessions, test_sessions : int or None
        Lengths; anchored training is at least as long. None: what the other one leaves, or four to one.
    train_frac, test_frac : float or None
        The same as a fraction of all sessions.
    purge_sessions : int
        Between training and test, in neither.
    embargo_sessions : int
        After each test window; these do not count in later training.
    """

    folds: int | None = 6
    scheme: str = "rolling"
    train_sessions: int | None = None
    test_sessions: int | None = None
    train_frac: float | None = None
    test_frac: float | None = None
    purge_sessions: int = 0
    embargo_sessions: int = 0

    def __post_init__(self) -> None:
        """Refuse what no data could satisfy."""
        if self.scheme not in SCHEMES:
            raise ConfigError(f"scheme={self.scheme!r} does not exist; it is one of {', '.join(SCHEMES)}.")
        for name, least in (("folds", 1), ("train_sessions", LEAST_TRAINING), ("test_sessions", 1),
                            ("purge_sessions", 0), ("embargo_sessions", 0)):  # fmt: skip
            value = getattr(self, name)
            optional = not name.startswith(("purge", "embargo"))
            if not (optional and value is None) and not (_is_whole(value) and value >= least):
                raise ConfigError(f"{name}={value!r} is a whole number, {least} or more.")
        for name in ("train", "test"):
            frac = getattr(self, f"{name}_frac")
            if frac is None:
                continue
            if isinstance(frac, bool) or not isinstance(frac, float) or not 0.0 < frac < 1.0:
                raise ConfigError(f"{name}_frac={frac!r} is a fraction of all sessions, between 0 and 1.")
            if getattr(self, f"{name}_sessions") is not None:
                raise ConfigError(f"{name}_sessions and {name}_frac say the same thing twice; give one of them.")

    def lengths(self, sessions: int) -> tuple[int | None, int | None]:
        """Sessions of training and of a test window that are asked for, of so many; None where nothing is."""
        train, test = self.train_sessions, self.test_sessions
        if self.train_frac is not None:
            train = max(LEAST_TRAINING, int(self.train_frac * sessions + 1e-9))
        if self.test_frac is not None:
            test = max(1, int(self.test_frac * sessions + 1e-9))
        return train, test


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def folds_of(sessions: int, layout: Layout) -> list[Fold]:
    """Lay the folds on so many sessions.

    Parameters
    ----------
    sessions : int
        How many there are, numbered from 0.
    layout : Layout
        What is asked for.

    Returns
    -------
    list of Fold
        In the order of time.

    Raises
    ------
    ConfigError
        Too few sessions; says how many there are and what would fit.
    """
    count, train, test = _sizes(sessions, layout)
    first_test = sessions - count * test
    found: list[Fold] = []
    for begins in range(first_test, sessions, test):
        until = begins - layout.purge_sessions
        since = 0 if layout.scheme == "anchored" else until - train
        embargoed: list[range] = []
        for earlier in found:
            after = range(earlier.test.stop, earlier.test.stop + layout.embargo_sessions)
            # An embargo longer than a test window meets the next one's: each session is left out once.
            low = max(after.start, since, embargoed[-1].stop if embargoed else 0)
            if low < min(after.stop, until):
                embargoed.append(range(low, min(after.stop, until)))
        found.append(Fold(range(since, until), range(begins, begins + test), tuple(embargoed)))
    short = [(number, fold) for number, fold in enumerate(found, start=1) if fold.counted < LEAST_TRAINING]
    if short:
        number, fold = short[0]
        raise ConfigError(
            f"embargo_sessions={layout.embargo_sessions} leaves {fold.counted} of the {len(fold.train)} sessions of "
            f"training of fold {number}; choose a shorter embargo or longer training."
        )
    return found


def _sizes(sessions: int, layout: Layout) -> tuple[int, int, int]:
    """Number of folds, sessions of training (the shortest), sessions of a test window."""
    purge, (train, test) = layout.purge_sessions, layout.lengths(sessions)
    count = layout.folds
    if count is None:
        if train is None or test is None:
            raise ConfigError("folds=None means as many as fit; give both train_sessions and test_sessions.")
        count = max((sessions - purge - train) // test, 1)
    if test is None:
        test = (sessions - purge - (0 if train is None else train)) // (
            count + (TRAINING_FOR_A_TEST if train is None else 0)
        )
    if train is None:
        train = sessions - purge - count * test
    if test < 1 or train < LEAST_TRAINING or train + purge + count * test > sessions:
        raise ConfigError(_too_few(sessions, count, layout))
    return count, train, test


def _too_few(sessions: int, count: int, layout: Layout) -> str:
    """What there is, what is asked for, and what would fit."""
    purge, (train, test) = layout.purge_sessions, layout.lengths(sessions)
    named = [f"{count} fold{'s' if count > 1 else ''}"]
    named += [f"{test} of test each"] if test else []
    named += [f"{train} of training"] if train else []
    named += [f"{purge} purged"] if purge else []
    least_train, least_test = train or LEAST_TRAINING, test or 1
    verb = "needs" if len(named) == 1 and count == 1 else "need"
    fits = []
    room = sessions - purge - least_train
    if room >= least_test and room // least_test < count:
        fits.append(f"folds={room // least_test}")
    if test and 1 <= room // count < test:
        fits.append(f"test_sessions={room // count}")
    left = sessions - purge - count * least_test
    if train and LEAST_TRAINING <= left < train:
        fits.append(f"train_sessions={left}")
    spare = sessions - least_train - count * least_test
    if purge and 0 <= spare < purge:
        fits.append(f"purge_sessions={spare}")
    advice = f"What would fit: {', or '.join(fits)}; or more bars" if fits else "Give more bars, or ask for less of all"
    return (
        f"there are {sessions} sessions, and {', '.join(named)} {verb} "
        f"{least_train + purge + count * least_test}. {advice}."
    )
