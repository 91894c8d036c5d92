"""What may be sent, and how: read by the server, and shown in the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class Body(BaseModel):
    """Of a request; what it does not know is refused, for it may be misspelt."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Why(Body):
    """Why a person asks."""

    why: str = Field("", max_length=2_000, description="For the journal.")


class Reason(Body):
    """Why a person asks; it must be said."""

    why: str = Field(min_length=1, max_length=2_000, description="For the journals.")


#: What is typed before everything is closed.
FLATTEN = "FLATTEN"


class KillAll(Reason):
    """The kill switch of everything."""

    flatten: bool = Field(False, description="Close every position too, at the next open.")
    confirm: str = Field(
        "", max_length=20, validate_default=True, description=f"{FLATTEN}, when everything is to be closed."
    )

    @field_validator("confirm")
    @classmethod
    def _is_confirmed(cls, typed: str, sent: ValidationInfo) -> str:
        if sent.data.get("flatten") and typed != FLATTEN:
            raise ValueError(f"type {FLATTEN} to close every position")
        return typed


class Resume(Why):
    """Going on."""

    acknowledged: bool = Field(False, description="I have looked at position and orders at the broker.")


class Stop(Why):
    """The end of a deployment."""

    keep: bool = Field(False, description="Keep the position; nobody manages it then.")
    keep_protective: bool = Field(True, description="Leave its exits, stops and targets at the broker.")


class Resolve(Why):
    """What becomes of a position of the other direction."""

    choice: Literal["adopt", "flatten", "stay"]


class Limit(Body):
    """How much the owner may do."""

    value: int | None = Field(None, ge=0, description="0 for none at all, null for the default.")


class Wanted(Body):
    """A deployment, or what one would do: as for ``workbench deploy``."""

    strategy: str = Field(min_length=1, max_length=1_000_000, description="The strategy as TOML.")
    bars: list[str] = Field([], description="Bars so far: files, folders, symbols of the store. Nothing: the store.")
    costs: str = Field("none", description="none, bps:COMMISSION,SLIPPAGE, zerodha, alpaca or oanda.")
    cash: float = Field(1_000_000.0, description="Initial cash, the sizing reference.")
    start: str | None = Field(None, description="Date or instant from which it decides, or 'at once'.")
    name: str = Field("", max_length=128, description="Of the deployment; the strategy's if empty.")
    acknowledged: list[Literal["short", "at_once"]] = Field([], description="What you say you know.")
    mode: Literal["paper"] = "paper"
    timeframe: str | None = Field(None, description="Of the base bars, where no file says.")
    repair: str | None = Field(None, description="As for read_bars.")
    basis: str | None = Field(None, description="As for read_bars.")
    zone: str | None = Field(None, description="Of clock times without offset in files.")


class Query(BaseModel):
    """Of a GET; text that is no number where one is asked is refused."""

    model_config = ConfigDict(extra="forbid")


class EquityQuery(Query):
    """How much of an account's course."""

    most: int | None = Field(None, ge=10, le=100_000, description="About so many points; all by default.")


class JournalQuery(Query):
    """Which rows of a journal."""

    kind: str | None = Field(None, max_length=100, description="Only rows of this kind, such as FILLED.")
    before: int | None = Field(None, ge=1, description="Only rows with a smaller number.")
    limit: int = Field(50, ge=1, le=1_000)
    contains: str | None = Field(None, max_length=200, description="Only rows whose text holds this, in any case.")
