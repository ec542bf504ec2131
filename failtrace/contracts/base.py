"""What every contract shares: frozen, closed, strict, UTC, finite, and JSON in and out."""

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, FailFast, JsonValue, StringConstraints

SCHEMA_VERSION = 1

Json = JsonValue
"""Any JSON value. What a subject handled has been through `failtrace.capture.sanitiser` before it stands here."""


_Item = TypeVar("_Item")
Many = Annotated[tuple[_Item, ...], FailFast()]
"""Any number of one kind. The first wrong one is told: of millions each would take hundreds of bytes to be told."""


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is outside of the years 1 to 9999 in UTC") from error


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
TraceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
StepId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
FailureId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]


class Contract(BaseModel):
    """A stored shape. It knows no clock and no environment: ids and times are given to it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
