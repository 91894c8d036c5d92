"""What may be sent, and how: read by the server, and shown in the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """Of a request; what it does not know is refused, for it may be misspelt."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Why(Body):
    """Why a person asks."""

    why: str = Field("", max_length=2_000, description="For the journal.")


class Reason(Body):
    """Why a person asks; it must be said."""

    why: str = Field(min_length=1, max_length=2_000, description="For the journals.")


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


class JournalQuery(BaseModel):
    """Which rows of a journal."""

    model_config = ConfigDict(extra="forbid")
    kind: str | None = Field(None, max_length=100, description="Only rows of this kind, such as FILLED.")
    before: int | None = Field(None, ge=1, description="Only rows with a smaller number.")
    limit: int = Field(50, ge=1, le=1_000)
