"""What is promoted: a strategy as text, bars, costs, money, settings and tests; written into a folder and read back.

Whether it is a strategy at all is what stage 1 finds out. Everything a verdict depends on is in
``key``; equal keys have equal verdicts.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import workbench.costs as cost_models
from workbench.costs import CostModel
from workbench.engine.fitting import AnyBars
from workbench.errors import ConfigError, WorkbenchError
from workbench.jit import engine_hash, sources_hash
from workbench.market.bars import Bars
from workbench.market.home import unreadable, write_atomically
from workbench.market.instruments import Instrument, instrument, register_instrument, split_name
from workbench.market.store import Store
from workbench.promotion.settings import Settings, settings_of
from workbench.promotion.subject import Subject, subject_of
from workbench.research.signals import Signals
from workbench.strategy import Strategy

_FILE, _FUNCTION = "given.json", "function"


@dataclass(frozen=True)
class Given:
    """Everything that a promotion is about.

    Attributes
    ----------
    subject : Subject
        The strategy, perhaps not a sound one.
    data : mapping of str to Bars
        Base bars by instrument; none of a text that is no strategy.
    costs : CostModel
        Charges and slippage.
    initial_cash : float
        Sizing reference, money.
    settings : Settings
        What must be reached.
    tests : tuple of str
        The user's own tests: files or folders for pytest, absolute.
    """

    subject: Subject
    data: Mapping[str, Bars]
    costs: CostModel
    initial_cash: float
    settings: Settings
    tests: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Hash of all that the verdict depends on: strategy, data, costs, money, settings, tests, and our own code."""
        parts = {
            "subject": (self.subject.kind, self.subject.hash),
            "data": {name: (item.hash, item.calendar.digest) for name, item in self.data.items()},
            "instruments": [repr(instrument(name)) for name in self.data],
            "costs": self.costs.hash,
            "initial_cash": self.initial_cash,
            "settings": self.settings.model_dump(),
            "tests": {path: _content_hash(pathlib.Path(path)) for path in self.tests},
            "engine": engine_hash(),
            "research": sources_hash("research"),
            "promotion": _content_hash(pathlib.Path(__file__).parent),
        }
        return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()

    def save(self, folder: pathlib.Path) -> None:
        """Write it into a folder, from which ``load`` reads it in another process."""
        one = next(iter(self.data.values()), None)
        bars = Store(folder)
        for name, item in self.data.items():
            if not bars.path(_symbol(name), item.timeframe).exists():
                bars.save(_symbol(name), item)
        write_atomically(folder / self.subject.file, self.subject.text.encode())
        write_atomically(folder / _FUNCTION, self.subject.content)
        write_atomically(folder / "settings.toml", self.settings.to_toml().encode())
        plain = {
            "key": self.key,
            "subject": {
                "kind": self.subject.kind, "text": self.subject.text, "called": self.subject.called,
                "instruments": self.subject.instruments,
            },
            "instruments": [asdict(instrument(name)) for name in self.data],
            "timeframe": "" if one is None else str(one.timeframe),
            "calendar": "" if one is None else one.calendar.name,
            "costs": self.costs.to_dict(),
            "initial_cash": self.initial_cash,
            "tests": list(self.tests),
        }
        write_atomically(folder / _FILE, json.dumps(plain, indent=1).encode())

    @classmethod
    def load(cls, folder: pathlib.Path) -> Given:
        """Read what ``save`` wrote; the instruments are known here from then on."""
        plain = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        bars, data = Store(folder), {}
        for fields in plain["instruments"]:
            one = Instrument(**fields)
            register_instrument(one.name, tick=one.tick, lot=one.lot, currency=one.currency or None)
            data[one.name] = bars.load(one.symbol, plain["timeframe"], plain["calendar"])
        told = {**plain["subject"], "instruments": tuple(plain["subject"]["instruments"])}
        subject = Subject(**told, content=(folder / _FUNCTION).read_bytes())
        settings = settings_of(folder / "settings.toml")
        costs = CostModel.from_dict(plain["costs"])
        return cls(subject, data, costs, plain["initial_cash"], settings, tuple(plain["tests"]))


def given_of(
    strategy: Strategy | Signals | str | os.PathLike[str],
    bars: AnyBars,
    costs: CostModel | None,
    initial_cash: float,
    settings: Any,
    tests: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
) -> Given:
    """What a person wants promoted; only what no stage could judge is refused.

    Raises
    ------
    ConfigError
        A file is missing, bars are none, the money is no number, the settings are wrong.
    """
    subject = subject_of(strategy)
    data = _data_of(subject, bars)
    if not initial_cash > 0:
        raise ConfigError(f"initial_cash={initial_cash!r} is an amount above 0.")
    calendar = next((item.calendar.name for item in data.values()), "")
    paths = [tests] if isinstance(tests, str | os.PathLike) else list(tests)
    return Given(
        subject, data, default_costs(calendar) if costs is None else costs, float(initial_cash), settings_of(settings),
        tuple(str(_existing(path)) for path in paths),
    )  # fmt: skip


def default_costs(calendar: str) -> CostModel:
    """Costs of a usual broker of an exchange, with two basis points of slippage, where none were given."""
    if calendar in ("XNYS", "XNAS"):
        return cost_models.alpaca_equity(slippage_bps=2.0)
    if calendar == "FX":
        return cost_models.oanda_fx(slippage_bps=2.0)
    if calendar in ("NSE", "BSE"):
        return cost_models.zerodha_equity(slippage_bps=2.0)
    return cost_models.bps(2.0, 2.0)


def _data_of(subject: Subject, bars: Any) -> dict[str, Bars]:
    """Bars by instrument, sorted; those of nobody knows which instrument are called ``<calendar>:UNNAMED``."""
    names: tuple[str, ...] | None = subject.instruments
    if not subject.is_function:
        try:
            names = Strategy.from_toml(subject.text).instruments
        except WorkbenchError:
            names = None
    if isinstance(bars, Bars):
        bars = {names[0] if names and len(names) == 1 else f"{bars.calendar.name}:UNNAMED": bars}
    if bars == {} and names is None:
        return {}
    if not isinstance(bars, Mapping) or not bars:
        raise ConfigError(f"bars is {bars!r:.80}; wb.Bars are asked, or {{instrument: Bars}}.")
    for name, item in bars.items():
        if not isinstance(item, Bars):
            kind = type(item).__name__
            raise ConfigError(f"the bars of {name} are of type {kind}; make wb.Bars(frame, timeframe, calendar).")
        split_name(name)
    if not all(len(item) for item in bars.values()):
        raise ConfigError("there are instruments without any bar.")
    return {name: bars[name] for name in sorted(bars)}


def _existing(path: str | os.PathLike[str]) -> pathlib.Path:
    found = pathlib.Path(path).expanduser().absolute()
    if not found.exists():
        raise ConfigError(f"tests: {found}: {unreadable(found, FileNotFoundError())}.")
    return found


def _symbol(name: str) -> str:
    return split_name(name)[1]


def _content_hash(path: pathlib.Path) -> str:
    """Hash of a file, or of all Python files below a folder."""
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(str(file.relative_to(path.parent)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
