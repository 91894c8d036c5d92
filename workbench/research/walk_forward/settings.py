"""What ``wb.walk_forward`` takes besides what it walks through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.errors import ConfigError
from workbench.research.sweep.settings import Settings as SweepSettings
from workbench.research.walk_forward.folds import Layout
from workbench.strategy.checks import suggestion

#: What may choose among the sets of a fold.
CHOICES = ("best", "plateau")


class Settings(SweepSettings, total=False):
    """Settings of a walk-forward: those of a sweep, and these.

    Attributes
    ----------
    train_sessions, test_sessions : int
        Length of training (rolling; the least, anchored) and of each test window. Without either, training is four
        times as long as a test window; without one, it is what the other leaves.
    train_frac, test_frac : float
        The same as a fraction of all sessions.
    purge_sessions : int
        Sessions between training and test that are in neither; 0 unless given.
    embargo_sessions : int
        Sessions after each test window that do not count in later training; 0 unless given.
    choose : {"best", "plateau"}
        The set with the best statistic, or the one whose worst neighbour is best.
    """

    train_sessions: int | None
    test_sessions: int | None
    train_frac: float | None
    test_frac: float | None
    purge_sessions: int
    embargo_sessions: int
    choose: str


@dataclass(frozen=True)
class Taken:
    """Settings by what they are for.

    Attributes
    ----------
    layout : Layout
        Of the folds.
    choose : str
        One of ``CHOICES``.
    sweep : dict
        Handed on to each fold's sweep.
    """

    layout: Layout
    choose: str
    sweep: dict[str, Any]


def taken(folds: Any, scheme: Any, settings: Settings) -> Taken:
    """Sort the settings; ConfigError for one that does not exist or makes no sense."""
    known = Settings.__annotations__ | SweepSettings.__annotations__
    unknown = [name for name in settings if name not in known]
    if unknown:
        near = suggestion(unknown[0], known)
        listed = ", ".join(("folds", "scheme", *known))
        raise ConfigError(f"walk_forward takes no {unknown[0]!r}{near}. It takes {listed}.")
    given: dict[str, Any] = dict(settings)
    choose = given.pop("choose", "best")
    if choose not in CHOICES:
        raise ConfigError(f"choose={choose!r} does not exist; it is one of {', '.join(CHOICES)}.")
    own = set(Layout.__dataclass_fields__) & set(given)
    layout = Layout(folds=folds, scheme=scheme, **{name: given.pop(name) for name in sorted(own)})
    return Taken(layout, choose, given)
