"""What a strategy must reach to be promoted: thresholds of each stage, from defaults, a style, or a TOML file."""

from __future__ import annotations

import os
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import ConfigError
from workbench.market.home import unreadable
from workbench.promotion.places import found_file, names_of

Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]
Loss = Annotated[float, Field(gt=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    """A table of the file: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """How the bars are divided: research sees the first part, paper trading and the last test the rest."""

    held_out_frac: Fraction = 0.25
    min_sessions: Count = 40
    min_held_out_sessions: Count = 10


class UnitTests(_Part):
    """Stage 2. ``bars`` is how many of the last research bars the contracts are tried on."""

    bars: Annotated[int, Field(ge=200)] = 3_000
    seed: int = 1


class Backtest(_Part):
    """Stage 3, on the research part, costs on."""

    min_trades: Count = 30
    min_total_return_frac: float = 0.0
    max_blocked_for_cash_frac: Annotated[float, Field(ge=0.0, le=1.0)] = 0.2
    max_cut_to_cash_frac: Annotated[float, Field(ge=0.0, le=1.0)] = 0.2
    needs_costs: bool = True


class Paper(_Part):
    """Stage 4, on the part held out."""

    min_orders: Annotated[int, Field(ge=0)] = 1


class Risk(_Part):
    """Stage 5. Losses are positive fractions of the account."""

    max_drawdown_frac: Loss = 0.15
    max_var_95_frac: Loss = 0.05
    max_es_95_frac: Loss = 0.08
    worst_sessions: Count = 5
    max_worst_sessions_frac: Loss = 0.25
    gap_frac: Fraction = 0.1
    max_gap_frac: Loss = 0.2
    draws: Annotated[int, Field(ge=100)] = 1_000
    seed: int = 1


class Performance(_Part):
    """Stage 6. ``trials`` is how many variants were tried in all, this one included."""

    min_sharpe_ann: float = 1.0
    min_win_rate_frac: Annotated[float, Field(ge=0.0, le=1.0)] = 0.55
    min_alpha_ann: float = 0.0
    min_deflated_sharpe_frac: Annotated[float, Field(ge=0.0, le=1.0)] = 0.95
    min_held_out_sharpe_ann: float = 0.0
    max_decay_frac: Fraction = 0.999
    confidence_frac: Annotated[float, Field(ge=0.5, lt=1.0)] = 0.9
    trials: Count = 1
    seed: int = 1


class Time(_Part):
    """Longest a cell and a whole stage may take, seconds of the wall's clock."""

    cell_s: Annotated[float, Field(gt=0.0)] = 600.0
    stage_s: Annotated[float, Field(gt=0.0)] = 900.0


class Settings(_Part):
    """Everything that may be asked of a strategy.

    Attributes
    ----------
    style : str
        What the thresholds are for, as the verdict says it.
    data, unit_tests, backtest, paper, risk, performance, time
        Thresholds, part by part.
    """

    style: str = "default"
    data: Data = Data()
    unit_tests: UnitTests = UnitTests()
    backtest: Backtest = Backtest()
    paper: Paper = Paper()
    risk: Risk = Risk()
    performance: Performance = Performance()
    time: Time = Time()

    def to_toml(self) -> str:
        """As a file that ``settings_of`` reads."""
        return tomli_w.dumps(self.model_dump())


def styles() -> tuple[str, ...]:
    """Names of the styles that come with the package."""
    return names_of("styles", ".toml")


def settings_of(given: Settings | Mapping[str, Any] | str | os.PathLike[str] | None) -> Settings:
    """Settings from what a person gives.

    Parameters
    ----------
    given : Settings, mapping, str, path or None
        Tables by name, such as ``{"risk": {"max_drawdown_frac": 0.3}}``; the name of a style; a TOML file. What is left
        out keeps its default.

    Raises
    ------
    ConfigError
        There is no such style or file, or a value is wrong; says which.
    """
    if given is None:
        return Settings()
    if isinstance(given, Settings):
        return given
    if isinstance(given, Mapping):
        return _checked(given, "settings")
    text = os.fspath(given)
    if not text.endswith(".toml"):
        if text not in styles():
            raise ConfigError(f"settings={text!r} is no style. There are {', '.join(styles())}; a file ends in .toml.")
        return _checked(tomllib.loads(found_file(f"styles/{text}.toml").read_text(encoding="utf-8")), text)
    path = pathlib.Path(text).expanduser()
    try:
        return _checked(tomllib.loads(path.read_text(encoding="utf-8")), text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{text}: {unreadable(path, error)}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{text}: not valid TOML: {error}.") from error


def _checked(tables: Mapping[str, Any], where: str) -> Settings:
    try:
        return Settings(**tables)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors())
        raise ConfigError(f"{where}: {'; '.join(problems)}.") from None
